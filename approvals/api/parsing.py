"""The strict JSON reader: one body, one meaning.

Two parsers that read two amounts out of the same bytes are how money goes astray. So everything
on which parsers differ is refused here: duplicate keys, floats, integers beyond 2^53 - 1, ``NaN``,
NUL, lone surrogates, byte order marks, and depths at which a parser gives up.
"""

import json
import re
from typing import Any, NoReturn

from django.http import HttpRequest
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser

from approvals.api import text
from approvals.errors import InvalidInputError

MEDIA_TYPE = "application/json"
#: A refund takes 300 bytes; this leaves room for a long context and none for a flood.
MOST_BYTES = 64 * 1024
#: The body itself is level 1. Python's own parser gives up near 1,000.
DEEPEST = 12
LARGEST_INTEGER = 2**53 - 1

_CONTENT_TYPE = re.compile(r"\s*application/json\s*(;\s*charset\s*=\s*\"?utf-8\"?\s*)?", re.I)
#: A string, or what is left of the text when it does not end: so never a second look, and no
#: body for which the depth check takes longer than its length.
_STRING = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_NOT_BRACKETS = re.compile(r"[^\[\]{}]+")
#: Sixteen digits and a sign; longer text cannot be a safe integer and is never converted.
_LONGEST_INTEGER = 17


class _Unfit:
    """Stands in the parsed document for something refused, until its place is known."""

    def __init__(self, code: str, message: str, key: str | None = None) -> None:
        self.code = code
        self.message = message
        self.key = key

    def refuse(self, pointer: str) -> NoReturn:
        place = pointer if self.key is None else pointer + text.pointer_part(self.key)
        raise InvalidInputError(self.message, code=self.code, field=place)


class StrictJSONParser(BaseParser):
    """The only parser of the API, for whatever reads ``request.data``."""

    media_type = MEDIA_TYPE

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, Any]:
        """Return the object in the stream.

        Raises:
            InvalidInputError: naming the place and the code of what is wrong.
        """
        return parse_object(stream.read(MOST_BYTES + 1))


def read_body(request: HttpRequest) -> bytes:
    """Return the raw body, after checking its size in bytes and, when there is one, its type.

    Raises:
        UnsupportedMediaType: the body is not declared as JSON in UTF-8.
        InvalidInputError: it is too large.
    """
    data = _bounded(request)
    declared = str(request.META.get("CONTENT_TYPE", ""))
    if data and not _CONTENT_TYPE.fullmatch(declared):
        raise UnsupportedMediaType(declared)
    return data


def read_no_body(request: HttpRequest) -> None:
    """Refuse a body where none is expected; an empty JSON object counts as none.

    Raises:
        UnsupportedMediaType: there is a body, not declared as JSON.
        InvalidInputError: there is one that says something.
    """
    data = read_body(request)
    for key in parse_object(data) if data else ():
        raise InvalidInputError(
            "This call takes no fields.", code="unknown_field", field=text.pointer_part(key)
        )


def parse_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object that these bytes are.

    Raises:
        InvalidInputError: naming the place and the code of what is wrong.
    """
    document = _load(_decode(data))
    if isinstance(document, _Unfit) and document.code == "duplicate_key":
        document.refuse("")
    if not isinstance(document, dict):
        raise InvalidInputError("The body must be a JSON object.", code="not_an_object")
    _check(document, "")
    return document


def _bounded(request: HttpRequest) -> bytes:
    declared = str(request.META.get("CONTENT_LENGTH") or "0")
    if declared.isdecimal() and int(declared[:20]) > MOST_BYTES:
        _refuse_size()
    data: bytes = request.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        _refuse_size()
    return data


def _refuse_size() -> NoReturn:
    raise InvalidInputError(f"The body is larger than {MOST_BYTES:,} bytes.", code="body_too_large")


def _decode(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        _refuse_size()
    if not data.strip():
        raise InvalidInputError(
            "The body is empty; send a JSON object and its Content-Length.", code="empty_body"
        )
    try:
        decoded = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"The body is not UTF-8 (byte {error.start}).", code="invalid_encoding"
        ) from None
    if decoded.startswith("\ufeff"):
        raise InvalidInputError(
            "The body starts with a byte order mark; leave it out.", code="invalid_encoding"
        )
    return decoded


def _load(decoded: str) -> Any:
    _check_depth(decoded)
    try:
        return json.loads(
            decoded,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_float,
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InvalidInputError(
            f"The body is not JSON: {error.msg} at {place}.", code="invalid_json"
        ) from None


def _check_depth(decoded: str) -> None:
    """Count brackets outside strings before any recursive parser sees the text."""
    depth = 0
    for bracket in _NOT_BRACKETS.sub("", _STRING.sub("", decoded)):
        if bracket in "[{":
            depth += 1
            if depth > DEEPEST:
                raise InvalidInputError(
                    f"The body is nested more than {DEEPEST} levels deep.", code="too_deep"
                )
        else:
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            break
        seen.add(key)
    return _Unfit("duplicate_key", "This key occurs twice in one object.", key)


def _integer(digits: str) -> Any:
    if len(digits) <= _LONGEST_INTEGER and abs(int(digits)) <= LARGEST_INTEGER:
        return int(digits)
    return _Unfit("integer_out_of_range", "Integers lie within plus or minus 2^53 - 1.")


def _float(_: str) -> Any:
    return _Unfit("float_not_allowed", "Numbers are plain integers: no fraction, no exponent.")


def _check(value: Any, pointer: str) -> None:
    """Refuse the first unfit value, in the order of the document."""
    if isinstance(value, str):
        if not text.is_storable(value):
            _refuse_characters(pointer)
    elif isinstance(value, dict):
        for key, item in value.items():
            place = pointer + text.pointer_part(key)
            if not text.is_storable(key):
                _refuse_characters(place)
            _check(item, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, f"{pointer}/{index}")
    elif isinstance(value, _Unfit):
        value.refuse(pointer)


def _refuse_characters(pointer: str) -> NoReturn:
    raise InvalidInputError(
        "Text must not contain NUL or half of a surrogate pair.",
        code="invalid_character",
        field=pointer,
    )
