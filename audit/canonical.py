"""One byte form for every value that is signed, hashed or compared (RFC 8785).

The money profile is narrower than the RFC: integers only, within plus or minus 2^53 - 1, and no
floats, so that no two parsers can read two amounts out of the same bytes.
"""

import hashlib
from typing import Any

import rfc8785

from audit.errors import CanonicalError

JSON = dict[str, Any] | list[Any] | str | int | bool | None


def canonical_bytes(value: Any) -> bytes:
    """Return the RFC 8785 bytes of a JSON value.

    Raises:
        CanonicalError: for floats, integers beyond 2^53 - 1, lone surrogates, keys that are no
            strings, types that JSON does not have, or a depth that cannot be followed.
    """
    try:
        _refuse_floats(value)
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise CanonicalError(f"This value has no canonical form: {error}") from error


def canonical_text(value: Any) -> str:
    """Return the same as text (RFC 8785 is UTF-8 by definition)."""
    return canonical_bytes(value).decode()


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of the bytes as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def digest_of(value: Any) -> str:
    """Return the SHA-256 of the canonical bytes of a JSON value, in hexadecimal."""
    return sha256_hex(canonical_bytes(value))


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise CanonicalError("Floating-point numbers are not allowed; use integers.")
    if isinstance(value, dict):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)
