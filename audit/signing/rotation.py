"""Makes, rotates and revokes signing keys.

Order matters: the new public key is trusted before the new private key signs, so that no decision
is ever signed by a key that a worker does not know; and the old key's window stays open for a
moment, so that a decision that is being signed during the rotation stays good. Old public keys
stay in the file for ever: old tokens go on verifying.
"""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import OKPKey

from audit.errors import KeyFileError
from audit.signing.keys import load_trusted_keys

#: A key is valid a little before it is made: the clocks of the machines differ by seconds.
_EARLIER = timedelta(minutes=1)
#: How long the old key may still sign: longer than any transaction.
_OVERLAP = timedelta(minutes=5)


def rotate(*, private_path: Path, trusted_path: Path, use: str, at: datetime) -> str:
    """Make a new key, trust it from ``at`` on, let it sign; return its id (RFC 7638).

    Raises:
        KeyFileError: the trusted keys file exists and cannot be read or written.
    """
    private = Ed25519PrivateKey.generate()
    key = OKPKey.import_key(private)
    entries = [_closed(entry, use, at) for entry in _entries(trusted_path)]
    entries.append(_entry(key, use, at))
    _write(trusted_path, json.dumps({"keys": entries}, indent=2).encode() + b"\n", mode=0o644)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(private_path, pem, mode=0o600)
    return str(key.thumbprint())


def revoke(*, trusted_path: Path, kid: str, as_of: datetime) -> str:
    """Mark a key as compromised as of an instant; return what it signs (``use``).

    Nothing that it signs is acted upon from now on, whatever time is in it. The instant may be
    moved to an earlier one later, never to a later one.

    Raises:
        KeyFileError: the file cannot be read or written, or has no such key, or says already that
            it was compromised by then.
    """
    entries = _entries(trusted_path)
    found = [entry for entry in entries if entry["kid"] == kid]
    if not found:
        raise KeyFileError(f"{trusted_path} has no key {kid}. It names those that it has.")
    known = found[0].get("revoked_at")
    if known is not None and datetime.fromisoformat(known) <= as_of:
        raise KeyFileError(f"The key {kid} is revoked as of {known} already.")
    revoked = [
        {**entry, "revoked_at": as_of.isoformat()} if entry["kid"] == kid else entry
        for entry in entries
    ]
    _write(trusted_path, json.dumps({"keys": revoked}, indent=2).encode() + b"\n", mode=0o644)
    return str(found[0]["use"])


def _entry(key: OKPKey, use: str, at: datetime) -> dict[str, Any]:
    return {
        "kid": key.thumbprint(),
        "use": use,
        "x": key.as_dict(private=False)["x"],
        "not_before": (at - _EARLIER).isoformat(),
        "not_after": None,
        "revoked_at": None,
    }


def _closed(entry: dict[str, Any], use: str, at: datetime) -> dict[str, Any]:
    """Return the entry with its window closed, if it is the key that is being replaced."""
    if entry["use"] != use or entry.get("not_after") is not None:
        return entry
    return {**entry, "not_after": (at + _OVERLAP).isoformat()}


def _entries(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    load_trusted_keys(path)
    entries: list[dict[str, Any]] = json.loads(path.read_bytes())["keys"]
    return entries


def _write(path: Path, data: bytes, *, mode: int) -> None:
    """Replace the file in one step: a reader sees the old content or the new one, never half."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        raise KeyFileError(f"Cannot write the key file {path}: {error.strerror}.") from error
