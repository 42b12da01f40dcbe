"""Carrying out one decision, phase by phase; each phase is committed before the next begins."""

import logging
import time

from audit import actors, clock, failpoints
from audit.actors import Actor
from audit.alarms import raise_alarm
from executors import verification
from executors.base import Receipt
from executors.enums import AttemptClass, ExecutionStatus
from executors.errors import (
    FactsUnavailableError,
    HeldError,
    LookUpMismatchError,
    LostLeaseError,
    ProviderError,
    RefusedError,
)
from executors.models import Attempt, Execution
from executors.services.claiming import claim
from executors.services.sending import begin_attempt, leave_by, obtain_intent, send
from executors.services.settling import settle
from executors.services.stopping import put_off_claimed, stop_claimed
from executors.verification import Verified

logger = logging.getLogger(__name__)

#: A final refusal that may be about our own earlier success, so that we read before we believe.
ALREADY_DONE = "charge_already_refunded"


def run(*, execution_id: str, worker: str) -> ExecutionStatus | None:
    """Carry out a decision if it is due; safe to call twice, at once, late or for nothing.

    claimed → verified → intent written → request → result. What is found at any point is written
    down; what is not known stays not known.

    Returns:
        The status afterwards, or None when there is no such execution.
    """
    claimed = claim(execution_id=execution_id, worker=worker)
    if claimed is not None:
        failpoints.reached("execution:claimed")
        try:
            _carry_out(claimed, actors.worker(worker))
        except LostLeaseError as error:
            # Whoever took over knows more than we do; what we have learned is not written.
            logger.warning("%s", error.message)
    status = Execution.objects.filter(pk=execution_id).values_list("status", flat=True).first()
    return None if status is None else ExecutionStatus(status)


def _carry_out(claimed: Execution, actor: Actor) -> None:
    try:
        verified = verification.verify(claimed, at=clock.now())
        verification.check_provider(verified)
        failpoints.reached("execution:verified")
        intent = obtain_intent(claimed, verified, actor=actor)
        failpoints.reached("intent:committed")
        looked_at = time.monotonic()
        attempt = begin_attempt(claimed)
    except (RefusedError, HeldError) as objection:
        stop_claimed(claimed, objection, actor=actor)
    except (FactsUnavailableError, ProviderError) as error:
        _stop_unread(claimed, error, actor)
    else:
        failpoints.reached("attempt:committed")
        not_after = leave_by(attempt, verified, looked_at)
        outcome = send(verified.executor, intent, not_after=not_after)
        failpoints.reached("answer:read")
        _settle(claimed, verified, attempt, outcome, actor)
        failpoints.reached("result:committed")


def _stop_unread(
    claimed: Execution, error: FactsUnavailableError | ProviderError, actor: Actor
) -> None:
    """Nothing was sent in this turn, because the provider could not be read before."""
    answer = error.because if isinstance(error, FactsUnavailableError) else error
    if answer is not None and answer.attempt_class == AttemptClass.CONFIGURATION:
        raise_alarm(answer.code, answer.message, subject=claimed.pk)
        stop_claimed(claimed, answer, actor=actor)
    else:
        put_off_claimed(claimed, error, actor=actor)


def _settle(
    claimed: Execution,
    verified: Verified,
    attempt: Attempt,
    outcome: Receipt | ProviderError,
    actor: Actor,
) -> None:
    found = None
    if isinstance(outcome, ProviderError) and _may_be_ours(claimed, outcome):
        try:
            found = verified.executor.look_up(verified.claims, verified.token_sha256)
        except LookUpMismatchError as mismatch:
            outcome = mismatch
        except ProviderError as error:
            outcome = _unread(outcome, error)
    _check_receipt(claimed, verified, outcome if isinstance(outcome, Receipt) else found)
    settle(claimed, attempt, outcome, found=found, actor=actor)


def _may_be_ours(claimed: Execution, error: ProviderError) -> bool:
    final = error.attempt_class == AttemptClass.FINAL
    return final and (claimed.ambiguous or error.code == ALREADY_DONE)


def _unread(refusal: ProviderError, error: ProviderError) -> ProviderError:
    return ProviderError(
        f"{refusal.message} Whether that was our own doing could not be read: {error.message}",
        attempt_class=AttemptClass.AMBIGUOUS,
        code=refusal.code,
        http_status=refusal.http_status,
        request_id=refusal.request_id,
        retry_after=error.retry_after,
    )


def _check_receipt(claimed: Execution, verified: Verified, receipt: Receipt | None) -> None:
    """Alarm when the provider's answer is not about what was authorised; it is kept as it is."""
    money = verified.executor.money(verified.payload)
    if receipt is None or money is None:
        return
    if (receipt.amount_minor, receipt.currency) != (money.amount_minor, money.currency):
        raise_alarm(
            "receipt_mismatch",
            f"{receipt.reference} is about {receipt.amount_minor} {receipt.currency}, "
            f"authorised was {money}.",
            subject=claimed.pk,
        )
