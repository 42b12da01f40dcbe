"""Which columns of this floor may hold personal data, and which must not.

The receipt is the provider's ids, amounts and status, and who resolved it: nothing of a customer.
"""

from collections.abc import Iterator

from django.db.models import Q

from audit.erasure.declared import declare, register_obstacle
from executors.enums import ExecutionStatus as S
from executors.models import (
    Attempt,
    Execution,
    Finding,
    Hold,
    Intent,
    ProviderEvent,
    Reading,
    Scan,
)

_NOT_FINISHED = (S.QUEUED, S.HELD, S.RUNNING, S.UNKNOWN)


def declare_all() -> None:
    """Declare every model of this floor."""
    declare(
        Execution,
        erased=("token", "error_message"),
        kept=(
            *("id", "jti", "subject", "action", "agent", "agent_key", "status", "claimed_by"),
            *("provider_reference", "provider_status", "receipt", "error_code"),
        ),
        of=lambda target: Q(subject=target),
    )
    declare(
        Intent,
        erased=("body",),
        kept=("idempotency_key", "method", "path", "provider_kind", "account", "api_version"),
        of=_of_execution,
    )
    declare(
        Attempt,
        erased=("error_message",),
        kept=("outcome", "request_id", "error_code"),
        of=_of_execution,
    )
    _declare_what_the_provider_shows()
    declare(Hold, kept=("id", "scope", "value", "reason", "set_by", "lifted_by", "lift_reason"))
    register_obstacle(_unfinished)


def _declare_what_the_provider_shows() -> None:
    declare(
        Reading,
        erased=("error_message",),
        kept=("result", "provider_reference", "provider_status", "error_code"),
        of=_of_execution,
    )
    declare(
        Finding,
        erased=("message", "dealt_with_reason"),
        kept=("id", "kind", "provider_reference", "dealt_with_by"),
        of=_of_execution,
    )
    declare(ProviderEvent, kept=("id", "type"))
    declare(Scan, kept=("action", "account"))


def _of_execution(target: str) -> Q:
    return Q(execution__subject=target)


def _unfinished(target: str) -> Iterator[str]:
    rows = Execution.objects.filter(subject=target)
    if rows.filter(status__in=_NOT_FINISHED).exists():
        yield "Its execution is not finished."
    if rows.filter(status=S.REVERSED, dealt_with_at=None).exists():
        yield "Its refund was reversed, and nobody has dealt with that yet."
    if Finding.objects.filter(_of_execution(target), dealt_with_at=None).exists():
        yield "A finding about it is open: deal with it first."
