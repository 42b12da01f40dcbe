"""The bell: tells a worker that there may be something to do, and is never relied upon."""

import logging
from time import monotonic

from celery import current_app

logger = logging.getLogger(__name__)

TASK = "executors.tasks.run"
RECONCILE = "executors.tasks.reconcile"

#: A bell that nobody heard for a minute is useless: the sweeper has rung again since.
_HEARD_WITHIN = 60
#: Seconds without ringing after a failure: of many decisions during an outage one waits for the
#: broker's timeout, and not each. Whatever was not rung for is found in the database.
PAUSE = 5.0

#: When this process may ring again, on its monotonic clock. Threads that meet here at worst ring
#: once too often.
_silent_until = 0.0


def ring(execution_id: str) -> bool:
    """Publish the id, once, within the broker's short timeouts; tell whether that worked.

    It never raises: the decision is committed already, and the sweeper and the workers' loops find
    what no message announced. The message carries no authority, so a lost, doubled or forged one
    does no harm.
    """
    return _publish(TASK, execution_id)


def ring_to_reconcile(execution_id: str) -> bool:
    """Publish in the same way that the provider should be read about an execution."""
    return _publish(RECONCILE, execution_id)


def _publish(task: str, execution_id: str) -> bool:
    global _silent_until  # noqa: PLW0603 - one number for the whole process
    if monotonic() < _silent_until:
        return False
    try:
        # Without limits: whoever takes it has its own, and ours would take their place.
        current_app.send_task(
            task,
            kwargs={"execution_id": execution_id},
            retry=False,
            expires=_HEARD_WITHIN,
            time_limit=None,
            soft_time_limit=None,
        )
    except Exception:  # noqa: BLE001 - whatever the broker throws, the work is in the database
        _silent_until = monotonic() + PAUSE
        logger.warning(
            "Could not ring for %s, nor for others within %g s; they will be found.",
            execution_id,
            PAUSE,
        )
        return False
    return True
