"""Signed notes: those of other implementations, and nothing that is not in the one form."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.errors import NoteError
from audit.log import notes
from audit.log.notes import NoteKey

# No database is needed, so one run of them is enough.
pytestmark = pytest.mark.embedded

#: The example of the Go implementation: its public key, its private key, its note.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
NOTE = (
    f"{TEXT}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKv"
    "qfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ANOTHER = "— another.example AAAAAWlnbm9yZWQ=\n"


def key_of(text: str) -> NoteKey:
    name, _, encoded = text.split("+", 2)
    raw = base64.b64decode(encoded)[1:]
    return NoteKey(name=name, key=Ed25519PublicKey.from_public_bytes(raw))


TRUSTED = [key_of(NEUMANN)]


def test_a_note_of_another_implementation_is_good():
    assert notes.verify(NOTE, TRUSTED) == TEXT


def test_the_same_key_signs_the_same_note():
    key = Ed25519PrivateKey.from_private_bytes(NEUMANN_SEED)

    assert notes.sign(TEXT, name="PeterNeumann", key=key) == NOTE


def test_a_key_is_told_to_others_as_they_expect_it():
    assert TRUSTED[0].text == NEUMANN


def test_signatures_of_unknown_keys_are_ignored():
    for note in (NOTE + ANOTHER, NOTE.replace("— ", f"{ANOTHER}— ", 1)):
        assert notes.verify(note, TRUSTED) == TEXT


def test_a_note_that_nobody_known_signed_is_refused():
    stranger = NoteKey(name="PeterNeumann", key=Ed25519PrivateKey.generate().public_key())
    renamed = NoteKey(name="Peter", key=TRUSTED[0].key)

    for trusted in ([], [stranger], [renamed]):
        with pytest.raises(NoteError, match="No trusted key"):
            notes.verify(NOTE, trusted)


def test_a_bad_signature_of_a_known_key_spoils_a_note_with_a_good_one():
    bad = _signed("another text\n").rpartition("\n\n")[2]

    with pytest.raises(NoteError, match="not good"):
        notes.verify(NOTE + bad, TRUSTED)


def test_no_byte_of_a_note_can_be_changed():
    data = NOTE.encode()
    for position in range(len(data)):
        for bit in (0, 3, 7):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            with pytest.raises(NoteError):
                notes.verify(changed.decode("utf-8", "surrogateescape"), TRUSTED)


def test_no_character_can_be_left_out_doubled_or_added():
    for position in range(len(NOTE)):
        before, here, after = NOTE[:position], NOTE[position], NOTE[position + 1 :]
        # Of two equal characters side by side either may be the one that is left out.
        for changed in (before + after, before + here + here + after, before + " " + here + after):
            with pytest.raises(NoteError):
                notes.verify(changed, TRUSTED)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        TEXT,
        f"{TEXT}\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE + "words\n",
        NOTE.replace("\n", "\r\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—\u00a0"),
        NOTE.replace("PeterNeumann ", "PeterNeumann\u2003"),
        NOTE.replace("PeterNeumann x", "Peter Neumann x"),
        NOTE.replace("nAM=", "nAN="),  # other bits that base64 does not use
        NOTE.replace("nAM=", "nAM"),
        NOTE.replace("x08go/", "x08go_"),
        NOTE + "— Peter+Neumann AAAAAWlnbm9yZWQ=\n",
        NOTE + "— short.example AAAAAQ==\n",
        NOTE + ANOTHER * 100,
        NOTE.replace("problem,", "problem,\t"),
        NOTE.replace("problem,", "\ud800"),
    ],
)
def test_any_other_form_is_refused(note):
    with pytest.raises(NoteError):
        notes.verify(note, TRUSTED)


def test_a_note_that_is_too_long_or_has_no_empty_line_is_refused_though_it_was_signed():
    for note in (_signed("x" * 70_000 + "\n"), _signed("\n")[2:]):
        with pytest.raises(NoteError):
            notes.verify(note, TRUSTED)


def test_as_many_signatures_as_the_specification_asks_for_are_accepted():
    assert notes.verify(NOTE + ANOTHER * 15, TRUSTED) == TEXT


@pytest.mark.parametrize("text", ["", "no line end", "a\tb\n", "a\r\n", "\ud800\n"])
def test_a_text_that_no_note_can_have_is_not_signed(text):
    with pytest.raises(NoteError, match="text of a note"):
        notes.sign(text, name="PeterNeumann", key=_neumann())


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb", "a\ud800"])
def test_a_name_that_no_key_can_have_is_refused(name):
    with pytest.raises(NoteError, match="name of a key"):
        notes.sign(TEXT, name=name, key=_neumann())


def _neumann() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(NEUMANN_SEED)


def _signed(text: str) -> str:
    return notes.sign(text, name="PeterNeumann", key=_neumann())
