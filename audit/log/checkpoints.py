"""Checkpoints as C2SP defines them: a signed note that says how large the log is and its root."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import NoteError
from audit.log import notes
from audit.log.merkle import EMPTY_ROOT, HASH_BYTES
from audit.log.notes import NoteKey

#: What a database's integers can hold.
_MOST_LEAVES = 2**63 - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, kw_only=True)
class TreeHead:
    """What a checkpoint says: of which log, how many leaves, and their root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def sign(head: TreeHead, key: Ed25519PrivateKey) -> str:
    """Return the checkpoint, signed under the name of its origin.

    Raises:
        NoteError: the head or its origin cannot be those of a checkpoint.
    """
    _parse(head.text)
    return notes.sign(head.text, name=head.origin, key=key)


def verify(checkpoint: str, *, origin: str, trusted: Sequence[NoteKey]) -> TreeHead:
    """Return what a checkpoint of this log says.

    Raises:
        NoteError: it is not in the one accepted form, no trusted key signed it, or it is of
            another log. Extension lines, which this log never writes, are refused too.
    """
    head = _parse(notes.verify(checkpoint, trusted))
    if head.origin != origin:
        raise NoteError(f"This is a checkpoint of {head.origin!r}.")
    return head


def _parse(text: str) -> TreeHead:
    lines = text.split("\n")
    if len(lines) != 4:
        raise NoteError("The text of a checkpoint has three lines: origin, size and root.")
    origin, size, encoded, _ = lines
    if not _SIZE.fullmatch(size) or int(size) > _MOST_LEAVES:
        raise NoteError("The size in a checkpoint is a number without leading zeros.")
    root = notes.decode_base64(encoded)
    if len(root) != HASH_BYTES:
        raise NoteError(f"The root of a checkpoint has {HASH_BYTES} bytes.")
    if size == "0" and root != EMPTY_ROOT:
        raise NoteError("The root of a log without leaves is another.")
    return TreeHead(origin=origin, size=int(size), root=root)
