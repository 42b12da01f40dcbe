"""Counts what pytest reports, so that the last line of a run can say it."""

from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

#: The only allowed reason to skip: a test that needs a Stripe sandbox, which nobody must have.
ALLOWED_SKIP = "STRIPE_TEST_KEY"


@dataclass(frozen=True, kw_only=True)
class Totals:
    """How one run of pytest went."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    silent_skips: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped without {ALLOWED_SKIP}" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def read(report: Path) -> Totals:
    """Read a JUnit report; a run that ended before it wrote one counts as nothing passed."""
    if not report.is_file():
        return Totals()
    cases = list(ElementTree.parse(report).getroot().iter("testcase"))
    failed = [case for case in cases if _has(case, "failure") or _has(case, "error")]
    skipped = [case for case in cases if _has(case, "skipped")]
    return Totals(
        passed=len(cases) - len(failed) - len(skipped),
        failed=len(failed),
        skipped=len(skipped),
        silent_skips=[_described(case) for case in skipped if ALLOWED_SKIP not in _why(case)],
    )


def _has(case: ElementTree.Element, kind: str) -> bool:
    return case.find(kind) is not None


def _why(case: ElementTree.Element) -> str:
    skipped = case.find("skipped")
    return "" if skipped is None else f"{skipped.get('message', '')} {skipped.text or ''}"


def _described(case: ElementTree.Element) -> str:
    return f"{case.get('classname')}::{case.get('name')} ({_why(case).strip()[:120]})"
