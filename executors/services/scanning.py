"""Everything at the provider is compared with our record: what passed the gate, and what did not.

Nothing is sent here, and no execution is changed. What is found is kept with an alarm.
"""

import logging
import time
from datetime import datetime, timedelta

from django.db.models import Max, Min, QuerySet

from audit import clock
from audit.alarms import raise_alarm
from audit.erasure.fields import is_erased
from executors import bell, findings, registry, verification
from executors.base import Executor, Listed
from executors.enums import AttemptClass, FindingKind
from executors.enums import ExecutionStatus as S
from executors.errors import HeldError, ProviderError, RefusedError
from executors.models import Execution, Finding, Scan
from executors.money import DECIMALS, format_money

logger = logging.getLogger(__name__)

#: Each listing begins this long before the end of the last: lists lag, and clocks differ.
OVERLAP = timedelta(minutes=10)
#: The longest stretch of one listing: one that cannot end within its time would never be written.
LONGEST = timedelta(hours=1)
#: Seconds after which a scan that catches up after an outage leaves the rest to the next one. With
#: one more listing it still ends before the worker's time limits.
PATIENCE = 15.0

#: A listing is late when none was complete for this long: two of the periodic task's turns.
LATE = timedelta(minutes=10)

#: According to our record nothing of these can be at the provider, or nothing that lasts.
_NOTHING_THERE = (S.QUEUED, S.HELD, S.FAILED, S.REFUSED)


def scan() -> list[Finding]:
    """List what was made at the provider since the last time, and report what is not explained.

    For every action whose provider can list: OUTSIDE_THE_GATE is what no decision covers,
    DUPLICATE a second one of the same decision, CONTRADICTION one that did not happen according
    to our record. Progress is written only when a listing is complete, so that one that broke off
    between two pages begins again and misses nothing.

    Returns:
        What was found, whether it was known before or not.
    """
    found: list[Finding] = []
    for executor in registry.catalogue():
        if executor.is_listable:
            try:
                found += _scan(executor)
            except ProviderError as error:
                if error.attempt_class == AttemptClass.CONFIGURATION:
                    raise_alarm(error.code, error.message, subject=executor.name)
                logger.warning("%s was not listed to its end: %s", executor.name, error.message)
            except HeldError as error:
                logger.warning("%s was not compared: %s", executor.name, error.message)
    return found


def is_scan_late() -> bool:
    """Tell whether nobody has listed the provider for a while, as without a broker."""
    at = clock.now()
    # One that was written while the clock was ahead says nothing about now.
    return not Scan.objects.filter(finished_at__gt=at - LATE, finished_at__lte=at).exists()


def _scan(executor: Executor) -> list[Finding]:
    """List stretch after stretch until the present moment, or until the time is over."""
    account = executor.provider().account
    # Read before the clock: what another process writes meanwhile is not ahead of it.
    reach = _known(executor.name, account).aggregate(last=Max("until"))["last"]
    at = clock.now()
    if reach is not None and reach > at:
        message = (
            f"The provider was listed until {reach:%d %b %Y %H:%M:%S} UTC: the clock was ahead."
        )
        raise_alarm("clock_was_ahead", message, subject=executor.name)
    ends = time.monotonic() + PATIENCE
    found: list[Finding] = []
    while True:
        since, until = _window(executor.name, account, at)
        found += _scan_stretch(executor, account, since, until)
        if until >= at or time.monotonic() >= ends:
            return found


def _scan_stretch(
    executor: Executor, account: str, since: datetime, until: datetime
) -> list[Finding]:
    # The executions are read after the listing: whatever is listed was decided before.
    listed = list(executor.listed(since, until)) if since < until else []
    at = clock.now()
    found = _compare(executor, listed, until, at)
    Scan.objects.create(
        action=executor.name,
        account=account,
        since=since,
        until=until,
        listed=len(listed),
        finished_at=at,
    )
    return found


def _known(action: str, account: str) -> QuerySet[Scan]:
    return Scan.objects.filter(action=action, account=account)


def _window(action: str, account: str, at: datetime) -> tuple[datetime, datetime]:
    """Return what to list next. Nothing before the first scan: there was no gate to pass.

    A listing that ends in the future was written while the clock was ahead: what is made until
    then was not in it. Once that time has come, the one that was written last still counts.
    """
    past = _known(action, account).filter(until__lte=at)
    last = past.order_by("pk").last()
    if last is None:
        return at, at
    first = past.aggregate(first=Min("until"))["first"]
    since = max(first, last.until - OVERLAP)
    return since, min(at, since + LONGEST)


