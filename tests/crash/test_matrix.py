"""The matrix on the page of the executors: every point of it, every place in the source, a test."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "executors" / "README.md").read_text()
SECTION = PAGE.split("## Whatever dies")[1].split("\n## ")[0]
FLOORS = ("config", "approvals", "executors", "audit")

POINTS = [f"{row}{n}" for row, most in (("S", 3), ("D", 6), ("Q", 5)) for n in range(1, most + 1)]
POINTS += [f"E{number}" for number in range(1, 19)]
POINTS += [f"R{number}" for number in range(1, 7)]


def calls(function: str) -> Iterator[tuple[Path, ast.Call]]:
    """Every call of ``failpoints.<function>`` in what runs in an installation."""
    for path in sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"failpoints.{function}":
                yield path.relative_to(ROOT), node


def named_tests() -> list[tuple[str, str]]:
    return re.findall(r"`(\w+/test_\w+\.py)::(test_\w+)`", SECTION)


def test_every_point_has_its_row() -> None:
    listed = re.findall(r"^\| (\w\d+) \|.*`\w+/test_\w+\.py::test_\w+` \|$", SECTION, re.MULTILINE)

    assert listed == POINTS


def test_every_test_that_the_matrix_names_exists() -> None:
    missing = [
        (file, name)
        for file, name in named_tests()
        if not (ROOT / "tests" / file).exists()
        or f"def {name}(" not in (ROOT / "tests" / file).read_text()
    ]

    assert len(named_tests()) > len(POINTS)
    assert missing == []


def test_every_place_in_the_source_is_armed_by_a_test() -> None:
    places = {ast.literal_eval(call.args[0]) for _, call in calls("reached")}
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))

    assert len(places) > 12
    assert {place for place in places if f'"{place}"' not in tests} == set()


def test_nothing_but_a_test_arms_a_place() -> None:
    assert list(calls("arm")) == []
