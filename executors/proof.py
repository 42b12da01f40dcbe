"""What a verification of the record asks of executions: token, what was sent, receipt.

It looks back: each token is judged as of its first attempt. Nothing is written, and no provider is
asked. Values of the record are in no finding.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from audit.erasure import told
from audit.log.verification.findings import Finding
from audit.signing import keys
from executors import verification
from executors.enums import EventType, ReadingResult
from executors.enums import ExecutionStatus as S
from executors.errors import HeldError, RefusedError
from executors.models import Attempt, Execution, Intent, Reading
from executors.services.sending import is_covered
from executors.verification import Verified

_HAPPENED = (S.SUCCEEDED, S.REVERSED)
#: What settles with the provider's own answer, which is kept whichever it was.
_ANSWERED = (*_HAPPENED, S.FAILED)

#: Kind and sentence of a finding.
_Told = Iterator[tuple[str, str]]


@dataclass(kw_only=True)
class _Around:
    """What belongs to an execution in other tables."""

    intent: Intent | None = None
    used_at: list[datetime] = field(default_factory=list)
    #: The provider's status as it was last read there; None when it never was.
    last_read: str | None = None


def check_executions(rows: Sequence[Execution]) -> Iterator[Finding]:
    """Check each execution against its token and its receipt.

    Raises:
        KeyFileError: the file of trusted keys cannot be read.
    """
    trusted = keys.load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)
    table = Execution._meta.db_table
    around = _around(rows)
    lost = told.lost_tokens(rows, lambda row: row.subject)
    for row in rows:
        if row.pk in lost:
            if not lost[row.pk]:
                sentence = "Its token is gone, and no erasure says so."
                yield Finding(kind="token", table=table, row=row.pk, sentence=sentence)
            continue
        try:
            verified = verification.judge(row, trusted, used_at=around[row.pk].used_at)
        except (RefusedError, HeldError) as error:
            found: _Told = iter(
                [("token", f"Its token was not good when it was used: {error.code}.")]
            )
        else:
            found = _check(row, verified, around[row.pk])
        for kind, sentence in found:
            yield Finding(kind=kind, table=table, row=row.pk, sentence=sentence)


def _around(rows: Sequence[Execution]) -> dict[str, _Around]:
    around = {row.pk: _Around() for row in rows}
    for intent in Intent.objects.filter(pk__in=around):
        around[intent.pk].intent = intent
    attempts = Attempt.objects.filter(execution__in=around).order_by("execution", "number")
    for key, at in attempts.values_list("execution", "started_at"):
        around[key].used_at.append(at)
    found = Reading.objects.filter(execution__in=around, result=ReadingResult.FOUND)
    for key, status in found.order_by("begun_at", "pk").values_list("execution", "provider_status"):
        around[key].last_read = status
    return around


def _check(execution: Execution, verified: Verified, around: _Around) -> _Told:
    different = _differences(execution, verified)
    if different:
        yield "token", f"Its columns and its token differ: {', '.join(different)}."
    yield from _check_sent(execution, verified, around)
    if execution.receipt is not None:
        yield from _check_receipt(execution, verified, around)
    elif execution.status in _HAPPENED:
        yield "receipt", "It has no receipt, although it succeeded."


def _differences(execution: Execution, verified: Verified) -> list[str]:
    """Return the columns that say something else than the token does."""
    claims = verified.claims
    said = {
        "action": claims["action"],
        "action_version": claims["action_version"],
        "agent": claims["agent"]["id"],
        "agent_key": claims["agent"]["key"],
    }
    names = [name for name, value in said.items() if getattr(execution, name) != value]
    if execution.expires_at.timestamp() != claims["exp"]:
        names.append("expires_at")
    return names


def _check_sent(execution: Execution, verified: Verified, around: _Around) -> _Told:
    """Payment, amount, reason and metadata, as they left the house."""
    if around.intent is None:
        if around.used_at or execution.status in _HAPPENED:
            yield "sent", "What was sent for it is not written down."
    elif not is_covered(around.intent, verified):
        yield "sent", "What was written down to be sent for it is not what its token authorises."
    if execution.status in _HAPPENED and not around.used_at:
        yield "sent", "It succeeded, and no attempt is written down."


def _check_receipt(execution: Execution, verified: Verified, around: _Around) -> _Told:
    receipt = execution.receipt
    if not isinstance(receipt, dict) or execution.status not in _ANSWERED:
        yield "receipt", "Its receipt is none, or it has one before there was an answer."
        return
    if receipt.get("reference") != execution.provider_reference:
        yield "receipt", "Its receipt is about another object than its columns."
    if "resolved_by" in receipt:
        if not _was_resolved(execution):
            yield "receipt", "Its receipt is a person's word, and no person resolved it."
    else:
        yield from _check_answer(receipt, verified)
    said = receipt.get("provider_status", "") if around.last_read is None else around.last_read
    if execution.status in _HAPPENED and execution.provider_status != said:
        yield "receipt", "Its provider status is not what the provider was last seen to say."


def _check_answer(receipt: dict[str, Any], verified: Verified) -> _Told:
    """Compare the provider's answer with what was authorised."""
    money = verified.executor.money(verified.payload)
    answered = (receipt.get("amount"), receipt.get("currency"))
    if money is not None and answered != (money.amount_minor, money.currency):
        yield "receipt", "Its receipt is about another amount or currency than its token."
    if receipt.get("token_sha256") != verified.token_sha256:
        yield "receipt", "Its receipt names another token."


def _was_resolved(execution: Execution) -> bool:
    rows = Execution.history.filter(id=execution.pk, event=EventType.EXECUTION_RESOLVE)
    return bool(rows.filter(actor__startswith="person:").exists())
