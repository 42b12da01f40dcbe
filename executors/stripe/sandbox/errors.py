"""Refusals in Stripe's own shape: ``{"error": {"type", "message", "code", "param", …}}``.

Where Stripe's documentation leaves a wording or a status open, this package follows answers that
others recorded from Stripe's sandbox (API version 2026-08-26.dahlia) and published; each such
place says "recorded", and each guess says "not documented".
"""

from typing import Any

_DOC_URL = "https://stripe.com/docs/error-codes/"


class ApiError(Exception):
    """A refusal that an endpoint gives while it runs.

    Under an idempotency key the answer is stored and replayed, as Stripe does once "the execution
    of an endpoint begins"; the endpoint's writes are undone unless ``keeps_effects``.
    """

    keeps_effects = False

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self._fields = {"code": code, "param": param, "message": message, "type": kind, **more}

    def body(self) -> dict[str, Any]:
        """Return the JSON object to send; Stripe leaves out what has no value."""
        fields = {name: value for name, value in self._fields.items() if value is not None}
        if "code" in fields:
            fields["doc_url"] = _DOC_URL + fields["code"].replace("_", "-")
        return {"error": fields}


class EarlyError(ApiError):
    """A refusal before an endpoint runs (parameters, keys, routes): it is never stored."""


class CardError(ApiError):
    """A declined card: the failed charge stays on record, so its rows are kept."""

    keeps_effects = True

    def __init__(self, message: str, *, code: str, **more: Any) -> None:
        super().__init__(message, status=402, kind="card_error", code=code, **more)


def resource_missing(noun: str, object_id: str, *, param: str, status: int = 404) -> ApiError:
    """Return the refusal for an id that names nothing.

    Recorded: 404 for the id in a path and for the payment named by a new refund; 400 for a paging
    cursor. Ids inside other bodies and filters are 400 here, after the same pattern.
    """
    message = f"No such {noun}: '{object_id}'"
    return ApiError(message, status=status, code="resource_missing", param=param)


def parameter_unknown(names: list[str]) -> EarlyError:
    """Return the refusal for parameters that the endpoint does not have (recorded wording)."""
    noun = "parameter" if len(names) == 1 else "parameters"
    message = f"Received unknown {noun}: {', '.join(names)}"
    return EarlyError(message, code="parameter_unknown", param=names[0])


def parameter_missing(name: str) -> EarlyError:
    """Return the refusal for a required parameter that is absent."""
    return EarlyError(f"Missing required param: {name}.", code="parameter_missing", param=name)


def parameter_empty(name: str) -> EarlyError:
    """Return the refusal for an empty text where a value cannot be unset."""
    return EarlyError(
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset "
        f"a parameter; however '{name}' cannot be unset. You should remove '{name}' from your "
        "request or supply a non-empty value.",
        code="parameter_invalid_empty",
        param=name,
    )


def unsupported(name: str) -> EarlyError:
    """Return the refusal for a parameter that Stripe has and this stand-in does not."""
    return EarlyError(
        f"The local Stripe does not support the parameter {name}; the real one does.",
        code="local_stripe_unsupported",
        param=name,
    )


def idempotency_error(message: str, *, status: int = 400, code: str | None = None) -> EarlyError:
    """Return a refusal of the idempotency layer; the stored answer stays as it was."""
    return EarlyError(message, status=status, kind="idempotency_error", code=code)
