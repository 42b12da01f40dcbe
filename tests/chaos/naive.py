"""The executor as it is usually written. Controls: the same schedules must catch each of them."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from django.db.models import Q

from executors.base import Prepared, Receipt
from executors.enums import AttemptClass
from executors.enums import ExecutionStatus as S
from executors.errors import ProviderError
from executors.models import Attempt, Execution
from executors.services import moves, sending, settling, stopping, sweeping
from executors.stripe.refunds import StripeRefund
from tests.chaos.schedules import WITHIN

_post = StripeRefund.execute


@contextmanager
def key_per_attempt() -> Iterator[None]:
    """Each try has a new idempotency key: the provider cannot know that it is the same."""

    def execute(
        self: StripeRefund, prepared: Prepared, idempotency_key: str, *, not_after: float
    ) -> Receipt:
        key = f"{idempotency_key}_{secrets.token_hex(4)}"
        return _post(self, prepared, key, not_after=not_after)

    with patch.object(StripeRefund, "execute", execute):
        yield


@contextmanager
def silence_is_refusal() -> Iterator[None]:
    """No answer means that nothing happened."""
    ways = {AttemptClass.AMBIGUOUS: settling._BY_CLASS[AttemptClass.FINAL]}
    with patch.dict(settling._BY_CLASS, ways):
        yield


@contextmanager
def no_fence() -> Iterator[None]:
    """Whoever comes back writes, whoever has taken over meanwhile."""

    def lock_claimed(claimed: Execution) -> Execution:
        return moves.lock(claimed.pk)

    with ExitStack() as stack:
        for module in (sending, settling, stopping):
            stack.enter_context(patch.object(module, "lock_claimed", lock_claimed))
        stack.enter_context(patch.object(settling, "_end_attempt", _end_attempt))
        yield


def _end_attempt(attempt: Attempt, outcome: Receipt | ProviderError, at: datetime) -> None:
    done = isinstance(outcome, Receipt)
    outcome_class = AttemptClass.DONE if done else outcome.attempt_class
    Attempt.objects.filter(pk=attempt.pk).update(ended_at=at, outcome=outcome_class)


@contextmanager
def bell_is_truth() -> Iterator[None]:
    """What a message announced is done: nobody looks for what a dead worker left."""

    def due_filter(at: datetime, *, unheard_for: timedelta) -> Q:
        return Q(status=S.QUEUED, queued_at__lte=at - unheard_for)

    with patch.object(sweeping, "due_filter", due_filter):
        yield


@contextmanager
def one_try() -> Iterator[None]:
    """A try that did not work out is somebody else's business: nobody tries again in time."""

    def delay_after(tries: int) -> int:
        return 2 * WITHIN

    with patch.object(settling, "delay_after", delay_after):
        yield


EXECUTORS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    twin.__name__: twin
    for twin in (key_per_attempt, silence_is_refusal, no_fence, bell_is_truth, one_try)
}
