"""What the provider shows and our record does not explain: kept as a row, and told."""

from datetime import datetime

from django.db import IntegrityError, transaction

from audit import actors, history
from audit.alarms import raise_alarm
from audit.history import Fact
from executors.enums import EventType, FindingKind
from executors.models import Execution, Finding

_COMPARISON = actors.system("comparison")


def report(
    kind: FindingKind,
    *,
    reference: str,
    message: str,
    execution: Execution | None,
    at: datetime,
) -> Finding:
    """Keep a finding with its history, and raise its alarm the first time that it is seen.

    One that is known stays as it is: open, or dealt with. ``reference`` is the provider's id of
    what was found.
    """
    known = _known(kind, reference)
    if known is not None:
        return known
    finding = Finding(
        kind=kind, provider_reference=reference, execution=execution, message=message, found_at=at
    )
    try:
        _keep(finding)
    except IntegrityError:
        # Another reading of the provider was faster, and has told it.
        known = _known(kind, reference)
        if known is None:
            raise
        return known
    return finding


def _known(kind: FindingKind, reference: str) -> Finding | None:
    return Finding.objects.filter(kind=kind, provider_reference=reference).first()


def _keep(finding: Finding) -> None:
    fact = Fact(
        actor=_COMPARISON,
        event=EventType.FINDING_REPORT,
        at=finding.found_at,
        reason=finding.message,
    )
    with transaction.atomic():
        # First the execution, then the count of its facts: the order in which its worker locks.
        Execution.objects.select_for_update().filter(pk=finding.execution_id).first()
        history.record(finding, fact)
        # Before the commit: whoever dies in between tells it again, which is harmless. After it,
        # the row would be known and nobody would ever tell.
        subject = finding.execution_id or finding.provider_reference
        raise_alarm(finding.kind.lower(), finding.message, subject=subject)
