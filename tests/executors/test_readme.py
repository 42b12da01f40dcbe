"""The page about this floor names what the code raises."""

import re
from pathlib import Path

import pytest

from executors.enums import AttemptClass
from executors.services import settling

FLOOR = Path(__file__).resolve().parents[2] / "executors"
README = (FLOOR / "README.md").read_text()
SOURCE = (FLOOR / "verification.py").read_text()


def codes_of_verification() -> set[str]:
    required = re.findall(r'_require\([^,]+, "(\w+)"', SOURCE)
    return {*required, *re.findall(r'code="(\w+)"', SOURCE)}


def test_every_code_of_the_verification_is_in_its_table() -> None:
    codes = codes_of_verification()

    assert len(codes) > 12
    assert {code for code in codes if f"`{code}`" not in README} == set()


@pytest.mark.parametrize("attempt_class", AttemptClass)
def test_every_class_is_in_the_error_table(attempt_class: AttemptClass) -> None:
    assert f"| {attempt_class.value} |" in README


@pytest.mark.parametrize("path", sorted(FLOOR.rglob("*.py")), ids=lambda path: path.stem)
def test_every_alarm_is_listed(path: Path) -> None:
    raised = re.findall(r'raise_alarm\(\s*"(\w+)"', path.read_text())

    assert {code for code in raised if f"`{code}`" not in README} == set()


def test_the_limits_are_the_ones_of_the_code() -> None:
    assert f"After {settling.MOST_ATTEMPTS} tries, or {settling.MOST_SERVER_ERRORS} answers" in (
        README
    )
