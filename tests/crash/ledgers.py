"""The checker: three ledgers that must tell one story, each read past the code that wrote it.

What the local Stripe paid, what the executions say, and what the record says. It returns sentences
about what does not fit, so that a schedule of many refunds can show all of them.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from audit.canonical import canonical_text
from audit.history import authenticate, canonical_form
from audit.models import Subject
from audit.signing import tokens
from audit.timeline import facts_about
from executors.enums import ExecutionStatus as S
from executors.models import Execution
from executors.transitions import allows

#: The customer does not have, or does not keep, the money.
_CAME_BACK = ("failed", "canceled")


def problems(ledger: dict[str, Any], executions: Iterable[Execution]) -> list[str]:
    """Return what is wrong with these executions, all of which are over; [] when nothing is."""
    told = list(executions)
    paid = _refunds(ledger)
    ours = {execution.jti for execution in told}
    found = [f"{refund['id']} has no decision" for refund in paid if _decision(refund) not in ours]
    for execution in told:
        mine = [refund for refund in paid if _decision(refund) == execution.jti]
        found += _against_provider(execution, mine)
        found += _against_itself(execution)
        found += _against_record(execution)
    return found


def _refunds(ledger: dict[str, Any]) -> list[dict[str, Any]]:
    return [refund for payment in ledger["payments"] for refund in payment["refunds"]]


def _decision(refund: dict[str, Any]) -> str:
    return str(refund["metadata"].get("countersign_decision", ""))


def _against_provider(execution: Execution, mine: list[dict[str, Any]]) -> Iterator[str]:
    """Exactly one refund of what was signed where we say so, and none where we say so."""
    name = execution.pk
    payload = tokens.unverified_claims(execution.token)["payload"]
    if len(mine) > 1:
        yield f"{name}: {len(mine)} refunds of one decision"
    for refund in mine:
        if (refund["amount"], refund["payment_intent"]) != (
            payload["amount"],
            payload["payment_intent"],
        ):
            yield f"{name}: {refund['id']} is not what was decided"
        if refund["idempotency_key"] != f"cs_{execution.jti}":
            yield f"{name}: {refund['id']} was made under the key {refund['idempotency_key']}"
    lasting = [refund for refund in mine if refund["status"] not in _CAME_BACK]
    if execution.status == S.SUCCEEDED and len(lasting) != 1:
        yield f"{name}: SUCCEEDED with {len(lasting)} refunds at the provider"
    if execution.status != S.SUCCEEDED and lasting:
        yield f"{name}: {execution.status}, but {lasting[0]['id']} was paid"
    if execution.status == S.SUCCEEDED and execution.provider_reference not in {
        refund["id"] for refund in mine
    }:
        yield f"{name}: the receipt is about {execution.provider_reference!r}"


def _against_itself(execution: Execution) -> Iterator[str]:
    name = execution.pk
    if execution.status not in (S.SUCCEEDED, S.FAILED, S.REFUSED, S.REVERSED):
        yield f"{name}: stuck in {execution.status}: {execution.error_message}"
    attempts = list(execution.attempts.order_by("number"))
    if [attempt.number for attempt in attempts] != list(range(1, len(attempts) + 1)):
        yield f"{name}: attempts are numbered {[attempt.number for attempt in attempts]}"
    if any(attempt.ended_at is None for attempt in attempts):
        yield f"{name}: an attempt has no end"
    fences = [attempt.fence for attempt in attempts]
    if sorted(set(fences)) != fences:
        yield f"{name}: the fences of the attempts are {fences}"


def _against_record(execution: Execution) -> Iterator[str]:
    """The record has every step, in order, in its own bytes, and ends where the row stands."""
    name = execution.pk
    story = facts_about(execution.subject)
    told = Subject.objects.get(pk=execution.subject).last_number
    numbers = [row.number for row in story]
    if numbers != list(range(1, told + 1)):
        yield f"{name}: the record of {told} facts has gaps: {numbers}"
    if not all(map(_is_ours, story)):
        yield f"{name}: a row of the record was not written by us"
    rows = list(execution.history.order_by("number"))
    for before, after in pairwise(rows):
        if not allows(S(before.status), S(after.status)):
            yield f"{name}: the record goes from {before.status} to {after.status}"
        if after.fence < before.fence:
            yield f"{name}: the fence went back from {before.fence} to {after.fence}"
    last = rows[-1]
    if (last.status, last.provider_reference) != (execution.status, execution.provider_reference):
        yield f"{name}: the record ends in {last.status}, the row in {execution.status}"


def _is_ours(row: Any) -> bool:
    """Whether the bytes are under our key, and the columns are what the bytes say."""
    whole = canonical_text(canonical_form(row)) == row.canonical
    return whole and authenticate(row.canonical, row.salt) == row.hmac
