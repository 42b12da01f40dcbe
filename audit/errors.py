"""What can go wrong on the ground floor. One root, a stable code on each class."""

from django.db import InterfaceError, InternalError, OperationalError

#: The database is away, a lock was not free in time, or it has ended a session that stood still
#: (PostgreSQL calls that an internal error). The same call may be made again.
DATABASE_AWAY = (OperationalError, InternalError, InterfaceError)


class AuditError(Exception):
    """Root of this floor's errors."""

    code = "audit_error"


class UnattributedChangeError(AuditError):
    """A tracked row was about to be saved without saying who did what.

    Either code outside a service saved a tracked model, or a service forgot to go through
    ``audit.history``. Nothing was written.
    """

    code = "unattributed_change"


class ConflictError(AuditError):
    """A guarded update found another state than it expected: somebody was faster."""

    code = "conflict"


class CanonicalError(AuditError):
    """A value has no canonical form (float, huge integer, lone surrogate, foreign type)."""

    code = "not_canonical"


class KeyFileError(AuditError):
    """A key file is missing, unreadable or malformed; the text names the file and the remedy."""

    code = "key_file"


class SignatureError(AuditError):
    """A token is malformed, or its signature does not verify."""

    code = "token_invalid"


class UnknownKeyError(SignatureError):
    """The token names a key that is not in the trusted keys file."""

    code = "unknown_key"


class RevokedKeyError(SignatureError):
    """The token was signed by a key that was revoked as compromised."""

    code = "revoked_key"


class LogError(AuditError):
    """Something about the sealed log is malformed, or does not show what it should."""

    code = "log_invalid"


class ProofError(LogError):
    """A proof does not lead where it must: the log, or what claims to be in it, was changed."""

    code = "proof_invalid"


class TileError(LogError):
    """A path is no tile's, or the bytes of a tile or bundle are not what they must be."""

    code = "tile_invalid"


class NoteError(LogError):
    """A signed note or checkpoint is not in its one form, or no trusted key signed it."""

    code = "note_invalid"


class DamagedLogError(LogError):
    """The stored log is not the one that was signed last: it was cut, changed or rolled back."""

    code = "log_damaged"


class AnchorError(AuditError):
    """A checkpoint could not be copied outside, or the setting names no place for it."""

    code = "anchor_failed"


class EvidenceError(AuditError):
    """No evidence file can be made now; the text says what is missing and what to do."""

    code = "evidence_incomplete"


class NoSuchSubjectError(EvidenceError):
    """The record tells nothing about this subject."""

    code = "no_such_subject"
