"""Seals again and again, until it is told to stop: the process that holds the log key."""

import logging
from time import monotonic, sleep

from django.db import DatabaseError, InterfaceError, connections

from audit.alarms import raise_alarm
from audit.errors import DamagedLogError, KeyFileError
from audit.log import services

logger = logging.getLogger(__name__)

#: Seconds between two searches through the whole record. The others look near its end.
_THOROUGH_EVERY = 60.0
#: How often a pause looks whether it should end, in seconds; not how long it is.
_LOOK_EVERY = 0.1


class Loop:
    """Seals what is not sealed yet; what is under way is finished before it stops."""

    def __init__(self) -> None:
        self.stopping = False
        self._told: set[str] = set()
        self._complaint = ""
        self._thorough_from = 0.0

    def run(self, *, every: float) -> None:
        """Seal, wait for ``every`` seconds, and so on.

        A database that is away, a key that cannot sign and a log that is not what was signed are
        waited for: the record grows on without its seal, and is sealed once they are repaired.
        """
        while not self.stopping:
            try:
                self.round()
                self._complaint = ""
            except (DamagedLogError, KeyFileError) as error:
                self._complain(error.code, str(error))
            except (DatabaseError, InterfaceError) as error:
                logger.warning("The database does not answer; next look in %g s: %s", every, error)
                connections.close_all()
            self._pause(every)

    def round(self) -> services.Sealed:
        """Seal once; search the whole record, if that is due.

        Raises:
            DamagedLogError, KeyFileError: see ``services.seal``.
        """
        thorough = monotonic() >= self._thorough_from
        done = services.seal(thorough=thorough, told=self._told)
        if thorough:
            self._thorough_from = monotonic() + _THOROUGH_EVERY
        if done.leaves:
            logger.info("Sealed %d rows; the log has %d leaves.", done.leaves, done.size)
        return done

    def _complain(self, code: str, message: str) -> None:
        """Raise an alarm, once for as long as the reason is the same."""
        if message != self._complaint:
            raise_alarm(code, message, subject="log")
        self._complaint = message

    def _pause(self, seconds: float) -> None:
        until = monotonic() + seconds
        while not self.stopping and (left := until - monotonic()) > 0:
            sleep(min(left, _LOOK_EVERY))
