"""The keys of the log: the one that signs checkpoints, and those whose signatures count."""

from datetime import datetime
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from audit.errors import KeyFileError
from audit.log.notes import NoteKey
from audit.signing.keys import LOG, TrustedKey, load_signing_key, load_trusted_keys


def origin() -> str:
    """Return the name of this installation's log, which stays when the address changes."""
    return str(settings.COUNTERSIGN_ISSUER)


def signing_key(at: datetime) -> Ed25519PrivateKey:
    """Return the key that signs checkpoints now.

    Raises:
        KeyFileError: it cannot be read, or nobody would trust what it signs.
    """
    path = settings.COUNTERSIGN_LOG_KEY_FILE
    own = load_signing_key(path)
    trusted = _trusted().get(own.kid)
    if trusted is None or trusted.revoked_at is not None or not trusted.covers(at):
        raise KeyFileError(
            f"{path} holds a key that {settings.COUNTERSIGN_TRUSTED_KEYS_FILE} does not trust "
            "with checkpoints now. Make a new one with `manage.py rotate_signing_key --use log`."
        )
    # Whoever loads keys accepts no other kind.
    return cast(Ed25519PrivateKey, own.key.private_key)


def note_keys() -> list[NoteKey]:
    """Return the keys of the log, present and past, as checkpoints name them.

    Those that were revoked too: the log goes on from what they signed. What it is worth is judged
    by whoever verifies the record, with a copy of a checkpoint from outside.

    Raises:
        KeyFileError: the file of trusted keys cannot be read.
    """
    return [note_key(key) for key in _trusted().values()]


def note_key(key: TrustedKey) -> NoteKey:
    """Return one key of the log as its checkpoints name it."""
    return NoteKey(name=origin(), key=cast(Ed25519PublicKey, key.key.public_key))


def _trusted() -> dict[str, TrustedKey]:
    known = load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)
    return {kid: key for kid, key in known.items() if key.use == LOG}
