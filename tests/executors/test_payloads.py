"""Payloads against their action's schema."""

from typing import Any

import pytest

from executors import payloads


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": 2}, {"a": 2, "b": 2}, ["a"]),
        ({"a": 1}, {"b": 1}, ["a", "b"]),
        ({"a": None}, {}, ["a"]),
    ],
)
def test_it_tells_which_fields_changed(
    before: dict[str, Any], after: dict[str, Any], changed: list[str]
) -> None:
    assert payloads.changed_fields(before, after) == changed


def test_a_pointer_escapes_what_it_must() -> None:
    assert payloads.pointer(["metadata", "a/b~c", 0]) == "/metadata/a~1b~0c/0"
