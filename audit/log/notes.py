"""Signed notes as C2SP defines them: a text, and who signed it with Ed25519.

Only one form is accepted: what could be written in two ways is refused, so that a note with one
signature is spoilt by a change of any byte.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.errors import NoteError

#: The signature type of plain Ed25519.
_ED25519 = b"\x01"
_ID_BYTES = 4
_MOST_CHARACTERS = 64 * 1024
_MOST_SIGNATURES = 100
_SIGNATURE = re.compile(r"— (?P<name>\S+) (?P<signature>\S+)")
#: Begins the line of a signature.
_DASH = "— "
#: Control characters, and halves of characters that have no UTF-8.
_FOREIGN = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
_NAME = re.compile(r"[^\s+]+")


@dataclass(frozen=True, kw_only=True)
class NoteKey:
    """A public key, and the name under which it signs."""

    name: str
    key: Ed25519PublicKey

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or not _is_plain(self.name):
            raise NoteError(f"{self.name!r} cannot be the name of a key: no spaces, no plus.")

    @property
    def key_id(self) -> bytes:
        """Return the four bytes by which a signature names this key."""
        named = self.name.encode() + b"\n" + _ED25519 + self.key.public_bytes_raw()
        return hashlib.sha256(named).digest()[:_ID_BYTES]

    @property
    def text(self) -> str:
        """Return the key as monitors and witnesses are told it."""
        encoded = base64.b64encode(_ED25519 + self.key.public_bytes_raw()).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


def sign(text: str, *, name: str, key: Ed25519PrivateKey) -> str:
    """Return the note: the text with one signature.

    Raises:
        NoteError: the text or the name cannot be those of a note.
    """
    if not text.endswith("\n") or not _is_plain(text):
        raise NoteError("The text of a note ends with a line end and has no control characters.")
    public = NoteKey(name=name, key=key.public_key())
    signature = base64.b64encode(public.key_id + key.sign(text.encode())).decode()
    return f"{text}\n— {name} {signature}\n"


def split_notes(text: str) -> list[str]:
    """Return the notes of a file that has one after another, or only one, as they stand in it.

    A note ends with its last signature; whether it is good is not looked at here.
    """
    notes, begun, signed = [], "", False
    for line in text.removesuffix("\n").split("\n"):
        is_signature = line.startswith(_DASH)
        if signed and not is_signature:
            notes.append(begun)
            begun = ""
        signed = is_signature
        begun += f"{line}\n"
    return [*notes, begun if text.endswith("\n") else begun.removesuffix("\n")]


def verify(note: str, trusted: Sequence[NoteKey]) -> str:
    """Return the text of a note that a trusted key signed.

    Signatures of other keys (a witness, an earlier or later key) are ignored; one of a trusted key
    that is not good spoils the note.

    Raises:
        NoteError: the note is not in the one accepted form, or nobody who is trusted signed it.
    """
    text, signatures = _split(note)
    known = {(key.name, key.key_id): key.key for key in trusted}
    good = False
    for name, key_id, signature in signatures:
        key = known.get((name, key_id))
        if key is None:
            continue
        try:
            key.verify(signature, text.encode())
        except InvalidSignature as error:
            raise NoteError(f"The signature of {name} is not good.") from error
        good = True
    if not good:
        raise NoteError("No trusted key signed this note.")
    return text


def decode_base64(text: str) -> bytes:
    """Return the bytes of standard base64 in its one form.

    Raises:
        NoteError: another text would give the same bytes, or this gives none.
    """
    try:
        data = base64.b64decode(text)
    except ValueError as error:
        raise NoteError("This is not base64.") from error
    if base64.b64encode(data).decode() != text:
        raise NoteError("This is not base64 in its canonical form.")
    return data


def _split(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    if len(note) > _MOST_CHARACTERS or not _is_plain(note):
        raise NoteError("The note is too long, or has control characters.")
    text, separator, rest = note.rpartition("\n\n")
    if not separator or not rest.endswith("\n"):
        raise NoteError("The note has no signatures after an empty line.")
    lines = rest[:-1].split("\n")
    if len(lines) > _MOST_SIGNATURES:
        raise NoteError("The note has too many signatures.")
    return f"{text}\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    found = _SIGNATURE.fullmatch(line)
    if found is None or "+" in found["name"]:
        raise NoteError("A line after the text is no signature.")
    data = decode_base64(found["signature"])
    if len(data) <= _ID_BYTES:
        raise NoteError("A signature is too short.")
    return found["name"], data[:_ID_BYTES], data[_ID_BYTES:]


def _is_plain(text: str) -> bool:
    return _FOREIGN.search(text) is None
