"""Asking the provider what it shows about an execution. No transaction is open meanwhile."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from audit.alarms import raise_alarm
from executors import registry, verification
from executors.base import Provider, Receipt
from executors.enums import AttemptClass, ReadingResult
from executors.errors import ExecutorError, HeldError, LookUpMismatchError, ProviderError
from executors.models import Execution, Reading

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What one reading showed. ``expires_at`` is the signed ``exp``, where a token was read."""

    result: ReadingResult
    receipt: Receipt | None = None
    code: str = ""
    message: str = ""
    expires_at: datetime | None = None


def look_up(execution: Execution) -> Shown:
    """Search the provider for what belongs to the decision, in a complete listing."""
    return _guarded(execution, _look_up)


def read_back(execution: Execution) -> Shown:
    """Read again the object that the execution's receipt is about."""
    return _guarded(execution, _read_back)


def keep(execution: Execution, shown: Shown, *, begun_at: datetime) -> Reading:
    """Write down a reading, in the caller's transaction."""
    receipt = shown.receipt
    return Reading.objects.create(
        execution=execution,
        begun_at=begun_at,
        result=shown.result,
        provider_reference=receipt.reference if receipt else "",
        provider_status=receipt.provider_status if receipt else "",
        error_code=shown.code,
        error_message=shown.message,
    )


def _guarded(execution: Execution, read: Callable[[Execution], Shown]) -> Shown:
    """Whatever goes wrong proves nothing; what a person must repair is told."""
    try:
        return read(execution)
    except LookUpMismatchError as error:
        raise_alarm(error.code, error.message, subject=execution.pk)
        return _failed(ReadingResult.MISMATCH, error)
    except ExecutorError as error:
        if _needs_repair(error):
            raise_alarm(error.code, error.message, subject=execution.pk)
        return _failed(ReadingResult.UNREADABLE, error)
    except Exception as error:
        logger.exception("The provider could not be read about %s.", execution.pk)
        foreign = ExecutorError(f"The executor failed: {error!r}", code="executor_failed")
        return _failed(ReadingResult.UNREADABLE, foreign)


def _look_up(execution: Execution) -> Shown:
    verified = verification.verify_to_read(execution)
    # In another account everything of ours would be absent.
    verification.check_provider(verified)
    receipt = verified.executor.look_up(verified.claims, verified.token_sha256)
    return Shown(
        result=ReadingResult.FOUND if receipt else ReadingResult.ABSENT,
        receipt=receipt,
        expires_at=datetime.fromtimestamp(verified.claims["exp"], UTC),
    )


def _read_back(execution: Execution) -> Shown:
    """The token is not asked: the receipt names the object, and nothing is sent.

    So that a key that was revoked since does not hide what became of the money.
    """
    executor = registry.get(execution.action, execution.action_version)
    intent = execution.intent
    sent_to = Provider(kind=intent.provider_kind, account=intent.account, livemode=intent.livemode)
    if executor.provider() != sent_to:
        raise HeldError(
            f"It was sent to {sent_to.account}, which is not this worker's account.",
            code="wrong_account",
        )
    return Shown(
        result=ReadingResult.FOUND, receipt=executor.read_back(execution.provider_reference)
    )


def _needs_repair(error: ExecutorError) -> bool:
    if isinstance(error, ProviderError):
        return error.attempt_class == AttemptClass.CONFIGURATION
    return error.code == "wrong_account"


def _failed(result: ReadingResult, error: ExecutorError) -> Shown:
    return Shown(result=result, code=error.code, message=error.message)
