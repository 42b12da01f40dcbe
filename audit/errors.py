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
