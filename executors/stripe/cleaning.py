"""What Stripe says, made fit for the record: what no store keeps is replaced, what is long is cut.

An answer that could not be written down would be worse than a wrong one: the refund exists, and
each further try would end before its result is kept.
"""

import re
from typing import Any

#: Lengths of the columns in which these are kept, in characters.
MOST_ACCOUNT = 80
MOST_CODE = 80
MOST_ID = 255
MOST_REQUEST_ID = 120
MOST_STATUS = 60
#: Of an error's message, which is kept whole otherwise.
MOST_MESSAGE = 500

#: No database keeps NUL in text, and half of a surrogate pair has no bytes.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
#: Replacement character (U+FFFD), so that a reader sees that something was there.
_REPLACEMENT = "\ufffd"
_VISIBLE = re.compile("[!-~]+")


def clean(value: Any) -> Any:
    """Return a JSON value with U+FFFD for everything in its texts and keys that no store keeps."""
    if isinstance(value, str):
        return _UNSTORABLE.sub(_REPLACEMENT, value)
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item) for item in value]
    return value


def cut(text: str, most: int) -> str:
    """Return the text clean, and not longer than ``most`` characters."""
    cleaned: str = clean(text[:most])
    return cleaned


def code_and_message(code: str, message: str) -> tuple[str, str]:
    """Return what is kept of an error's code and of its message."""
    return cut(code, MOST_CODE), cut(message, MOST_MESSAGE)


def is_name(value: Any, most: int) -> bool:
    """Tell whether this can be an id or a code word: visible ASCII of at most this length.

    What names something is never cut: the rest of it would name something else, or nothing.
    """
    return isinstance(value, str) and len(value) <= most and bool(_VISIBLE.fullmatch(value))
