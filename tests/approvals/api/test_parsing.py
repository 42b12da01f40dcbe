"""The strict reader, byte by byte, without HTTP."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.api import parsing
from approvals.errors import InvalidInputError

SAFE = st.integers(-(2**53) + 1, 2**53 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
JSON = st.recursive(
    st.none() | st.booleans() | SAFE | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)

REFUSED = [
    pytest.param(b"", "empty_body", "", id="nothing"),
    pytest.param(b" \n\t ", "empty_body", "", id="blanks"),
    pytest.param(b"{", "invalid_json", "", id="cut off"),
    pytest.param(b'{"a":1} x', "invalid_json", "", id="trailing garbage"),
    pytest.param(b'{"a":1}{"a":2}', "invalid_json", "", id="two bodies"),
    pytest.param(b"{'a':1}", "invalid_json", "", id="single quotes"),
    pytest.param(b'{"a":1,}', "invalid_json", "", id="trailing comma"),
    pytest.param(b'{"a":01}', "invalid_json", "", id="leading zero"),
    pytest.param(b'{"a":+1}', "invalid_json", "", id="plus sign"),
    pytest.param(b'{"a":0x10}', "invalid_json", "", id="hexadecimal"),
    pytest.param(b'{"a":1_000}', "invalid_json", "", id="underscore"),
    pytest.param('{"a":１００}'.encode(), "invalid_json", "", id="full-width digits"),
    pytest.param(b'{"a":"b\nc"}', "invalid_json", "", id="raw line feed in a string"),
    pytest.param(b'{"a":"\\x41"}', "invalid_json", "", id="unknown escape"),
    pytest.param(b'{"a":"\xff"}', "invalid_encoding", "", id="not UTF-8"),
    pytest.param(b'{"a":"\xed\xa0\x80"}', "invalid_encoding", "", id="surrogate as bytes"),
    pytest.param('{"a":1}'.encode("utf-16"), "invalid_encoding", "", id="UTF-16"),
    pytest.param(b'\xef\xbb\xbf{"a":1}', "invalid_encoding", "", id="byte order mark"),
    pytest.param(b"[]", "not_an_object", "", id="a list"),
    pytest.param(b'"a"', "not_an_object", "", id="a string"),
    pytest.param(b"1.5", "not_an_object", "", id="a float"),
    pytest.param(b"null", "not_an_object", "", id="null"),
    pytest.param(b'{"a":1,"a":2}', "duplicate_key", "/a", id="key twice"),
    pytest.param(b'{"a":1,"\\u0061":2}', "duplicate_key", "/a", id="key twice, once escaped"),
    pytest.param(b'{"p":[{"x":1,"x":1}]}', "duplicate_key", "/p/0/x", id="key twice, deep down"),
    pytest.param(b'{"a":1.0}', "float_not_allowed", "/a", id="whole float"),
    pytest.param(b'{"a":1e2}', "float_not_allowed", "/a", id="exponent"),
    pytest.param(b'{"a":1E400}', "float_not_allowed", "/a", id="1E400"),
    pytest.param(b'{"a":NaN}', "float_not_allowed", "/a", id="NaN"),
    pytest.param(b'{"a":[1,-Infinity]}', "float_not_allowed", "/a/1", id="infinity"),
    pytest.param(b'{"a":9007199254740992}', "integer_out_of_range", "/a", id="2^53"),
    pytest.param(b'{"a":-9007199254740992}', "integer_out_of_range", "/a", id="minus 2^53"),
    pytest.param(b'{"a":' + b"9" * 9000 + b"}", "integer_out_of_range", "/a", id="9,000 digits"),
    pytest.param(b'{"a":"x\\u0000"}', "invalid_character", "/a", id="NUL"),
    pytest.param(b'{"a":"\\ud800"}', "invalid_character", "/a", id="lone surrogate"),
    pytest.param(b'{"a":"\\udc00\\ud800"}', "invalid_character", "/a", id="pair turned round"),
    pytest.param(b'{"a":{"\\u0000":1}}', "invalid_character", "/a/\x00", id="NUL in a key"),
    pytest.param(b'{"\\ud800":1}', "invalid_character", "/\\ud800", id="surrogate in a key"),
    pytest.param(b'{"a/b~c":1.5}', "float_not_allowed", "/a~1b~0c", id="escaped pointer"),
]


@pytest.mark.parametrize(("data", "code", "field"), REFUSED)
def test_it_refuses(data: bytes, code: str, field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parsing.parse_object(data)

    assert (refused.value.code, refused.value.field) == (code, field)
    assert refused.value.message


def test_it_takes_the_largest_safe_integers() -> None:
    assert parsing.parse_object(b'{"a":9007199254740991,"b":-9007199254740991}') == {
        "a": 2**53 - 1,
        "b": 1 - 2**53,
    }


def test_it_takes_a_whole_surrogate_pair() -> None:
    assert parsing.parse_object(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}


def test_it_takes_twelve_levels_and_refuses_the_thirteenth() -> None:
    def nested(levels: int) -> bytes:
        return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)

    parsing.parse_object(nested(12))
    with pytest.raises(InvalidInputError) as refused:
        parsing.parse_object(nested(13))

    assert refused.value.code == "too_deep"


def test_brackets_in_strings_are_no_depth() -> None:
    assert parsing.parse_object(b'{"a":"' + b'[{\\"' * 50 + b'"}')


@pytest.mark.parametrize("unit", [b"[", b'{"a":', b'\\"', b'"', b"\\"])
def test_hostile_bytes_take_no_longer_than_their_length(unit: bytes) -> None:
    data = (b'{"a":"' + unit * parsing.MOST_BYTES)[: parsing.MOST_BYTES]
    started = time.process_time()

    with pytest.raises(InvalidInputError):
        parsing.parse_object(data)

    # Linear work takes about 2 ms; a second look at every quote would take seconds.
    assert time.process_time() - started < 0.5


def test_it_counts_bytes_not_characters() -> None:
    full = b'{"a":"' + b"x" * (parsing.MOST_BYTES - 8) + b'"}'

    assert parsing.parse_object(full)
    with pytest.raises(InvalidInputError) as refused:
        parsing.parse_object(full + b" ")

    assert refused.value.code == "body_too_large"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_it_reads_what_any_json_writer_wrote(document: dict[str, object]) -> None:
    assert parsing.parse_object(json.dumps(document).encode()) == document
    assert parsing.parse_object(json.dumps(document, ensure_ascii=False).encode()) == document


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=60))
def test_any_other_bytes_end_in_a_refusal(data: bytes) -> None:
    try:
        document = parsing.parse_object(data)
    except InvalidInputError as refused:
        assert refused.code
    else:
        assert isinstance(document, dict)
