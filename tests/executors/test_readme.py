"""The page about this floor names what the code raises."""

import ast
import re
from pathlib import Path

import pytest

from executors.enums import AttemptClass
from executors.services import settling
from tests import run
from tests.races import harness

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


RACES = FLOOR.parent / "tests" / "races"
#: The same races once more, on verbs without guards.
WITHOUT_GUARDS = RACES / "test_without_guards.py"
#: Nothing guards it but that nobody waits.
UNGUARDED = {"test_what_is_found_and_a_worker_do_not_wait_for_each_other"}
#: The pairs that must be raced, by the numbers under which they are known.
PAIRS = {1, 2, 3, 4, 6, 11, 12, 13, 14, 15, 17, 19, 20, 27}


def raced() -> list[tuple[str, set[str], set[str]]]:
    """The table of races: pair, tests, naive twins."""
    section = README.split("## Races")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d+|–) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    return [(pair, named_in(tests), named_in(twins)) for pair, tests, twins in rows]


def named_in(cell: str) -> set[str]:
    return set(re.findall(r"`(test_\w+)`", cell))


def test_every_pair_has_a_race_and_a_naive_twin() -> None:
    assert {int(pair) for pair, _, _ in raced() if pair.isdigit()} >= PAIRS
    assert all(tests and twins for _, tests, twins in raced())


def test_the_table_of_races_names_every_race_and_no_other() -> None:
    races = set(RACES.glob("test_*.py")) - {WITHOUT_GUARDS}
    trees = [ast.parse(path.read_text()) for path in races]
    functions = [node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    written = [node.name for node in functions if node.name.startswith("test_")]

    assert len(written) == len(set(written))
    assert set().union(*(tests | twins for _, tests, twins in raced())) == set(written)


def test_every_race_is_lost_once_without_the_guards() -> None:
    lost = set(re.findall(r"^    test_\w+\.(test_\w+),$", WITHOUT_GUARDS.read_text(), re.MULTILINE))

    assert f"`tests/races/{WITHOUT_GUARDS.name}`" in README
    assert lost | UNGUARDED == set().union(*(tests for _, tests, _ in raced()))


def test_the_rounds_are_the_ones_of_the_suite() -> None:
    said = " ".join(README.split("## Races")[1].split())

    assert (
        f"{harness.THREADS} threads behind a barrier, {harness.USUAL_ROUNDS} rounds on PostgreSQL"
        in said
    )
    assert f"; {run.RACES_ON_SQLITE['TEST_RACE_ROUNDS']} on SQLite" in said
    assert f"and {run.LONG_RACES['TEST_RACE_ROUNDS']} on PostgreSQL in `make test-long`" in said
