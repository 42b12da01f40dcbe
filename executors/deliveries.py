"""How a worker takes a message: with its own time limits, whatever the message says."""

from celery.worker.request import Request


class OwnLimits(Request):
    """A delivery whose limits are the task's, as this worker has them.

    Celery lets a message bring limits along, those of whoever published it. A worker with another
    lease, or a forged message, would then go on when another worker may have taken over.
    """

    @property
    def time_limits(self) -> tuple[None, None]:
        """Return none, so that those of the task count."""
        return (None, None)

    @time_limits.setter
    def time_limits(self, _: object) -> None:
        """Take no notice of the message's."""
