"""Leaving UNKNOWN by proof: reading the provider until it shows that it acted, or that it did not.

Nothing is ever sent here.
"""

from datetime import datetime, timedelta

from django.db import transaction

from audit import actors, clock, failpoints
from audit.actors import Actor
from audit.history import stamp
from executors import findings
from executors.enums import ExecutionStatus as S
from executors.enums import FindingKind, ReadingResult
from executors.models import Execution, Reading
from executors.services.following import follow
from executors.services.moves import lock, move
from executors.services.reading import Shown, keep, look_up
from executors.services.settling import settle_receipt

#: A request that the provider was slow to take up is over by then: its own limits are minutes.
QUIET_AFTER_LAST_ATTEMPT = timedelta(hours=1)
#: Between the two listings that prove absence. The provider's lists lag behind its writes by
#: seconds; two readings this far apart do not come from the same stale copy, and a person who
#: waits for the proof has waited for more than an hour already.
BETWEEN_LISTINGS = timedelta(minutes=10)

#: Here nothing of ours can be at the provider, or nothing that lasts.
_DENIED = (S.FAILED, S.REFUSED)


def reconcile(*, execution_id: str, worker: str) -> S | None:
    """Read the provider about an execution, and write down what that proves; repeat at will.

    An UNKNOWN becomes SUCCEEDED or FAILED when the provider shows the one object that matches in
    every respect, and FAILED when two complete listings do not have it (see ``_absence``). A
    success is followed. One that was refused or failed is compared: what is there in spite of
    that is a finding, with an alarm. Everything else is its worker's business.

    Returns:
        The status afterwards, or None when there is no such execution.
    """
    before = Execution.objects.filter(pk=execution_id).first()
    if before is None:
        return None
    if before.status == S.SUCCEEDED:
        return follow(execution_id=execution_id, worker=worker)
    if before.status != S.UNKNOWN and before.status not in _DENIED:
        return S(before.status)
    begun_at = clock.now()
    shown = look_up(before)
    failpoints.reached("reading:taken")
    return _write(before, shown, begun_at=begun_at, actor=actors.worker(worker))


def _write(before: Execution, shown: Shown, *, begun_at: datetime, actor: Actor) -> S:
    with transaction.atomic():
        execution = lock(before.pk)
        if (execution.status, execution.fence) != (before.status, before.fence):
            # A person, or another worker, has settled it meanwhile.
            return S(execution.status)
        at = clock.now()
        keep(execution, shown, begun_at=begun_at)
        if execution.status in _DENIED:
            _compare(execution, shown, at)
        elif shown.receipt is not None:
            settle_receipt(execution, shown.receipt, actor, at)
        elif (first := _absence(execution, shown, begun_at)) is not None:
            _settle_absent(execution, first, begun_at, actor=actor, at=at)
        return S(execution.status)


def _absence(execution: Execution, shown: Shown, begun_at: datetime) -> Reading | None:
    """Return the earlier listing that, with the present one, proves absence; else None.

    Both began after ``exp`` (nothing is sent any more), at least an hour after the last attempt
    ended, and some minutes apart. Once anything of ours was seen there, even in part, absence
    proves nothing: somebody is changing it.
    """
    if shown.result != ReadingResult.ABSENT or shown.expires_at is None:
        return None
    if _was_seen(execution):
        return None
    return execution.readings.filter(
        result=ReadingResult.ABSENT,
        begun_at__gte=max(shown.expires_at, quiet_from(execution)),
        begun_at__lte=begun_at - BETWEEN_LISTINGS,
    ).first()


def quiet_from(execution: Execution) -> datetime:
    """Return from when on a listing without it may count as proof that it did not happen."""
    ends = execution.attempts.values_list("ended_at", flat=True)
    quiet_after = [ended_at + QUIET_AFTER_LAST_ATTEMPT for ended_at in ends if ended_at]
    return max([execution.expires_at, *quiet_after])


def _was_seen(execution: Execution) -> bool:
    seen = (ReadingResult.FOUND, ReadingResult.MISMATCH)
    # The attempt itself may have ended in a look-up that did not match.
    return (
        execution.error_code.startswith("look_up_")
        or execution.readings.filter(result__in=seen).exists()
    )


def _settle_absent(
    execution: Execution, first: Reading, begun_at: datetime, *, actor: Actor, at: datetime
) -> None:
    message = (
        "The provider does not have it: two complete listings, begun at "
        f"{stamp(first.begun_at)} and {stamp(begun_at)}, after the decision could last be sent."
    )
    move(
        execution,
        S.FAILED,
        actor=actor,
        at=at,
        reason=message,
        error_code="absent_at_provider",
        error_message=message,
    )


def _compare(execution: Execution, shown: Shown, at: datetime) -> None:
    receipt = shown.receipt
    if receipt is None or receipt.failed:
        return
    findings.report(
        FindingKind.CONTRADICTION,
        reference=receipt.reference,
        message=f"{receipt.reference} is {receipt.provider_status}, but the execution of this "
        f"decision is {execution.status}.",
        execution=execution,
        at=at,
    )
