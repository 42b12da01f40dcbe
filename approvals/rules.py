"""May this request? Each check raises with a sentence fit for the screen or the agent.

Whether the person may is another question, answered in ``permissions``.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from approvals.enums import AgentStatus, RequestStatus
from approvals.errors import (
    FactsMissingError,
    InvalidInputError,
    InvalidPatchError,
    NotDecidableError,
    OutOfScopeError,
    StaleViewError,
    TooManyPendingError,
)
from approvals.models import AgentKey, ApprovalRequest, FactsSnapshot
from approvals.reserving import Promised
from audit.canonical import digest_of
from executors import payloads
from executors.base import Executor, Facts
from executors.bounds import bounds_of
from executors.errors import PayloadError
from executors.money import Money, format_money

#: Without written rules the catalogue's own limits are the rules in force.
POLICY_VERSION = "catalogue-1"


def rules_digest(executor: Executor) -> str:
    """Return the SHA-256 (hex) over the limits that are in force for an action."""
    return digest_of(
        {
            "action": executor.name,
            "action_version": executor.version,
            "schema": executor.schema,
            "editable": list(executor.editable),
            "reversibility": executor.reversibility,
            "bounds": bounds_of(executor).as_json(),
        }
    )


def check_scope(key: AgentKey, executor: Executor, money: Money | None) -> None:
    """Refuse what the agent key does not allow.

    Raises:
        OutOfScopeError: another action, another currency, or more than the key's ceiling.
    """
    if executor.name not in key.actions:
        raise OutOfScopeError(f"This key may not propose {executor.name}.", field="/action")
    if money is None:
        return
    if key.currencies and money.currency not in key.currencies:
        raise OutOfScopeError(
            f"This key may not propose {money.currency}.", field="/payload/currency"
        )
    if key.ceiling_minor is not None and money.amount_minor > key.ceiling_minor:
        ceiling = Money(amount_minor=key.ceiling_minor, currency=money.currency)
        raise OutOfScopeError(f"This key's ceiling is {ceiling}.", field="/payload/amount")


def deadline(executor: Executor, at: datetime, expires_in: int | None) -> datetime:
    """Return until when a request may be decided; ``expires_in`` is in seconds.

    Raises:
        InvalidInputError: shorter or longer than the action's limits.
    """
    bounds = bounds_of(executor)
    seconds = bounds.expires_in_default if expires_in is None else expires_in
    if not bounds.expires_in_least <= seconds <= bounds.expires_in_most:
        raise InvalidInputError(
            f"For {executor.name}, expires_in is a number of seconds from "
            f"{bounds.expires_in_least} to {bounds.expires_in_most}.",
            field="/expires_in",
            code="invalid_value",
        )
    return at + timedelta(seconds=seconds)


def check_pending_limit(agent_id: str, at: datetime) -> None:
    """Refuse one more pending request than an agent may have; call it under the agent's lock.

    What is past its deadline does not count, swept or not: its agent could not even withdraw it.

    Raises:
        TooManyPendingError: try again when some were decided.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM approvals_approvalrequest "
            "WHERE agent_id = %s AND status = %s AND expires_at > %s",
            [agent_id, RequestStatus.PENDING.value, connection.ops.adapt_datetimefield_value(at)],
        )
        pending = int(cursor.fetchone()[0])
    if pending >= settings.COUNTERSIGN_PENDING_PER_AGENT:
        raise TooManyPendingError(
            f"This agent already has {settings.COUNTERSIGN_PENDING_PER_AGENT} pending requests; "
            "wait until some are decided, or withdraw some."
        )


def present_status(request: ApprovalRequest, at: datetime) -> RequestStatus:
    """Return the status as it is at this instant: past its deadline a request has expired.

    Nothing can be decided any more from then on, whether or not the sweep has already been by.
    """
    if request.is_pending and at >= request.expires_at:
        return RequestStatus.EXPIRED
    return RequestStatus(request.status)


def check_pending(request: ApprovalRequest, at: datetime) -> None:
    """Refuse a request that is not, or no longer, open.

    Raises:
        NotDecidableError: with its present status.
    """
    status = present_status(request, at)
    if status != RequestStatus.PENDING:
        raise NotDecidableError(f"This request is no longer open: {status.label.lower()}.")


def check_approvable(request: ApprovalRequest, at: datetime) -> None:
    """Refuse to approve what a stopped agent or key asked for; rejecting stays possible.

    Raises:
        NotDecidableError: the agent is suspended, or the key was revoked as compromised.
    """
    if request.agent.status != AgentStatus.ACTIVE:
        raise NotDecidableError("The agent is suspended.", code="agent_suspended")
    if request.agent_key.compromised:
        raise NotDecidableError("The agent key was compromised.", code="key_compromised")


def check_facts_fresh(snapshot: FactsSnapshot | None, at: datetime) -> FactsSnapshot:
    """Return the snapshot if a person may approve on it.

    Raises:
        FactsMissingError: the provider was not read yet.
        StaleViewError: it was read too long ago.
    """
    if snapshot is None:
        raise FactsMissingError("The provider has not been read yet; refresh the facts first.")
    if at - snapshot.read_at > timedelta(seconds=settings.COUNTERSIGN_FACTS_MAX_AGE):
        minutes = settings.COUNTERSIGN_FACTS_MAX_AGE // 60
        raise StaleViewError(
            f"The facts are older than {minutes} minutes; refresh them and look again.",
            code="stale_facts",
        )
    return snapshot


def check_facts(executor: Executor, payload: Mapping[str, Any], facts: Facts) -> None:
    """Refuse a payload that the provider's facts forbid.

    Raises:
        InvalidPatchError: with the action's own sentence and code.
    """
    try:
        executor.check_facts(payload, facts)
    except PayloadError as error:
        raise InvalidPatchError(error.message, code=error.code, field=error.field) from error


def check_left(
    executor: Executor, payload: Mapping[str, Any], facts: Facts, promised: Promised
) -> None:
    """Refuse more than is left of a payment once what is approved here is paid.

    Raises:
        InvalidPatchError: lower the amount, or wait until the others are over.
    """
    share = executor.share(payload, facts)
    if share is None or share.left >= promised.approved_minor:
        return
    left = share.left + share.asked - promised.approved_minor
    others = Money(amount_minor=promised.approved_minor, currency=share.currency)
    raise InvalidPatchError(
        f"Only {format_money(max(left, 0), share.currency)} of the payment are left: {others} are "
        "approved here and not yet paid, or not yet in the facts. Lower the amount, or wait and "
        "refresh the facts.",
        field="/amount",
        code="amount_reserved",
    )


def check_patch(executor: Executor, original: Mapping[str, Any], patched: Any) -> None:
    """Refuse a reviewer's change that the action does not allow.

    Raises:
        InvalidPatchError: not valid, a locked field changed, or beyond a bound.
    """
    try:
        payloads.validate(executor, patched)
        locked = set(payloads.changed_fields(original, patched)) - set(executor.editable)
        if locked:
            name = sorted(locked)[0]
            raise PayloadError(f"The field {name!r} cannot be changed.", field=f"/{name}")
        executor.check_patch(original, patched)
    except PayloadError as error:
        raise InvalidPatchError(error.message, field=error.field) from error
