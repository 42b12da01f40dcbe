"""Forms of text that the front door accepts.

Whatever names something (ids, labels, keys) is plain ASCII, so that no two names look alike and
nothing in them is invisible. Free text is stored as it came; pages make it visible.
"""

import re

#: What no store and no second parser agrees on: NUL, and halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LONGEST_QUOTE = 80

LABEL = r"^[A-Za-z0-9._-]+$"
ACTION_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
METADATA_KEY = r"^[A-Za-z0-9_-]{1,40}$"
VISIBLE_ASCII = r"^[!-~]+$"
REQUEST_ID = r"^req_[0-9a-hjkmnp-tv-z]{26}$"


def matches(pattern: str, text: str) -> bool:
    """Tell whether the whole text has a form; unlike with ``$``, a final line break counts."""
    return re.fullmatch(pattern, text) is not None


def is_storable(text: str) -> bool:
    """Tell whether the text is free of NUL and lone surrogates."""
    return _UNSTORABLE.search(text) is None


def quote(text: str) -> str:
    """Return the text as an error message may repeat it: bounded, and always encodable."""
    cut = text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"
    return cut.encode("utf-8", "backslashreplace").decode()


def pointer_part(key: str) -> str:
    """Return a key as one part of a JSON Pointer (RFC 6901), fit for an error message."""
    escaped = key.replace("~", "~0").replace("/", "~1")
    return f"/{quote(escaped)}"
