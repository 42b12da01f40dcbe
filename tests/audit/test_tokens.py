"""Decision tokens: a round trip, then one test for each way to be malformed."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from audit.canonical import canonical_bytes
from audit.errors import KeyFileError, RevokedKeyError, SignatureError, UnknownKeyError
from audit.signing import keys, rotation, tokens

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLAIMS = {"iat": int(NOW.timestamp()), "jti": "dec_1", "payload": {"amount": 100}}


class Keys:
    """A directory with a private key and the trusted keys."""

    def __init__(self, directory: Path) -> None:
        self.private, self.trusted = directory / "signing.pem", directory / "trusted.json"

    def rotate(self, at: datetime = NOW, use: str = keys.DECISION) -> str:
        return rotation.rotate(private_path=self.private, trusted_path=self.trusted, use=use, at=at)

    def sign(self, claims: dict | None = None) -> str:
        return tokens.sign(claims or CLAIMS, keys.load_signing_key(self.private))

    def verify(self, token: str) -> dict:
        trusted = keys.load_trusted_keys(self.trusted)
        return tokens.verify(token, trusted, use=keys.DECISION)

    def edit(self, **changes: str) -> None:
        content = json.loads(self.trusted.read_text())
        content["keys"][-1].update(changes)
        self.trusted.write_text(json.dumps(content))


@pytest.fixture
def ours(tmp_path: Path) -> Keys:
    made = Keys(tmp_path)
    made.rotate()
    return made


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged(ours: Keys, header: dict, payload: bytes | None = None) -> str:
    """A token with this header and a signature of ours that is right for it."""
    private = load_pem_private_key(ours.private.read_bytes(), None)
    body = f"{b64(json.dumps(header).encode())}.{b64(payload or canonical_bytes(CLAIMS))}"
    return f"{body}.{b64(private.sign(body.encode()))}"


def header_of(ours: Keys, **changes: object) -> dict:
    kid = keys.load_signing_key(ours.private).kid
    return {"alg": "EdDSA", "kid": kid, "typ": tokens.TYPE} | changes


def test_what_was_signed_is_what_is_read(ours):
    assert ours.verify(ours.sign()) == CLAIMS


def test_the_header_is_exactly_three_fields(ours):
    header = ours.sign().split(".")[0]

    decoded = json.loads(base64.urlsafe_b64decode(header + "=="))
    assert decoded == header_of(ours)


def test_the_payload_is_canonical_bytes(ours):
    payload = ours.sign().split(".")[1]

    assert base64.urlsafe_b64decode(payload + "==") == canonical_bytes(CLAIMS)


def test_the_newer_name_of_the_algorithm_is_accepted(ours):
    assert ours.verify(forged(ours, header_of(ours, alg="Ed25519"))) == CLAIMS


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": ["EdDSA"]},
        {"typ": "JWT"},
        {"jku": "http://127.0.0.1/"},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}},
        {"x5u": "http://127.0.0.1/"},
        {"crit": ["exp"]},
        {"kid": 7},
    ],
)
def test_any_other_header_is_refused_though_the_signature_fits(ours, changes):
    with pytest.raises(SignatureError):
        ours.verify(forged(ours, header_of(ours, **changes)))


@pytest.mark.parametrize("missing", ["alg", "kid", "typ"])
def test_a_header_with_something_missing_is_refused(ours, missing):
    header = header_of(ours)
    del header[missing]

    with pytest.raises(SignatureError):
        ours.verify(forged(ours, header))


@pytest.mark.parametrize(
    "payload",
    [
        b"null",
        b"[]",
        b"{}",
        b"not json",
        b'{"iat": 1767225600}',
        b'{"iat":1767225600,"iat":1767225600}',
        b'{"iat":"1767225600"}',
        b'{"iat":true}',
        b'{"a":1.5,"iat":1767225600}',
        b'{"iat":1e400}',
        b"[" * 100_000,
    ],
)
def test_claims_that_are_not_canonical_are_refused_though_the_signature_fits(ours, payload):
    with pytest.raises(SignatureError):
        ours.verify(forged(ours, header_of(ours), payload))


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "..", "é.b.c", "a.b.c.d", "x" * 70_000])
def test_what_is_no_token_is_refused(ours, token):
    with pytest.raises(SignatureError):
        ours.verify(token)


@given(data=st.data())
def test_no_single_character_can_be_changed(data, tmp_path_factory):
    ours = Keys(tmp_path_factory.mktemp("keys"))
    ours.rotate()
    token = ours.sign()
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCdef019-_.=é"))
    changed = token[:place] + letter + token[place + 1 :]

    if changed != token:
        with pytest.raises(SignatureError):
            ours.verify(changed)


def test_unused_bits_of_the_last_letter_are_part_of_the_token(ours):
    token = ours.sign()
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 64 bytes are 86 letters: the last one has four bits to spare.
    twin = token[:-1] + letters[letters.index(token[-1]) ^ 1]

    with pytest.raises(SignatureError):
        ours.verify(twin)


def test_a_key_that_is_not_trusted_is_unknown(ours, tmp_path):
    stranger = Keys(tmp_path / "stranger")
    stranger.rotate()

    with pytest.raises(UnknownKeyError):
        ours.verify(stranger.sign())


def test_a_log_key_signs_no_decisions(tmp_path):
    log = Keys(tmp_path)
    log.rotate(use=keys.LOG)

    with pytest.raises(UnknownKeyError):
        log.verify(log.sign())


def test_a_revoked_key_is_refused(ours):
    ours.edit(revoked_at=NOW.isoformat())

    with pytest.raises(RevokedKeyError):
        ours.verify(ours.sign())


@pytest.mark.parametrize("at", [NOW - timedelta(minutes=2), NOW + timedelta(hours=2)])
def test_a_signature_outside_the_keys_window_is_refused(ours, at):
    ours.edit(not_after=(NOW + timedelta(hours=1)).isoformat())

    with pytest.raises(SignatureError):
        ours.verify(ours.sign(CLAIMS | {"iat": int(at.timestamp())}))


def test_after_a_rotation_old_and_new_tokens_verify(ours):
    old = ours.sign()
    ours.rotate(at=NOW + timedelta(days=1))
    new = ours.sign(CLAIMS | {"iat": int((NOW + timedelta(days=1)).timestamp())})

    assert ours.verify(old)["jti"] == ours.verify(new)["jti"] == "dec_1"


def test_a_retired_key_signs_nothing_new(ours):
    retired = keys.load_signing_key(ours.private)
    ours.rotate(at=NOW + timedelta(days=1))
    late = tokens.sign(CLAIMS | {"iat": int((NOW + timedelta(days=2)).timestamp())}, retired)

    with pytest.raises(SignatureError):
        ours.verify(late)


def test_the_private_key_is_for_its_owner_alone(ours):
    assert ours.private.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in ours.trusted.read_bytes()


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"keys": [{}]}', '{"keys": [{"x": "AA"}]}'])
def test_a_broken_file_of_trusted_keys_names_itself(ours, content):
    ours.trusted.write_text(content)

    with pytest.raises(KeyFileError, match="trusted"):
        keys.load_trusted_keys(ours.trusted)


def test_a_key_id_that_is_not_the_thumbprint_is_refused(ours):
    ours.edit(kid="another")

    with pytest.raises(KeyFileError, match="thumbprint"):
        keys.load_trusted_keys(ours.trusted)


def test_a_missing_key_file_says_what_to_do(tmp_path):
    with pytest.raises(KeyFileError, match="rotate_signing_key"):
        keys.load_signing_key(tmp_path / "none.pem")


def test_a_key_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "signing.pem"
    other = generate_private_key(SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    with pytest.raises(KeyFileError, match="Ed25519"):
        keys.load_signing_key(path)


def test_a_file_that_is_no_key_is_refused(tmp_path):
    path = tmp_path / "signing.pem"
    path.write_text("hello")

    with pytest.raises(KeyFileError, match="PEM"):
        keys.load_signing_key(path)


def test_a_directory_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(KeyFileError):
        Keys(tmp_path / "file").rotate()


def test_the_claims_can_be_shown_without_being_believed(ours):
    token = ours.sign()

    assert tokens.unverified_claims(token[:-4] + "AAAA") == CLAIMS
    with pytest.raises(SignatureError):
        tokens.unverified_claims("a.b")
