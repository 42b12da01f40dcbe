"""Form-encoded bodies and queries with bracketed names, as Stripe's v1 API takes them.

``a[b][c]=1`` becomes ``{"a": {"b": {"c": "1"}}}``; ``expand[]=x`` and ``expand[0]=x`` become
``{"expand": {"0": "x"}}``. Values stay texts: their meaning belongs to ``parameters``.
"""

import re
from typing import TypeAlias
from urllib.parse import unquote_to_bytes

from executors.stripe.sandbox.errors import EarlyError

Form: TypeAlias = dict[str, "str | Form"]

#: Deeper or longer forms than any of Stripe's documented parameters need.
MAX_DEPTH = 6
MAX_FIELDS = 1000
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")


def decode(text: bytes) -> Form:
    """Return the nested form.

    Raises:
        EarlyError: bad percent or UTF-8 encoding, a NUL, unbalanced brackets, too deep, too many
            fields, or one name given twice (Stripe does not document which one would win).
    """
    form: Form = {}
    pairs = [pair for pair in text.split(b"&") if pair]
    if len(pairs) > MAX_FIELDS:
        raise EarlyError(f"The request has more than {MAX_FIELDS} parameters.")
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        _insert(form, _unescape(name), _unescape(value))
    return form


def _unescape(text: bytes) -> str:
    if re.search(rb"%(?![0-9A-Fa-f]{2})", text):
        raise EarlyError("Invalid request: a parameter has a malformed percent-encoding.")
    try:
        decoded = unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise EarlyError("Invalid request: a parameter is not valid UTF-8.") from error
    if "\x00" in decoded:
        raise EarlyError("Invalid request: a parameter contains a NUL character.")
    return decoded


def _insert(form: Form, name: str, value: str) -> None:
    parts = _split(name)
    node = form
    for part in parts[:-1]:
        child = node.setdefault(_index(node, part), {})
        if not isinstance(child, dict):
            raise EarlyError(f"Invalid request: conflicting parameters at {name}.", param=name)
        node = child
    last = _index(node, parts[-1])
    if last in node:
        raise EarlyError(f"Invalid request: the parameter {name} occurs twice.", param=name)
    node[last] = value


def _split(name: str) -> list[str]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise EarlyError(f"Invalid request: malformed parameter name {name!r}.")
    parts = [match[1], *_PART.findall(match[2])]
    if len(parts) > MAX_DEPTH:
        raise EarlyError(f"Invalid request: the parameter {match[1]} is nested too deeply.")
    return parts


def _index(node: Form, part: str) -> str:
    """An empty bracket appends: it takes the next free number."""
    return part if part else str(len(node))
