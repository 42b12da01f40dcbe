"""``audit.admin.changes``: what differs, at the deepest path, whole."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given

from audit.admin import changes
from audit.admin.changes import ABSENT, Change, differences
from tests.audit.test_visible import PAYLOADS


def paths(before: Any, after: Any) -> list[tuple[str, ...]]:
    return [change.path for change in differences(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a",)]),
        ({"a": 1}, {"a": True}, [("a",)]),
        ({"a": None}, {}, [("a",)]),
        ({}, {"a": None}, [("a",)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3, "d": 4}}, [("a", "c"), ("a", "d")]),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, [("a", "2"), ("a", "3")]),
        ({"a": [1]}, {"a": {"1": 1}}, [("a",)]),
        (1, 2, [()]),
    ],
)
def test_each_difference_is_found_at_its_path(before, after, expected):
    assert paths(before, after) == expected


@given(PAYLOADS, PAYLOADS)
def test_equal_values_do_not_differ_and_others_do(one, other):
    assert paths(one, one) == []
    if one != other:
        assert paths(one, other)


def test_what_was_not_there_is_told_from_what_was_empty():
    (added,) = differences({}, {"a": ""})
    (removed,) = differences({"a": None}, {})

    assert (added.was, added.now) == (None, "(empty)")
    assert (removed.was, removed.now) == ("(none)", None)


def test_a_long_value_is_shown_whole():
    (change,) = differences({"a": "x" * 5000}, {"a": ["y" * 5000]})

    assert change.was == "x" * 5000
    assert "y" * 5000 in str(change.now)


def test_a_path_hides_nothing():
    assert Change(path=("a\u202e",), before=ABSENT, after=1).where == (
        'a<span class="cs-esc" title="right-to-left override">U+202E</span>'
    )


def test_a_secret_is_masked():
    (change,) = differences({"password": "old"}, {"password": "new"})

    assert (change.was, change.now) == ("not shown", "not shown")


def test_an_erased_version_says_so():
    erased = SimpleNamespace(canonical=None)

    (version,) = changes.versions([erased], None, lambda row: {})

    assert version.changes[0].now == "The content of this version was erased."
