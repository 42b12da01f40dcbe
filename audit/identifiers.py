"""Opaque identifiers: unguessable, and sortable by the time they were made.

The shape is the one of ULIDs (48 bits of milliseconds, 80 random bits, Crockford's base 32),
in lower case, behind a prefix that says what kind of thing is named.
"""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26


def new_id(prefix: str) -> str:
    """Return a new identifier such as ``req_01jd8x…`` (the prefix, then 26 characters).

    The process clock is good enough here: the time part only sorts, nothing is decided by it.
    """
    number = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    letters = [_ALPHABET[(number >> shift) & 31] for shift in range(0, _LENGTH * 5, 5)]
    return f"{prefix}_{''.join(reversed(letters))}"
