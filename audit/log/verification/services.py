"""A verification whose result is kept: for the people who look at the admin, day by day."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from audit import clock
from audit.alarms import raise_alarm
from audit.log.verification import run
from audit.log.verification.findings import Finding, Tally
from audit.models import VerificationRun
from audit.visible import plain

#: How often the whole record is verified.
EVERY = timedelta(days=1)
#: After that one that has not ended is taken for dead, and another begins.
LONGEST = timedelta(hours=6)
#: How many findings are kept in words; the number and the digest are of all of them.
MOST_LINES = 50


def verify_if_due() -> bool:
    """Verify the record and keep the result, once a day; tell whether it was due.

    Raises:
        Exception: whatever kept it from its end; the result says so too.
    """
    if not _is_due(clock.now()):
        return False
    for _ in verify_and_keep(Tally()):
        pass
    return True


def verify_and_keep(tally: Tally, *, since: str | None = None) -> Iterator[Finding]:
    """Verify the record now, as ``run.verify`` does, and keep the result.

    Findings are an alarm, and so is a verification that did not come to its end.
    """
    begun = VerificationRun.objects.create(started_at=clock.now())
    kept = _Kept()
    try:
        for finding in run.verify(tally, since=since):
            kept.add(finding)
            yield finding
    except Exception as error:
        _end(begun, tally, kept, problem=f"{type(error).__name__}: {error}")
        raise
    _end(begun, tally, kept)


def last_run() -> VerificationRun | None:
    """Return the newest verification that has ended; None when there was none."""
    return VerificationRun.objects.filter(ended_at__isnull=False).order_by("-started_at").first()


def _is_due(at: datetime) -> bool:
    newest = VerificationRun.objects.order_by("-started_at").first()
    if newest is None:
        return True
    return newest.started_at <= at - (LONGEST if newest.ended_at is None else EVERY)


class _Kept:
    """What is kept of findings."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._digest = hashlib.sha256()

    def add(self, finding: Finding) -> None:
        self._digest.update(f"{finding.text}\n".encode())
        if len(self.lines) < MOST_LINES:
            self.lines.append(plain(finding.text))

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def _end(begun: VerificationRun, tally: Tally, kept: _Kept, *, problem: str = "") -> None:
    VerificationRun.objects.filter(pk=begun.pk).update(
        ended_at=clock.now(),
        problem=problem,
        findings=tally.findings,
        lines="\n".join(kept.lines),
        findings_sha256=kept.sha256,
        size=tally.size,
        leaves=tally.leaves,
        counts=tally.counts,
    )
    if problem:
        message = f"The record was not verified, or not to the end: {problem}"
        raise_alarm("record_not_verified", message, subject="record")
    if tally.findings:
        message = f"The record has {tally.findings} findings, the first of which is: "
        raise_alarm("record_findings", message + kept.lines[0], subject="record")
