"""Each guard of a decision token by itself: what it refuses, though everything else is good."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from audit.canonical import canonical_bytes
from audit.errors import KeyFileError, SignatureError
from audit.signing import keys, rotation, tokens

NOW = datetime(2026, 1, 1, tzinfo=UTC)
A_SECOND = timedelta(seconds=1)
IAT = int(NOW.timestamp())


class Keys:
    """A private key, the trusted keys, and tokens signed with any header over any payload."""

    def __init__(self, directory: Path) -> None:
        self.private, self.trusted = directory / "signing.pem", directory / "trusted.json"
        self.kid = self.rotate(NOW - timedelta(days=1))

    def rotate(self, at: datetime, use: str = keys.DECISION) -> str:
        return rotation.rotate(private_path=self.private, trusted_path=self.trusted, use=use, at=at)

    def entries(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = json.loads(self.trusted.read_bytes())["keys"]
        return entries

    def token(self, payload: bytes | None = None, **header: Any) -> str:
        pinned = {"alg": "EdDSA", "kid": self.kid, "typ": tokens.TYPE} | header
        parts = json.dumps(pinned).encode(), payload or canonical_bytes({"iat": IAT})
        return self.signed(".".join(b64(part) for part in parts))

    def signed(self, body: str) -> str:
        private: Any = load_pem_private_key(self.private.read_bytes(), None)
        return f"{body}.{b64(private.sign(body.encode()))}"

    def verify(self, token: str) -> dict[str, Any]:
        return tokens.verify(token, keys.load_trusted_keys(self.trusted), use=keys.DECISION)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.fixture
def ours(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


def test_a_token_of_256_kib_is_read_and_a_longer_one_is_not(ours: Keys) -> None:
    def padded(length: int) -> str:
        return ours.token(canonical_bytes({"iat": IAT, "x": "x" * length}))

    # Three bytes are four characters, so the limit itself can be met exactly.
    length = next(n for n in range(196_200, 196_608) if len(padded(n)) >= 256 * 1024)
    assert len(padded(length)) == 256 * 1024
    assert ours.verify(padded(length))["iat"] == IAT
    with pytest.raises(SignatureError, match="too long"):
        ours.verify(padded(length + 1))


@pytest.mark.parametrize("end", ["=", "==", "\n", " ", "!", "é"])
def test_another_text_for_the_same_bytes_is_refused_before_the_library_reads_it(
    ours: Keys, end: str
) -> None:
    with pytest.raises(SignatureError, match="canonical base64url"):
        ours.verify(ours.token() + end)


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "HS256"}, {"kid": 7}, {"kid": None}])
def test_another_algorithm_or_key_id_is_refused_before_a_key_is_looked_for(
    ours: Keys, header: dict[str, Any]
) -> None:
    with pytest.raises(SignatureError, match="not Ed25519"):
        ours.verify(ours.token(**header))


@pytest.mark.parametrize("header", [b'"alg"', b'["alg"]', b"7", b"null", b"[" * 300, b"\xff"])
def test_a_header_that_is_no_object_is_refused(ours: Keys, header: bytes) -> None:
    with pytest.raises(SignatureError):
        ours.verify(ours.signed(f"{b64(header)}.{b64(b'{}')}"))


@pytest.mark.parametrize("iat", [-1, True, "1", None, 253_402_300_800, 2**40, 2**53 - 1])
def test_a_time_that_is_no_time_is_refused(ours: Keys, iat: Any) -> None:
    with pytest.raises(SignatureError, match="not those of a decision"):
        ours.verify(ours.token(canonical_bytes({"iat": iat})))


def test_the_first_and_the_last_second_are_times(ours: Keys) -> None:
    last = {"iat": 253_402_300_799}

    assert ours.verify(ours.token(canonical_bytes(last))) == last
    with pytest.raises(SignatureError, match="was not valid when"):
        ours.verify(ours.token(canonical_bytes({"iat": 0})))


def test_claims_without_a_canonical_form_are_refused(ours: Keys) -> None:
    with pytest.raises(SignatureError, match="no canonical form"):
        ours.verify(ours.token(b'{"a":1.5,"iat":%d}' % IAT))


def test_claims_of_bottomless_depth_are_refused(ours: Keys) -> None:
    with pytest.raises(SignatureError, match="not JSON"):
        ours.verify(ours.token(b"[" * 40_000))


@pytest.mark.parametrize("token", ["", "no token", "\ud800.b.c", "é.b.c", "a.b.c.d", "W10.W10.W10"])
def test_what_is_no_token_cannot_be_shown_either(token: str) -> None:
    with pytest.raises(SignatureError):
        tokens.unverified_claims(token)


def test_a_keys_window_has_its_first_moment_and_not_its_last(ours: Keys) -> None:
    ours.rotate(NOW)
    old = keys.load_trusted_keys(ours.trusted)[ours.kid]
    assert old.not_after is not None

    assert old.covers(old.not_before)
    assert not old.covers(old.not_before - A_SECOND)
    assert old.covers(old.not_after - A_SECOND)
    assert not old.covers(old.not_after)


def test_a_rotation_closes_the_present_key_of_its_use_alone_and_only_once(ours: Keys) -> None:
    ours.rotate(NOW, keys.LOG)
    ours.rotate(NOW + timedelta(days=1))
    ours.rotate(NOW + timedelta(days=2))

    closed = [entry["not_after"] for entry in ours.entries()]
    overlap = timedelta(minutes=5)
    assert closed == [
        (NOW + timedelta(days=1) + overlap).isoformat(),
        None,
        (NOW + timedelta(days=2) + overlap).isoformat(),
        None,
    ]


def test_a_new_key_is_valid_a_minute_before_it_is_made(ours: Keys) -> None:
    (entry,) = ours.entries()

    made = NOW - timedelta(days=1)
    assert entry["not_before"] == (made - timedelta(minutes=1)).isoformat()
    assert (entry["use"], entry["revoked_at"], set(entry)) == (
        keys.DECISION,
        None,
        {"kid", "use", "x", "not_before", "not_after", "revoked_at"},
    )


def test_a_broken_file_of_trusted_keys_is_not_written_over(ours: Keys) -> None:
    entries = ours.entries()
    entries[0]["kid"] = "another"
    broken = json.dumps({"keys": entries})
    ours.trusted.write_text(broken)
    private = ours.private.read_bytes()

    with pytest.raises(KeyFileError):
        ours.rotate(NOW)

    assert ours.trusted.read_text() == broken
    assert ours.private.read_bytes() == private


def test_a_replaced_file_is_read_again_and_an_unchanged_one_is_not(ours: Keys) -> None:
    first = keys.load_trusted_keys(ours.trusted)
    assert keys.load_trusted_keys(ours.trusted) is first

    ours.rotate(NOW)

    assert len(keys.load_trusted_keys(ours.trusted)) == 2


def test_a_public_key_that_is_none_is_named_with_its_file(ours: Keys) -> None:
    ours.trusted.write_text(json.dumps({"keys": [ours.entries()[0] | {"x": "!"}]}))

    with pytest.raises(KeyFileError, match=r"trusted\.json"):
        keys.load_trusted_keys(ours.trusted)


def test_a_private_key_behind_a_password_is_refused(tmp_path: Path, ours: Keys) -> None:
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption

    private: Any = load_pem_private_key(ours.private.read_bytes(), None)
    locked = BestAvailableEncryption(b"secret")
    path = tmp_path / "locked.pem"
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))

    with pytest.raises(KeyFileError, match="without a password"):
        keys.load_signing_key(path)


def test_a_key_of_a_sister_curve_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x448.pem"
    other = X448PrivateKey.generate()
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    with pytest.raises(KeyFileError, match="not an Ed25519 key"):
        keys.load_signing_key(path)


def test_a_new_directory_is_its_owners_alone_and_a_half_written_file_is_no_harm(
    tmp_path: Path,
) -> None:
    made = tmp_path / "new" / "keys"
    ours = Keys(made)
    (made / f".trusted.json.{os.getpid()}").write_text("x" * 10_000)

    ours.rotate(NOW)

    assert len(keys.load_trusted_keys(ours.trusted)) == 2
    assert made.stat().st_mode & 0o777 == 0o700
    assert ours.trusted.stat().st_mode & 0o777 == 0o644
