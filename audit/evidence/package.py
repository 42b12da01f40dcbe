"""The evidence file: a zip whose every byte is determined by what it holds.

Members are stored, sorted, and dated 1980; the manifest has the SHA-256 of every other member and
is signed. It is signed with the key of decisions, under a type of its own, because the web process
makes the file: that process must not have the key of the log, and whoever has the key of decisions
could sign a false decision anyway, so that a third key would protect nothing more.
"""

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from audit import clock
from audit.canonical import canonical_bytes, sha256_hex
from audit.errors import EvidenceError, KeyFileError, NoSuchSubjectError
from audit.evidence import document, sections
from audit.evidence.sealed import SealedRecord, SealedRow, collect
from audit.history import stamp
from audit.signing import tokens
from audit.signing.keys import (
    DECISION,
    SigningKey,
    TrustedKey,
    load_signing_key,
    load_trusted_keys,
)

TYPE = "countersign-evidence+jwt"
MANIFEST = "manifest.jws"
TOKEN = "decision.jwt"  # noqa: S105 - the name of a member
VERIFIER = Path(__file__).resolve().parent.parent / "verifier.py"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MODE = 0o644 << 16


def make(subject: str) -> bytes:
    """Return the evidence file about a subject.

    Raises:
        NoSuchSubjectError: the record tells nothing about it.
        EvidenceError: something about it cannot be proven now; the text says what.
        KeyFileError: a key file cannot be read, or the key of decisions may not sign now.
    """
    record = collect(subject)
    signer = _signer()
    told = sections.tell_all(record)
    if not any(one.sections for one in told):
        raise NoSuchSubjectError(f"{subject} is no request; evidence is about requests.")
    token = next((one.token for one in told if one.token), "")
    content = document.build(record, told)
    members = {
        "checkpoint": record.head.note.encode(),
        "evidence.json": canonical_bytes(content),
        "index.html": render_to_string("audit/evidence.html", content).encode(),
        "keys.json": canonical_bytes(_keys(record, signer, token)),
        "rows.json": canonical_bytes([_row(row) for row in record.rows]),
        "verifier.py": VERIFIER.read_bytes(),
    }
    if token:
        members[TOKEN] = token.encode()
    members[MANIFEST] = _manifest(record, members, signer).encode()
    return _zip(members)


def _row(row: SealedRow) -> dict[str, Any]:
    return {
        "bytes": row.text,
        "salt": row.salt,
        "leaf": row.leaf,
        "proof": [one.hex() for one in row.proof],
    }


def _manifest(record: SealedRecord, members: Mapping[str, bytes], signer: SigningKey) -> str:
    claims = {
        "iss": record.head.origin,
        "sub": record.subject,
        "ver": document.VERSION,
        "members": {name: sha256_hex(data) for name, data in members.items()},
    }
    return tokens.sign(claims, signer, typ=TYPE)


def _signer() -> SigningKey:
    """Return the key of decisions, if its signature would be believed.

    Raises:
        KeyFileError: it cannot be read, or is not trusted now.
    """
    key = load_signing_key(settings.COUNTERSIGN_SIGNING_KEY_FILE)
    trusted = load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE).get(key.kid)
    is_good = trusted is not None and trusted.use == DECISION and trusted.revoked_at is None
    if trusted is None or not is_good or not trusted.covers(clock.now()):
        raise KeyFileError(
            f"{settings.COUNTERSIGN_SIGNING_KEY_FILE} holds a key that "
            f"{settings.COUNTERSIGN_TRUSTED_KEYS_FILE} does not trust now. Make a new one with "
            "`manage.py rotate_signing_key`."
        )
    return key


def _keys(record: SealedRecord, signer: SigningKey, token: str) -> dict[str, Any]:
    """Return the public keys that signed anything in the file, as a JWKS that says which use."""
    wanted = {record.head.kid, signer.kid}
    if token:
        wanted.add(tokens.key_id_of(token))
    trusted = load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)
    unknown = wanted - set(trusted)
    if unknown:
        raise EvidenceError(
            f"The key {', '.join(sorted(unknown))} is no longer in the file of trusted keys; put "
            "it back: what it signed is proven by it for ever."
        )
    return {"keys": [_key(trusted[kid]) for kid in sorted(wanted)]}


def _key(key: TrustedKey) -> dict[str, Any]:
    return key.public_jwk() | {
        "signs": key.use,
        "not_before": stamp(key.not_before),
        "not_after": None if key.not_after is None else stamp(key.not_after),
        "revoked_at": None if key.revoked_at is None else stamp(key.revoked_at),
    }


def _zip(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression=zipfile.ZIP_STORED) as archive:
        for name, data in _sorted(members):
            member = zipfile.ZipInfo(name, date_time=_EPOCH)
            member.create_system, member.external_attr = _UNIX, _MODE
            archive.writestr(member, data)
    return file.getvalue()


def _sorted(members: Mapping[str, bytes]) -> Iterable[tuple[str, bytes]]:
    return sorted(members.items())
