"""What an attempt proved, written down: attempt, status, receipt and history in one transaction.

Every write here carries the fence of the claim: a worker that was taken over writes nothing.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from audit import clock, failpoints
from audit.actors import Actor
from audit.alarms import raise_alarm
from audit.history import stamp
from audit.signing.tokens import token_digest
from executors.base import Receipt
from executors.enums import AttemptClass
from executors.enums import ExecutionStatus as S
from executors.errors import ExecutorError, LookUpMismatchError, LostLeaseError, ProviderError
from executors.models import Attempt, Execution
from executors.services.moves import lock_claimed, move
from executors.services.stopping import delay_after, give_up, put_off, stop

#: With waits of up to five minutes this is about five hours of an unreachable provider.
MOST_ATTEMPTS = 60
#: The provider stores a 500 under the key and repeats it for a day: asking on is no use.
MOST_SERVER_ERRORS = 5


def settle(
    claimed: Execution,
    attempt: Attempt,
    outcome: Receipt | ProviderError,
    *,
    found: Receipt | None = None,
    actor: Actor,
) -> None:
    """End an attempt with what it proved, and take the execution where that leads.

    ``found`` is our own earlier success, which the provider showed after a final refusal.

    Raises:
        LostLeaseError: another worker has taken over; nothing was written.
    """
    with transaction.atomic():
        execution = lock_claimed(claimed)
        at = clock.now()
        _end_attempt(attempt, outcome, at)
        if isinstance(outcome, Receipt):
            settle_receipt(execution, outcome, actor, at)
        elif found is not None:
            settle_receipt(execution, found, actor, at)
        else:
            _BY_CLASS[AttemptClass(outcome.attempt_class)](execution, outcome, actor, at)
        failpoints.reached("result:written")


def _end_attempt(attempt: Attempt, outcome: Receipt | ProviderError, at: datetime) -> None:
    if isinstance(outcome, Receipt):
        result: dict[str, str] = {"outcome": AttemptClass.DONE}
    else:
        result = {
            "outcome": outcome.attempt_class,
            "error_code": outcome.code,
            "error_message": outcome.message,
        }
    ended = Attempt.objects.filter(pk=attempt.pk, ended_at__isnull=True).update(
        ended_at=at, http_status=outcome.http_status, request_id=outcome.request_id, **result
    )
    if ended != 1:
        raise LostLeaseError(f"{attempt} was ended by another worker.")


def settle_receipt(execution: Execution, receipt: Receipt, actor: Actor, at: datetime) -> None:
    """Take a locked execution to where the provider's object leads: SUCCEEDED or FAILED."""
    move(
        execution,
        S.FAILED if receipt.failed else S.SUCCEEDED,
        actor=actor,
        at=at,
        reason=f"{receipt.reference} is {receipt.provider_status}",
        provider_reference=receipt.reference,
        provider_status=receipt.provider_status,
        receipt={
            **receipt.as_json(),
            "token_sha256": token_digest(execution.token),
            "received_at": stamp(at),
        },
        error_code=receipt.failure_code,
    )


def _settle_ambiguous(
    execution: Execution, error: ProviderError, actor: Actor, at: datetime
) -> None:
    execution.ambiguous = True
    if isinstance(error, LookUpMismatchError):
        raise_alarm(error.code, error.message, subject=execution.pk)
        give_up(execution, error, actor=actor, at=at)
    else:
        _try_again(execution, error, actor, at)


def _try_again(execution: Execution, error: ProviderError, actor: Actor, at: datetime) -> None:
    tries = execution.attempts.count()
    server_errors = execution.attempts.filter(http_status__gte=500).count()
    if tries >= MOST_ATTEMPTS or server_errors >= MOST_SERVER_ERRORS:
        exhausted = ExecutorError(
            f"Gave up after {tries} tries: {error.message}", code="attempts_exhausted"
        )
        give_up(execution, exhausted, actor=actor, at=at)
        return
    delay = max(delay_after(tries), error.retry_after or 0)
    put_off(execution, error, actor=actor, at=at, delay=delay)


def _settle_final(execution: Execution, error: ProviderError, actor: Actor, at: datetime) -> None:
    move(
        execution,
        S.FAILED,
        actor=actor,
        at=at,
        reason=error.message,
        error_code=error.code,
        error_message=error.message,
    )


def _settle_our_bug(execution: Execution, error: ProviderError, actor: Actor, at: datetime) -> None:
    """Our key was used with other bytes: never a new key, and never again these bytes.

    So something of ours has left, even where nobody here remembers it (a database that was
    restored from an older backup): the provider is read before anybody says what became of it.
    """
    raise_alarm(error.code, error.message, subject=execution.pk)
    execution.ambiguous = True
    give_up(execution, error, actor=actor, at=at)


def _settle_configuration(
    execution: Execution, error: ProviderError, actor: Actor, at: datetime
) -> None:
    """The provider did not accept our key: park it, and go on when the key is repaired."""
    raise_alarm(error.code, error.message, subject=execution.pk)
    stop(execution, error, actor=actor, at=at)


_BY_CLASS: dict[AttemptClass, Callable[[Execution, ProviderError, Actor, datetime], None]] = {
    AttemptClass.AMBIGUOUS: _settle_ambiguous,
    AttemptClass.NOT_EXECUTED: _try_again,
    AttemptClass.FINAL: _settle_final,
    AttemptClass.OUR_BUG: _settle_our_bug,
    AttemptClass.CONFIGURATION: _settle_configuration,
}
