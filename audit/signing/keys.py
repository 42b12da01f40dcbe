"""Ed25519 keys in files: the one that signs, and the public ones that are trusted.

The private key is a PEM file that only its own process can read. The trusted keys are a JSON file
of public keys with validity windows, never a table: a row in the database must not be able to
make a signature good. Both are read again when the file changes, so that a rotation needs no
restart.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from audit.errors import KeyFileError

Parsed = TypeVar("Parsed")

DECISION = "decision"
LOG = "log"


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """A private Ed25519 key and its id, the RFC 7638 thumbprint."""

    kid: str
    key: OKPKey


@dataclass(frozen=True, kw_only=True)
class TrustedKey:
    """A public key, what it may sign (``use``), and from when until when it may have signed."""

    kid: str
    use: str
    key: OKPKey
    not_before: datetime
    not_after: datetime | None
    revoked_at: datetime | None

    def covers(self, at: datetime) -> bool:
        """Tell whether a signature made at this instant falls into the key's window."""
        return self.not_before <= at and (self.not_after is None or at < self.not_after)

    def public_jwk(self) -> dict[str, Any]:
        """Return the public JWK (RFC 8037) as it is published and stored."""
        jwk: dict[str, Any] = dict(self.key.as_dict(private=False))
        return {"kty": "OKP", "crv": "Ed25519", "x": jwk["x"], "kid": self.kid, "use": "sig"}


def load_signing_key(path: Path) -> SigningKey:
    """Read a private key (PEM, PKCS#8).

    Raises:
        KeyFileError: naming the file and what to do.
    """
    return _cached(path, _parse_signing_key)


def load_trusted_keys(path: Path) -> dict[str, TrustedKey]:
    """Read the trusted keys file: a JSON object ``{"keys": [...]}``, by key id.

    Raises:
        KeyFileError: naming the file and what to do.
    """
    return _cached(path, _parse_trusted_keys)


def as_of(trusted: Mapping[str, TrustedKey], at: datetime) -> dict[str, TrustedKey]:
    """Return the trusted keys as they counted at an instant: what was revoked later was good then.

    For looking back only. Whoever is about to act asks ``load_trusted_keys``.
    """
    return {
        kid: replace(key, revoked_at=None) if key.revoked_at and at < key.revoked_at else key
        for kid, key in trusted.items()
    }


def _parse_signing_key(path: Path, data: bytes) -> SigningKey:
    try:
        private = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{path} is not a PEM private key without a password.") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"{path} is not an Ed25519 key; make one with rotate_signing_key.")
    key = OKPKey.import_key(private)
    return SigningKey(kid=key.thumbprint(), key=key)


def _parse_trusted_keys(path: Path, data: bytes) -> dict[str, TrustedKey]:
    try:
        entries = [_trusted_key(entry) for entry in json.loads(data)["keys"]]
    except (ValueError, KeyError, TypeError, JoseError) as error:
        raise KeyFileError(f"{path} is not a file of trusted keys: {error!r}") from error
    return {entry.kid: entry for entry in entries}


def _trusted_key(entry: dict[str, Any]) -> TrustedKey:
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": entry["x"]})
    if key.thumbprint() != entry["kid"]:
        raise ValueError(f"the key id {entry['kid']} is not the thumbprint of its key")
    return TrustedKey(
        kid=entry["kid"],
        use=entry["use"],
        key=key,
        not_before=datetime.fromisoformat(entry["not_before"]),
        not_after=_instant(entry.get("not_after")),
        revoked_at=_instant(entry.get("revoked_at")),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


_cache: dict[tuple[Path, Callable[..., Any]], tuple[tuple[int, ...], Any]] = {}


def _cached(path: Path, parse: Callable[[Path, bytes], Parsed]) -> Parsed:
    """Return the parsed file, read again only when it was replaced or changed."""
    try:
        status = path.stat()
        version = (status.st_ino, status.st_mtime_ns, status.st_size)
        known = _cache.get((path, parse))
        if known is None or known[0] != version:
            known = (version, parse(path, path.read_bytes()))
            _cache[(path, parse)] = known
    except OSError as error:
        raise KeyFileError(
            f"Cannot read the key file {path}: {error.strerror}. Make keys with "
            "`manage.py rotate_signing_key`, or point its setting to the right file."
        ) from error
    parsed: Parsed = known[1]
    return parsed
