"""How long an action may wait: for its decision, and then for being carried out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from django.conf import settings

from executors.base import Executor


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """The limits in force for an action, all in seconds."""

    #: The shortest and the longest ``expires_in``, and the one of a request that names none.
    expires_in_least: int
    expires_in_most: int
    expires_in_default: int
    #: How long after the decision it may be carried out.
    execute_within: int

    def as_json(self) -> Mapping[str, int]:
        """Return the limits as the rules' digest has them."""
        return asdict(self)


def bounds_of(executor: Executor) -> Bounds:
    """Return the limits of an action: this installation's, narrowed by the action's own.

    An action can never widen what the operator has set, so that every decision of it stays within
    the provider's memory for idempotency keys.
    """
    most = _narrower(settings.COUNTERSIGN_EXPIRES_IN_MOST, executor.expires_in_most)
    least = max(settings.COUNTERSIGN_EXPIRES_IN_LEAST, executor.expires_in_least or 0)
    default = executor.expires_in_default or settings.COUNTERSIGN_EXPIRES_IN_DEFAULT
    return Bounds(
        expires_in_least=min(least, most),
        expires_in_most=most,
        expires_in_default=min(max(least, default), most),
        execute_within=_narrower(settings.COUNTERSIGN_EXECUTE_WITHIN, executor.execute_within),
    )


def _narrower(ours: int, its: int | None) -> int:
    return ours if its is None else min(ours, its)
