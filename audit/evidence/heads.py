"""The signed checkpoint that an evidence file is proven against, and who signed it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from audit.errors import EvidenceError, NoteError
from audit.log import checkpoints, keys
from audit.models import Checkpoint
from audit.signing.keys import LOG, TrustedKey, load_trusted_keys


@dataclass(frozen=True, kw_only=True)
class SignedHead:
    """A checkpoint: its text, what it says, and the id of the key that signed it."""

    note: str
    origin: str
    size: int
    root: bytes
    kid: str


def first_head_over(size: int) -> SignedHead:
    """Return the oldest good checkpoint over at least so many leaves.

    One under a key that was revoked is passed over: the next one says the same, and more.

    Raises:
        EvidenceError: there is none.
        KeyFileError: the file of trusted keys cannot be read.
    """
    trusted = load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)
    good = {kid: key for kid, key in trusted.items() if key.use == LOG and key.revoked_at is None}
    for kept in Checkpoint.objects.filter(size__gte=size).order_by("size").iterator():
        head = _signed(kept.note, good)
        if head is not None and head.size == kept.size:
            return head
    raise EvidenceError(
        "No checkpoint under a trusted key covers all of this. `manage.py verify_record` says "
        "what is wrong with the log."
    )


def _signed(note: str, good: Mapping[str, TrustedKey]) -> SignedHead | None:
    for kid, key in good.items():
        try:
            head = checkpoints.verify(note, origin=keys.origin(), trusted=[keys.note_key(key)])
        except NoteError:
            continue
        return SignedHead(note=note, origin=head.origin, size=head.size, root=head.root, kid=kid)
    return None
