"""Copies again and again beside the sealer, which never waits for it."""

import logging
from threading import Event, Thread

from django.db import connections

from audit.alarms import raise_alarm
from audit.anchoring import services
from audit.anchoring.targets import Target
from audit.errors import DATABASE_AWAY, AnchorError

logger = logging.getLogger(__name__)

#: Seconds between two looks, and the most between two tries at a place that does not take copies.
EVERY = 1.0
LONGEST = 60.0
#: How long the end of the process waits for a copy that is under way, in seconds.
_LAST = 5.0


class Copying:
    """A thread of its own with its own connection: a place that hangs holds up itself alone."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._stopping = Event()
        self._complaint = ""
        self._wait = EVERY
        self._thread = Thread(target=self.run, name="anchor", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the copy that is under way if it is quick."""
        self._stopping.set()
        self._thread.join(_LAST)

    def run(self) -> None:
        """Copy, wait, and so on, until it is told to stop."""
        while not self._stopping.is_set():
            self.round()
            self._stopping.wait(self._wait)
        connections.close_all()

    def round(self) -> None:
        """Copy what is new; whatever goes wrong is told, once, and tried again."""
        try:
            copied = services.copy_new(self._target)
        except DATABASE_AWAY as error:
            logger.warning("The database does not answer; nothing is copied outside: %s", error)
            connections.close_all()
        except AnchorError as error:
            self._fail(str(error))
        # A fault of ours must not end the copying in silence.
        except Exception as error:
            logger.exception("Copying a checkpoint failed.")
            self._fail(f"{type(error).__name__}: {error}")
        else:
            if copied and self._complaint:
                logger.info("Checkpoints are copied to %s again.", self._target.name)
            self._complaint, self._wait = "", EVERY

    def _fail(self, message: str) -> None:
        """Raise an alarm, once for as long as the reason is the same; try less often."""
        self._wait = min(2 * self._wait, LONGEST)
        if message != self._complaint:
            raise_alarm(
                AnchorError.code,
                f"Checkpoints are not copied outside ({self._target.name}), and are sealed all the "
                f"same. {message}",
                subject="log",
            )
        self._complaint = message
