"""What the provider shows and our record does not explain: kept as a row, and told once."""

from datetime import datetime

from executors.alarms import raise_alarm
from executors.enums import FindingKind
from executors.models import Execution, Finding


def report(
    kind: FindingKind,
    *,
    reference: str,
    message: str,
    execution: Execution | None,
    at: datetime,
) -> Finding:
    """Keep a finding, and raise its alarm the first time that it is seen.

    ``reference`` is the provider's id of what was found.
    """
    finding, is_new = Finding.objects.get_or_create(
        kind=kind,
        provider_reference=reference,
        defaults={"execution": execution, "message": message, "found_at": at},
    )
    if is_new:
        subject = execution.pk if execution is not None else reference
        raise_alarm(kind.lower(), message, subject=subject)
    return finding
