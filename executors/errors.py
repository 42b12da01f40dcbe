"""What can go wrong on this floor. One root, a stable code, a sentence that says what to do."""


class ExecutorError(Exception):
    """Root of this floor's errors."""

    code = "executor_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class UnknownActionError(ExecutorError):
    """The catalogue has no action of this name and version."""

    code = "unknown_action"


class PayloadError(ExecutorError):
    """A payload breaks its action's rules; ``field`` is a JSON Pointer to what is wrong."""

    code = "invalid_payload"

    def __init__(self, message: str, *, field: str = "", code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.field = field


class FactsUnavailableError(ExecutorError):
    """The provider could not be read; try again. ``because`` is what it answered, if it did."""

    code = "facts_unavailable"

    def __init__(self, message: str, *, because: "ProviderError | None" = None) -> None:
        super().__init__(message)
        self.because = because


class RefusedError(ExecutorError):
    """This decision must not be carried out, now or later."""

    code = "refused"


class HeldError(ExecutorError):
    """This decision must not be carried out at present; ``hold_id`` names the brake, if one is."""

    code = "held"

    def __init__(
        self, message: str, *, code: str | None = None, hold_id: str | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.hold_id = hold_id


class MissingReasonError(ExecutorError):
    """Whoever steers an execution says why; so does whoever sets or lifts a hold."""

    code = "reason_required"


class InvalidTransitionError(ExecutorError):
    """The execution is not in a state that allows this."""

    code = "invalid_transition"


class NotPermittedError(ExecutorError):
    """This person may not do that."""

    code = "not_permitted"


class NotRungError(ExecutorError):
    """The worker could not be rung; nothing is lost, but it takes longer."""

    code = "not_rung"


class LostLeaseError(ExecutorError):
    """Another worker has taken over; whatever this one knows must not be written."""

    code = "lost_lease"


class ProviderError(ExecutorError):
    """One attempt at the provider did not end in a success; ``attempt`` says what it proved."""

    code = "provider_error"

    def __init__(
        self,
        message: str,
        *,
        attempt_class: str,
        code: str,
        http_status: int | None = None,
        request_id: str = "",
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.attempt_class = attempt_class
        self.http_status = http_status
        self.request_id = request_id
        self.retry_after = retry_after


class UntrustedEventError(ExecutorError):
    """What came to the webhook is not proven to be the provider's, or not to be of now."""

    code = "bad_signature"


class MalformedEventError(ExecutorError):
    """The provider signed it, but it is no event that can be read."""

    code = "malformed_event"


class LookUpMismatchError(ProviderError):
    """The provider has something of ours that does not match in every respect, or twice.

    Never a match, always an alarm: a person must read the provider's own pages.
    """

    code = "look_up_mismatch"
