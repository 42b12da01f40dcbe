"""Canonical bytes: one form for every value."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.canonical import canonical_bytes, canonical_text, digest_of
from audit.errors import CanonicalError

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=10,
)


def test_keys_are_sorted_by_utf16_code_units_as_the_rfc_says():
    # RFC 8785, section 3.2.3: the example of its appendix, shortened.
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}

    assert list(json.loads(canonical_text(value)).values()) == [2, 4, 6, 7, 1, 5, 3]


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        "\ud800",
        {"\ud800": 1},
        {1: 2},
        {"a": {"b": [0.5]}},
        object(),
        b"x",
    ],
)
def test_what_has_no_single_form_is_refused(value):
    with pytest.raises(CanonicalError):
        canonical_bytes(value)


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}])
def test_what_is_too_deep_to_follow_is_refused(wrap):
    value = 1
    for _ in range(10_000):
        value = wrap(value)

    with pytest.raises(CanonicalError):
        canonical_bytes(value)


@pytest.mark.parametrize("value", [(0.5,), [(1, [0.5])], {"a": ({"b": 0.5},)}])
def test_a_float_is_found_in_tuples_too(value):
    with pytest.raises(CanonicalError, match="Floating-point"):
        canonical_bytes(value)


@given(VALUES)
def test_reading_and_writing_again_gives_the_same_bytes(value):
    assert canonical_bytes(json.loads(canonical_bytes(value))) == canonical_bytes(value)


def test_the_digest_does_not_depend_on_the_order_of_keys():
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
