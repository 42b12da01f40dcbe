"""Decision tokens: JWS compact serialisation (RFC 7515) with Ed25519 (RFC 8037).

Here is the cryptography only: header, key, signature. What the claims must say before money moves
is checked one floor up, in ``executors.verification``.
"""

import base64
import json
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning

from audit.canonical import canonical_bytes, sha256_hex
from audit.errors import CanonicalError, RevokedKeyError, SignatureError, UnknownKeyError
from audit.signing.keys import SigningKey, TrustedKey

#: The name that every JOSE library verifies today; RFC 9864 calls the same thing ``Ed25519``.
ALGORITHM = "EdDSA"
ACCEPTED_ALGORITHMS = ("EdDSA", "Ed25519")
TYPE = "countersign-decision+jwt"
_HEADER = {"alg", "kid", "typ"}
#: Longer than any decision: 4/3 (base64url) of a payload as large as the front door takes, 64 KiB,
#: or as a reviewer's change can make it (a refund's 40 metadata values of 500 characters, six bytes
#: each at most, are 120 KB), of the facts and of the reviewers. A test compares them.
MOST_CHARACTERS = 256 * 1024
#: The year 10000 in seconds since 1970: no later instant can be read as a date.
_END_OF_TIME = 253_402_300_800


class _Registry(jws.JWSRegistry):
    """The library's rules, with our limit instead of its own, which is half as long."""

    max_payload_length = MOST_CHARACTERS


_REGISTRY = _Registry(algorithms=ACCEPTED_ALGORITHMS)


def sign(claims: Mapping[str, Any], key: SigningKey, *, typ: str = TYPE) -> str:
    """Return the compact token over the RFC 8785 bytes of the claims.

    What is not a decision has a type of its own: whoever verifies pins the type, so that one is
    never taken for the other.

    Raises:
        CanonicalError: for claims without a canonical form (floats, for instance).
    """
    header = {"alg": ALGORITHM, "kid": key.kid, "typ": typ}
    with warnings.catch_warnings():
        # RFC 9864 deprecates the name, not the algorithm; verifiers in the field know only it.
        warnings.simplefilter("ignore", SecurityWarning)
        return jws.serialize_compact(
            header, canonical_bytes(dict(claims)), key.key, algorithms=[ALGORITHM]
        )


def verify(token: str, trusted: Mapping[str, TrustedKey], *, use: str) -> dict[str, Any]:
    """Return the claims of a token whose header, key and signature are good.

    The numbers are those of the verification table in the documentation; the caller does the
    rest, from step 4 on.

    Raises:
        UnknownKeyError: the key is not in the trusted keys file.
        RevokedKeyError: the key was revoked as compromised.
        SignatureError: anything else that is wrong; malformed input always ends here.
    """
    # 1. The header is pinned: exactly alg, kid and typ, so that no jku, jwk, x5u or crit.
    kid = key_id_of(token)
    # 2. The key, by its id, from the file that the operator trusts.
    key = trusted.get(kid)
    if key is None or key.use != use:
        raise UnknownKeyError(f"The signing key {kid} is not among the trusted keys.")
    if key.revoked_at is not None:
        raise RevokedKeyError(f"The signing key {kid} was revoked.")
    # 3. The signature; from here on only the bytes that it covers are used.
    claims = _claims(_verified_payload(token, key))
    if not key.covers(datetime.fromtimestamp(claims["iat"], UTC)):
        raise SignatureError(f"The signing key {kid} was not valid when this was signed.")
    return claims


def token_digest(token: str) -> str:
    """Return the SHA-256 (hex) of the compact token, as receipts and metadata quote it."""
    return sha256_hex(token.encode())


def unverified_claims(token: str) -> dict[str, Any]:
    """Return the claims without checking anything: for display only, never for a decision."""
    try:
        return _claims(
            bytes(jws.extract_compact(token.encode(), registry=_REGISTRY).payload or b"")
        )
    except (JoseError, ValueError) as error:
        raise SignatureError("This is not a decision token.") from error


def key_id_of(token: str) -> str:
    """Return the id of the key that a token names, if its header is that of a decision.

    Raises:
        SignatureError: it is not.
    """
    if len(token) > MOST_CHARACTERS:
        raise SignatureError("The token is too long.")
    if not all(_is_canonical_base64url(part) for part in token.split(".")):
        raise SignatureError("The token is not in canonical base64url.")
    try:
        header = jws.extract_compact(token.encode(), registry=_REGISTRY).headers()
    except (JoseError, ValueError, RecursionError) as error:
        raise SignatureError("The token is not a JWS in compact form.") from error
    if set(header) != _HEADER or header["typ"] != TYPE:
        raise SignatureError("The token's header is not that of a decision.")
    if header["alg"] not in ACCEPTED_ALGORITHMS or not isinstance(header["kid"], str):
        raise SignatureError("The token's algorithm is not Ed25519.")
    return header["kid"]


def _is_canonical_base64url(part: str) -> bool:
    """Tell whether no other text decodes to the same bytes (unused bits, padding, line ends)."""
    try:
        data = base64.urlsafe_b64decode(part.encode("ascii") + b"=" * (-len(part) % 4))
    except ValueError:
        return False
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode() == part


def _verified_payload(token: str, key: TrustedKey) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            verified = jws.deserialize_compact(token, key.key, registry=_REGISTRY)
    except (JoseError, ValueError, TypeError) as error:
        raise SignatureError("The token's signature does not verify.") from error
    return bytes(verified.payload or b"")


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise SignatureError("The token's claims are not JSON.") from error
    if not isinstance(claims, dict) or not _is_time(claims.get("iat")):
        raise SignatureError("The token's claims are not those of a decision.")
    try:
        canonical = canonical_bytes(claims)
    except CanonicalError as error:
        raise SignatureError("The token's claims have no canonical form.") from error
    if canonical != payload:
        raise SignatureError("The token's claims are not in canonical form.")
    return claims


def _is_time(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _END_OF_TIME
