"""What leaves the house: written down first, cleared once more, sent once per attempt."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import transaction

from audit import clock, failpoints
from audit.actors import Actor
from audit.alarms import raise_alarm
from audit.canonical import sha256_hex
from executors.base import Executor, Prepared, Provider, Receipt
from executors.enums import AttemptClass, EventType
from executors.enums import ExecutionStatus as S
from executors.errors import LostLeaseError, PayloadError, ProviderError, RefusedError
from executors.models import Attempt, Execution, Intent
from executors.services.clearance import clear
from executors.services.moves import lock_claimed, move
from executors.verification import Verified


def obtain_intent(claimed: Execution, verified: Verified, *, actor: Actor) -> Intent:
    """Return what will be sent: what an earlier claim wrote down, else written down now.

    It is never written anew: a deployment between two tries must not change one byte. But a row is
    not believed: what is found is sent only if the token covers it.

    Raises:
        RefusedError: the payment's own currency is not the authorised one, or what was written down
            is not what was decided.
        FactsUnavailableError: the payment could not be read; nothing was written.
        LostLeaseError: another worker has taken over.
    """
    known = Intent.objects.filter(pk=claimed.pk).first()
    if known is not None:
        check_covered(known, verified)
        return known
    check_currency(verified)
    prepared = verified.executor.prepare(verified.claims, verified.token_sha256)
    return _write_intent(claimed, verified, prepared, actor=actor)


def check_currency(verified: Verified) -> None:
    """Compare the authorised currency with the payment's own, read anew. No transaction is open.

    Raises:
        RefusedError: they differ, or the provider does not know the payment.
        FactsUnavailableError: the payment could not be read.
    """
    executor = verified.executor
    money = executor.money(verified.payload)
    if money is None:
        return
    try:
        present = executor.facts(verified.payload).material["currency"]
    except PayloadError as error:
        raise RefusedError(error.message, code=error.code) from error
    if present != money.currency:
        raise RefusedError(
            f"The decision is about {money}, but the payment is in {str(present).upper()}.",
            code="currency_mismatch",
        )


def check_covered(intent: Intent, verified: Verified) -> None:
    """Compare what was written down earlier with the token: key, account, and what is sent.

    Raises:
        RefusedError: somebody has changed it, with an alarm; it must never leave.
    """
    if not is_covered(intent, verified):
        message = "What was written down to be sent is not what was decided."
        raise_alarm("intent_mismatch", message, subject=intent.pk)
        raise RefusedError(message, code="intent_mismatch")


def is_covered(intent: Intent, verified: Verified) -> bool:
    """Tell whether a token authorises what was written down: key, account, every parameter."""
    written = {
        "kind": intent.provider_kind,
        "account": intent.account,
        "livemode": intent.livemode,
    }
    return (
        intent.idempotency_key == key_of(verified.claims["jti"])
        and written == verified.claims["provider"]
        and verified.executor.covers(verified.claims, verified.token_sha256, prepared_of(intent))
    )


def key_of(jti: str) -> str:
    """Return the idempotency key: derived, never random. One decision has one key, for ever."""
    return f"cs_{jti}"


def prepared_of(intent: Intent) -> Prepared:
    """Return what will be sent, byte for byte."""
    return Prepared(
        method=intent.method,
        path=intent.path,
        body=intent.body,
        api_version=intent.api_version,
    )


def begin_attempt(claimed: Execution) -> Attempt:
    """Write down that a request is about to leave, if nothing objects at this last moment.

    Raises:
        RefusedError, HeldError: an objection; nothing was written.
        LostLeaseError: the lease lapsed, or another worker has taken over.
    """
    with transaction.atomic():
        execution = lock_claimed(claimed)
        at = clock.now()
        if execution.lease_expires_at is None or execution.lease_expires_at <= at:
            raise LostLeaseError(f"The lease on {execution.pk} lapsed before anything was sent.")
        clear(execution, at=at)
        attempt = Attempt.objects.create(
            execution=execution,
            number=execution.attempts.count() + 1,
            fence=execution.fence,
            started_at=at,
        )
        failpoints.reached("attempt:written")
        return attempt


def leave_by(attempt: Attempt, verified: Verified, looked_at: float) -> float:
    """Return until when the request may leave, by this machine's monotonic clock, in seconds.

    That is the end of the lease or ``exp``, whichever comes first. ``looked_at`` is a reading from
    before the attempt was begun, so that a process which stood still since then comes too late.
    """
    lease_ends = attempt.execution.lease_expires_at
    assert lease_ends is not None
    ends_at = min(lease_ends, datetime.fromtimestamp(verified.claims["exp"], UTC))
    return looked_at + (ends_at - attempt.started_at).total_seconds()


def send(executor: Executor, intent: Intent, *, not_after: float) -> Receipt | ProviderError:
    """Send the stored bytes once and return what that proved. No transaction is open.

    Whatever is not on the closed list of final answers proves nothing, so any exception that the
    executor does not know about is ambiguous.
    """
    prepared = prepared_of(intent)
    try:
        return executor.execute(prepared, intent.idempotency_key, not_after=not_after)
    except ProviderError as error:
        return error
    except Exception as error:  # noqa: BLE001 - what nobody foresaw proves nothing
        return ProviderError(
            f"The executor failed: {error!r}",
            attempt_class=AttemptClass.AMBIGUOUS,
            code="executor_failed",
        )


def _write_intent(
    claimed: Execution, verified: Verified, prepared: Prepared, *, actor: Actor
) -> Intent:
    provider = Provider(**verified.claims["provider"])
    with transaction.atomic():
        execution = lock_claimed(claimed)
        at = clock.now()
        intent = _new_intent(execution, provider, prepared, at)
        move(
            execution,
            S.RUNNING,
            event=EventType.EXECUTION_INTENT,
            actor=actor,
            at=at,
            reason=f"{intent.method} {intent.path}, "
            f"SHA-256 of the body {sha256_hex(intent.body.encode())}",
            lease_expires_at=at + timedelta(seconds=settings.COUNTERSIGN_LEASE),
        )
        failpoints.reached("intent:written")
        return intent


def _new_intent(
    execution: Execution, provider: Provider, prepared: Prepared, at: datetime
) -> Intent:
    return Intent.objects.create(
        execution=execution,
        idempotency_key=key_of(execution.jti),
        method=prepared.method,
        path=prepared.path,
        body=prepared.body,
        provider_kind=provider.kind,
        account=provider.account,
        livemode=provider.livemode,
        api_version=prepared.api_version,
        created_at=at,
    )
