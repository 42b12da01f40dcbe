"""Checkpoints: what they look like to the byte, and what is no checkpoint of this log."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import NoteError
from audit.log import checkpoints, merkle, notes
from audit.log.checkpoints import TreeHead
from audit.log.notes import NoteKey
from tests.audit.log import naive
from tests.audit.log.test_notes import key_of

# No database is needed, so one run of them is enough.
pytestmark = pytest.mark.embedded

ORIGIN = "urn:countersign:test"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TRUSTED = [NoteKey(name=ORIGIN, key=KEY.public_key())]
HEAD = TreeHead(origin=ORIGIN, size=8, root=naive.root(naive.entries(8)))
GOLDEN = (
    "urn:countersign:test\n8\ntpcyzlyRQWLKmsz69OldP5h01ogFQ3CIqv8YSk25Z3M=\n\n"
    "— urn:countersign:test N6FiSEksyieUyLyDUrPiLtkJI4txGzUjZnLOiI7rgdyprgZBC+aTxevmxUWOeDT/cHzvJP"
    "4AToC/JlTBwqnkx1z9mgA=\n"
)

#: A checkpoint of Go's checksum database, whose key has another name than its origin.
GO_KEY = key_of("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")
GO_CHECKPOINT = (
    "go.sum database tree\n6476701\nmb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=\n\n"
    "— sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWE"
    "PWL+o3GeoWwOoAw=\n"
)
OTHER_ORIGIN = checkpoints.sign(
    TreeHead(origin="urn:countersign:other", size=8, root=HEAD.root), KEY
)


def test_a_checkpoint_is_these_bytes_and_no_others():
    assert checkpoints.sign(HEAD, KEY) == GOLDEN
    assert checkpoints.verify(GOLDEN, origin=ORIGIN, trusted=TRUSTED) == HEAD


def test_a_checkpoint_of_a_well_known_log_is_read():
    head = checkpoints.verify(GO_CHECKPOINT, origin="go.sum database tree", trusted=[GO_KEY])

    assert head.size == 6_476_701


def test_a_log_without_leaves_has_a_checkpoint():
    head = TreeHead(origin=ORIGIN, size=0, root=merkle.EMPTY_ROOT)

    signed = checkpoints.sign(head, KEY)

    assert checkpoints.verify(signed, origin=ORIGIN, trusted=TRUSTED) == head


def test_no_byte_of_a_checkpoint_can_be_changed():
    data = GOLDEN.encode()
    for position in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[position] ^= 1 << bit
            text = changed.decode("utf-8", "surrogateescape")
            with pytest.raises(NoteError):
                checkpoints.verify(text, origin=ORIGIN, trusted=TRUSTED)


def test_the_checkpoint_of_another_log_under_the_same_key_is_refused():
    trusted = [*TRUSTED, NoteKey(name="urn:countersign:other", key=KEY.public_key())]

    with pytest.raises(NoteError, match="checkpoint of 'urn:countersign:other'"):
        checkpoints.verify(OTHER_ORIGIN, origin=ORIGIN, trusted=trusted)


ROOT = base64.b64encode(HEAD.root).decode()


@pytest.mark.parametrize(
    "text",
    [
        "a note\n",
        f"{ORIGIN}\n8\n",
        f"{ORIGIN}\n8\n{ROOT}\nextension\n",
        f"\n8\n{ROOT}\n",
        f"{ORIGIN}\n08\n{ROOT}\n",
        f"{ORIGIN}\n+8\n{ROOT}\n",
        f"{ORIGIN}\n-8\n{ROOT}\n",
        f"{ORIGIN}\n 8\n{ROOT}\n",
        f"{ORIGIN}\n٨\n{ROOT}\n",
        f"{ORIGIN}\n8.0\n{ROOT}\n",
        f"{ORIGIN}\n\n{ROOT}\n",
        f"{ORIGIN}\n{2**63}\n{ROOT}\n",
        f"{ORIGIN}\n{10**30}\n{ROOT}\n",
        f"{ORIGIN}\n8\n{ROOT[:-1]}\n",
        f"{ORIGIN}\n8\n{ROOT} \n",
        f"{ORIGIN}\n8\n{ROOT.replace(ROOT[-2], 'Z')}\n",
        f"{ORIGIN}\n8\nAAAA\n",
        f"{ORIGIN}\n8\nnot base64!\n",
        f"{ORIGIN}\n8\n\n",
        f"{ORIGIN}\n0\n{ROOT}\n",
        f"{ORIGIN}\n8\n{ROOT}\n\n",
    ],
)
def test_a_note_of_another_text_is_no_checkpoint_though_the_log_signed_it(text):
    note = notes.sign(text, name=ORIGIN, key=KEY)

    with pytest.raises(NoteError):
        checkpoints.verify(note, origin=ORIGIN, trusted=TRUSTED)


@pytest.mark.parametrize(
    "head",
    [
        TreeHead(origin="", size=8, root=HEAD.root),
        TreeHead(origin="two words", size=8, root=HEAD.root),
        TreeHead(origin="two\nlines", size=8, root=HEAD.root),
        TreeHead(origin=ORIGIN, size=-1, root=HEAD.root),
        TreeHead(origin=ORIGIN, size=2**63, root=HEAD.root),
        TreeHead(origin=ORIGIN, size=8, root=b"short"),
        TreeHead(origin=ORIGIN, size=0, root=HEAD.root),
    ],
)
def test_what_no_checkpoint_can_say_is_not_signed(head):
    with pytest.raises(NoteError):
        checkpoints.sign(head, KEY)
