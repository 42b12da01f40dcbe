"""Which columns of this floor may hold personal data of customers and people, and which must not.

``kept`` columns are identifiers, digests, words of ours, or what an account is called by; staff is
told in the documentation to write no customer's data into them.
"""

from collections.abc import Callable, Iterator

from django.db.models import Q

from approvals.enums import RequestStatus
from approvals.models import (
    Agent,
    AgentKey,
    AgentKeyUse,
    ApprovalRequest,
    Decision,
    FactsSnapshot,
    PayloadVersion,
    Refusal,
    Review,
    SavedFilter,
    User,
)
from audit.erasure.declared import declare, register_obstacle

_REFUSAL = "refusal:"
_USER = "user:"


def declare_all() -> None:
    """Declare every model of this floor."""
    declare(
        ApprovalRequest,
        erased=("reason", "context", "metadata", "trace_id"),
        kept=(
            *("id", "status", "idempotency_key", "body_sha256", "service", "action", "currency"),
            *("priority", "blocked_code"),
        ),
        of=lambda target: Q(pk=target),
    )
    of_request = _through("request_id")
    declare(PayloadVersion, erased=("payload",), kept=("sha256", "made_by"), of=of_request)
    declare(
        FactsSnapshot,
        erased=("material", "display", "problem"),
        kept=("provider", "resource"),
        of=of_request,
    )
    _declare_judgements()
    _declare_accounts()
    register_obstacle(_open_request)
    register_obstacle(_active_person)


def _declare_judgements() -> None:
    of_request = _through("request_id")
    declare(
        Review,
        erased=("reason", "view"),
        kept=("id", "verdict", "viewed_sha256", "method"),
        of=of_request,
    )
    declare(
        Decision,
        erased=("reason", "diff", "token"),
        kept=("id", "outcome", "token_sha256", "kid"),
        of=of_request,
    )
    declare(
        Refusal,
        erased=("message",),
        kept=("code", "body_sha256", "attempted_by", "about"),
        of=_refusals,
    )


def _declare_accounts() -> None:
    declare(
        User, erased=("first_name", "last_name", "email"), kept=("username", "password"), of=_people
    )
    declare(SavedFilter, erased=("name", "query"), of=_searches)
    declare(
        Agent,
        kept=(
            *("id", "name", "description", "status", "created_by", "suspended_by"),
            "suspended_reason",
        ),
    )
    declare(
        AgentKey,
        kept=(
            *("id", "prefix", "secret_hash", "actions", "currencies", "created_by", "revoked_by"),
            "revoked_reason",
        ),
    )
    declare(AgentKeyUse)


def _through(name: str) -> Callable[[str], Q]:
    return lambda target: Q((name, target))


def _refusals(target: str) -> Q:
    """Refusals of attempts to decide a request; or one, by its own number."""
    return Q(about=target) | Q(pk=_number(target, _REFUSAL))


def _people(target: str) -> Q:
    return Q(pk=_number(target, _USER))


def _searches(target: str) -> Q:
    return Q(owner_id=_number(target, _USER))


def _number(target: str, kind: str) -> int:
    """Return the number in ``kind:number``, and 0, which no row has, for anything else."""
    digits = target.removeprefix(kind)
    is_one = target.startswith(kind) and digits.isascii() and digits.isdigit()
    return int(digits) if is_one and len(digits) <= len("1000000000000000000") - 1 else 0


def _open_request(target: str) -> Iterator[str]:
    pending = ApprovalRequest.objects.filter(pk=target, status=RequestStatus.PENDING)
    if pending.exists():
        yield "The request is still pending: let it be decided, withdrawn or expired first."


def _active_person(target: str) -> Iterator[str]:
    if User.objects.filter(_people(target), is_active=True).exists():
        yield "The account is active: deactivate it first."
