"""A worker that needs no broker: it finds due work in the database and carries it out itself.

Beside Celery's workers, who hear of work sooner, it finds what they never heard of. Both go
through the same claim, so that neither does what the other has.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections

from executors import services
from executors.enums import ExecutionStatus
from executors.limits import TimeUpError, time_limits, worker_name

logger = logging.getLogger(__name__)

Found = TypeVar("Found")

#: How many executions are looked up at once. Small, for while this process works on them others
#: take some of them, and new readings come due.
_BATCH = 20
#: Seconds between two searches for readings that are due. They are costly, and never urgent.
_READINGS_EVERY = 30.0
#: Seconds between two looks whether a listing of the provider is late.
_SCAN_EVERY = 60.0
#: How often a pause looks whether it should end, in seconds; not how long it is.
_LOOK_EVERY = 0.1

#: What a search raises when the database, or a table of it, is not there (any more, or yet).
AWAY = (DatabaseError, InterfaceError, TimeUpError)


@dataclass(kw_only=True)
class Round:
    """What was done: ids of executions, and for those that were taken up the status afterwards."""

    refused: list[str] = field(default_factory=list)
    ran: dict[str, str] = field(default_factory=dict)
    read: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


class Loop:
    """Looks for work again and again, until it is told to stop."""

    def __init__(self, *, limits: Callable[[], AbstractContextManager[None]] = time_limits) -> None:
        self.stopping = False
        self._limits = limits
        self._read_from = 0.0
        self._scan_from = 0.0

    def run(self, *, every: float) -> None:
        """Do one round after the other, with ``every`` seconds between them.

        A database that is away is waited for. Sets no signal handler: whoever calls this sets
        ``stopping``; what is under way then is finished first.
        """
        while not self.stopping:
            try:
                self.round()
            except AWAY as error:
                logger.warning("The database does not answer; next look in %g s: %s", every, error)
                connections.close_all()
            self._pause(every)

    def round(self) -> Round:
        """Work until nothing is due that was not tried in this round; return what was done.

        Raises:
            DatabaseError, InterfaceError, TimeUpError: the database is away.
        """
        done = Round()
        due, readings = _Picked(services.find_due), _Picked(services.find_due_readings)
        found = True
        while found and not self.stopping:
            self._refuse(done)
            found = self._carry_out(due, done)
            # Not "or": work that never ends must keep neither readings nor the scan waiting.
            found = self._read(readings, done) or found
            self._scan()
        return done

    def _refuse(self, done: Round) -> None:
        try:
            done.refused += self._limited(lambda: services.refuse_expired(limit=_BATCH))
            self._limited(lambda: services.try_repaired(limit=_BATCH))
        except (OperationalError, InterfaceError, TimeUpError):
            raise
        except Exception:
            logger.exception("Refusing what waits past its time, or queueing it again, failed.")
            connections.close_all()

    def _carry_out(self, due: "_Picked", done: Round) -> bool:
        """Carry out one batch; tell whether there was any."""
        for number in range(_BATCH):
            execution_id = self._limited(due.next)
            if execution_id is None:
                return number > 0
            self._take_up(execution_id, services.run, done.ran, done)
        return True

    def _read(self, readings: "_Picked", done: Round) -> bool:
        """Read about one execution: when the provider hangs, the next batch has waited enough."""
        if monotonic() < self._read_from:
            return False
        execution_id = self._limited(readings.next)
        if execution_id is None:
            self._read_from = monotonic() + _READINGS_EVERY
            return False
        self._take_up(execution_id, _read_if_due, done.read, done)
        return True

    def _scan(self) -> None:
        """Look for refunds that never passed the gate, where the periodic task does not."""
        if self.stopping or monotonic() < self._scan_from:
            return
        self._scan_from = monotonic() + _SCAN_EVERY
        try:
            if self._limited(services.is_scan_late):
                self._limited(services.scan)
        except (OperationalError, InterfaceError, TimeUpError):
            raise
        except Exception:
            logger.exception("The provider was not compared with the record.")
            connections.close_all()

    def _take_up(
        self,
        execution_id: str,
        verb: Callable[..., ExecutionStatus | None],
        results: dict[str, str],
        done: Round,
    ) -> None:
        """Call a verb about one execution; whatever it raises must not keep others waiting."""
        if self.stopping:
            return
        try:
            status = self._limited(lambda: verb(execution_id=execution_id, worker=worker_name()))
        except Exception:
            logger.exception("Working on %s failed; it will be found again.", execution_id)
            done.failed.append(execution_id)
            # It may have been cut off anywhere; and when the database is away, this says so.
            connections.close_all()
            self._limited(connection.ensure_connection)
        else:
            if status is not None:
                results[execution_id] = str(status)

    def _limited(self, call: Callable[[], Found]) -> Found:
        with self._limits():
            return call()

    def _pause(self, seconds: float) -> None:
        until = monotonic() + seconds
        while not self.stopping and (left := until - monotonic()) > 0:
            sleep(min(left, _LOOK_EVERY))


def _read_if_due(*, execution_id: str, worker: str) -> ExecutionStatus | None:
    """Celery's workers read as well, and nobody claims a reading: one of both is enough."""
    if not services.is_due_reading(execution_id=execution_id):
        return None
    return services.reconcile(execution_id=execution_id, worker=worker)


class _Picked:
    """Finds what is due, but nothing twice: what stays due must not turn a round into a storm."""

    def __init__(self, find: Callable[..., list[str]]) -> None:
        self._find = find
        self._waiting: list[str] = []
        self._tried: set[str] = set()
        self._still_due: set[str] = set()

    def next(self) -> str | None:
        """Return one that was not tried yet; None at the end of the round."""
        while not self._waiting:
            found = self._find(limit=_BATCH, without=self._still_due)
            if not found:
                return None
            self._waiting = [pk for pk in found if pk not in self._tried]
            self._still_due.update(self._tried.intersection(found))
        execution_id = self._waiting.pop(0)
        self._tried.add(execution_id)
        return execution_id
