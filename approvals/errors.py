"""What can go wrong on this floor. One root, a stable code, a sentence that says what to do.

``approvals.api.errors`` maps each class to an HTTP status, in one place; the admin shows the
sentence.
"""


class ApprovalError(Exception):
    """Root of this floor's errors; ``field`` is a JSON Pointer into the body, or empty."""

    code = "approval_error"

    def __init__(self, message: str, *, code: str | None = None, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        if code is not None:
            self.code = code


class InvalidInputError(ApprovalError):
    """Something in the body is not acceptable; ``field`` says what."""

    code = "invalid_request"


class IdempotencyMismatchError(ApprovalError):
    """The idempotency key was used before with another body."""

    code = "idempotency_key_reused"


class OutOfScopeError(ApprovalError):
    """The agent key does not allow this action, amount or currency."""

    code = "out_of_scope"


class KeyRefusedError(ApprovalError):
    """The agent key is revoked or expired, or its agent is suspended."""

    code = "invalid_key"


class TooManyPendingError(ApprovalError):
    """The agent already has as many pending requests as it may have."""

    code = "too_many_pending"


class NotPermittedError(ApprovalError):
    """This person may not decide this request."""

    code = "not_permitted"


class SelfApprovalError(NotPermittedError):
    """The person answers for the agent that asks: maker and checker must differ."""

    code = "self_approval"


class NotDecidableError(ApprovalError):
    """The request is not, or no longer, open to a decision (decided, withdrawn, expired)."""

    code = "not_pending"


class StaleViewError(ApprovalError):
    """What the reviewer saw is not what would be decided; look again and decide again."""

    code = "stale_view"


class FactsMissingError(ApprovalError):
    """The provider has not been read yet, and without facts nobody approves."""

    code = "facts_missing"


class InvalidPatchError(ApprovalError):
    """The reviewer's change breaks the schema, a locked field or a limit."""

    code = "invalid_patch"


class AgentError(ApprovalError):
    """An agent or a key cannot be made or changed like this."""

    code = "invalid_agent"


class RequestNotFoundError(ApprovalError):
    """There is no such request, or it belongs to another agent, which is the same to the asker."""

    code = "not_found"


class SigningUnavailableError(ApprovalError):
    """The decision cannot be signed, so it is not made."""

    code = "signing_unavailable"
