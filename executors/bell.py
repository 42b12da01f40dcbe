"""The bell: tells a worker that there may be something to do, and is never relied upon."""

import logging

from celery import current_app

logger = logging.getLogger(__name__)

TASK = "executors.tasks.run"

#: A bell that nobody heard for a minute is useless: the sweeper has rung again since.
_HEARD_WITHIN = 60
RECONCILE = "executors.tasks.reconcile"


def ring(execution_id: str) -> bool:
    """Publish the id, once, within the broker's short timeouts; tell whether that worked.

    It never raises: the decision is committed already, and the sweeper finds what no message
    announced. The message carries no authority, so a lost, doubled or forged one does no harm.
    """
    return _publish(TASK, execution_id)


def ring_to_reconcile(execution_id: str) -> bool:
    """Publish in the same way that the provider should be read about an execution."""
    return _publish(RECONCILE, execution_id)


def _publish(task: str, execution_id: str) -> bool:
    try:
        current_app.send_task(
            task, kwargs={"execution_id": execution_id}, retry=False, expires=_HEARD_WITHIN
        )
    except Exception:  # noqa: BLE001 - whatever the broker throws, the work is in the database
        logger.warning("Could not ring for %s; the sweeper will find it.", execution_id)
        return False
    return True