def _compare(
    executor: Executor, listed: list[Listed], until: datetime, at: datetime
) -> list[Finding]:
    """Judge each object; one that cannot be judged now keeps no other from its turn.

    Raises:
        HeldError: the file of trusted keys cannot be read, so that this listing is no progress.
    """
    found: list[Finding] = []
    firsts: dict[str, str] = {}
    unread: HeldError | None = None
    for item in sorted(listed, key=lambda item: (item.created_at, item.receipt.reference)):
        if item.receipt.failed:
            continue  # no money moved, or it is back; a success that failed later is followed
        execution = _execution_of(item)
        try:
            judged = _judge(executor, execution, item, firsts)
        except HeldError as error:
            logger.warning("%s could not be judged: %s", item.receipt.reference, error.message)
            unread = error if error.code == "key_file" else unread
            judged = None if unread else _undecided(item, error, until)
        if judged is not None:
            found.append(_report(item, execution, judged, at))
    if unread is not None:
        raise unread
    return found


def _undecided(item: Listed, error: HeldError, until: datetime) -> tuple[FindingKind, str] | None:
    """Leave it undecided while the next listing shows it again; then it must not be forgotten."""
    if item.created_at >= until - OVERLAP:
        return None
    return FindingKind.OUTSIDE_THE_GATE, f"Its decision cannot be verified: {error.message}"


def _report(
    item: Listed, execution: Execution | None, judged: tuple[FindingKind, str], at: datetime
) -> Finding:
    kind, why = judged
    return findings.report(
        kind,
        reference=item.receipt.reference,
        message=f"{_named(item)} {why}",
        execution=execution,
        at=at,
    )


def _execution_of(item: Listed) -> Execution | None:
    if item.decision:
        named = Execution.objects.filter(jti=item.decision).first()
        if named is not None:
            return named
    rows = Execution.objects.filter(provider_reference=item.receipt.reference)
    return rows.order_by("pk").first()


def _judge(
    executor: Executor, execution: Execution | None, item: Listed, firsts: dict[str, str]
) -> tuple[FindingKind, str] | None:
    """Return what is wrong with an object, and why; None when nothing is.

    ``firsts`` are the first objects of this listing, by decision, that a decision covers.

    Raises:
        HeldError: whether a token is a good one cannot be said now.
    """
    if execution is None:
        return FindingKind.OUTSIDE_THE_GATE, "No decision of ours is about it."
    reference = item.receipt.reference
    if execution.provider_reference not in ("", reference):
        return FindingKind.DUPLICATE, _second(execution, execution.provider_reference)
    objection = _objection(executor, execution, item)
    if objection:
        return FindingKind.OUTSIDE_THE_GATE, objection
    first = firsts.setdefault(execution.jti, reference)
    if first != reference:
        return FindingKind.DUPLICATE, _second(execution, first)
    if execution.status in _NOTHING_THERE:
        return FindingKind.CONTRADICTION, f"Its execution is {execution.status}."
    if execution.status == S.UNKNOWN:
        bell.ring_to_reconcile(execution.pk)
    return None


def _second(execution: Execution, first: str) -> str:
    return f"It names the decision {execution.jti}, which {first} has carried out."


def _objection(executor: Executor, execution: Execution, item: Listed) -> str:
    """Return why the execution's decision does not cover the object; empty when it does."""
    if is_erased(execution.token):
        return _objection_without_token(execution, item)
    try:
        verified = verification.verify_to_read(execution)
    except RefusedError as error:
        return f"The decision that it names is no good one: {error.message}"
    by_a_person = "resolved_by" in (execution.receipt or {})
    if by_a_person and execution.provider_reference == item.receipt.reference:
        return ""
    if executor.is_of(verified.claims, verified.token_sha256, item):
        return ""
    return f"It differs from what the decision {execution.jti} says."


def _objection_without_token(execution: Execution, item: Listed) -> str:
    """Compare with the receipt: what was authorised was erased once it had been settled."""
    known = execution.receipt or {}
    said = (known.get("reference"), known.get("amount"), known.get("currency"))
    shown = item.receipt
    if said == (shown.reference, shown.amount_minor, shown.currency) or (
        "resolved_by" in known and said[0] == shown.reference
    ):
        return ""
    return f"It differs from the receipt of the decision {execution.jti}, which was erased."


def _named(item: Listed) -> str:
    receipt = item.receipt
    amount = f"{receipt.amount_minor} {receipt.currency.upper()}"
    if receipt.currency in DECIMALS:
        amount = format_money(receipt.amount_minor, receipt.currency)
    made = item.created_at.strftime("%d %b %Y %H:%M:%S UTC")
    return f"{receipt.reference} ({amount}, {receipt.provider_status}, made {made})."
