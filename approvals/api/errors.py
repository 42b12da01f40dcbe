"""The one place that turns errors into HTTP answers (RFC 9457, ``application/problem+json``).

Each problem has a stable ``code``; the table below is the whole list, and docs/api.md repeats it.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework.response import Response

from approvals import errors
from approvals.errors import ApprovalError, InvalidInputError
from audit.errors import DATABASE_AWAY, ConflictError, KeyFileError
from audit.identifiers import new_id

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:countersign:problem:"
#: Seconds after which it makes sense to try again when a machine of ours is the reason.
RETRY_SOON = 2
#: Seconds after which it makes sense to try again when people have to decide first.
RETRY_LATER = 30


class ParameterError(InvalidInputError):
    """A query parameter or a header is not acceptable; ``parameter`` is its name."""

    code = "invalid_parameter"

    def __init__(self, message: str, *, parameter: str, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.parameter = parameter


class NotDecidedError(ApprovalError):
    """The request has no decision: it is pending, or ended without one."""

    code = "not_decided"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What a code means: its HTTP status and its title."""

    status: HTTPStatus
    title: str


def _all(status: HTTPStatus, **titles: str) -> dict[str, Problem]:
    return {code: Problem(status=status, title=title) for code, title in titles.items()}


#: Every code that the API answers with. Codes are stable: new ones may come, none changes.
PROBLEMS: Mapping[str, Problem] = {
    **_all(
        HTTPStatus.BAD_REQUEST,
        bad_request="The request cannot be understood",
        invalid_request="A field is not acceptable",
        empty_body="There is no body",
        incomplete_body="The body is not whole",
        invalid_encoding="The body is not plain UTF-8",
        invalid_json="The body is not JSON",
        not_an_object="The body is not a JSON object",
        too_deep="The body is nested too deeply",
        duplicate_key="A key occurs twice in one object",
        float_not_allowed="A number is not a plain integer",
        integer_out_of_range="An integer is too large to be safe",
        invalid_character="Text contains NUL or half of a surrogate pair",
        unknown_field="A field is not known",
        missing_field="A field is missing",
        invalid_type="A field has the wrong type",
        invalid_value="A field has a value that is not allowed",
        too_long="A field is too long",
        invalid_payload="The payload does not fit its action",
        invalid_amount="The currency cannot express the amount",
        unknown_currency="The currency is not known",
        unknown_action="The action is not in the catalogue",
        unknown_payment="The provider does not know the payment that the payload names",
        currency_mismatch="The payment has another currency",
        idempotency_key_missing="The Idempotency-Key header is missing",
        idempotency_key_invalid="The Idempotency-Key is not 1 to 255 visible ASCII characters",
        unknown_parameter="A query parameter is not known",
        invalid_parameter="A query parameter has a value that is not allowed",
    ),
    **_all(
        HTTPStatus.UNAUTHORIZED,
        missing_key="There is no agent key",
        invalid_key="The agent key is not known",
        revoked_key="The agent key was revoked",
        expired_key="The agent key has expired",
        agent_suspended="The agent is suspended",
    ),
    **_all(
        HTTPStatus.FORBIDDEN,
        forbidden="This is not allowed",
        out_of_scope="The agent key does not allow this action, amount or currency",
    ),
    **_all(
        HTTPStatus.NOT_FOUND,
        not_found="There is nothing here",
        not_decided="The request is not decided",
    ),
    **_all(HTTPStatus.METHOD_NOT_ALLOWED, method_not_allowed="This method is not offered here"),
    **_all(HTTPStatus.NOT_ACCEPTABLE, not_acceptable="The answer is JSON, which is not accepted"),
    **_all(
        HTTPStatus.CONFLICT,
        not_pending="The request is no longer pending",
        conflict="Somebody else was faster",
    ),
    **_all(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, body_too_large="The body is too large"),
    **_all(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        unsupported_media_type="The body is not declared as application/json in UTF-8",
    ),
    **_all(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        idempotency_key_reused="The idempotency key was used with another body",
        not_supported="This is not supported yet",
    ),
    **_all(
        HTTPStatus.TOO_MANY_REQUESTS,
        rate_exceeded="This key sends too fast",
        too_many_pending="The agent has too many pending requests",
    ),
    **_all(HTTPStatus.INTERNAL_SERVER_ERROR, internal_error="Something is wrong on our side"),
    **_all(
        HTTPStatus.SERVICE_UNAVAILABLE,
        unavailable="A part of this service cannot be reached",
        not_ready="A part of this service is not ready",
    ),
}

#: The code of an error that brings none of its own, or one that the table does not know.
_BY_CLASS: tuple[tuple[type[BaseException], str], ...] = (
    (errors.KeyRefusedError, "invalid_key"),
    (errors.OutOfScopeError, "out_of_scope"),
    (errors.TooManyPendingError, "too_many_pending"),
    (errors.IdempotencyMismatchError, "idempotency_key_reused"),
    (errors.NotDecidableError, "not_pending"),
    (errors.RequestNotFoundError, "not_found"),
    (NotDecidedError, "not_decided"),
    (InvalidInputError, "invalid_request"),
    (ConflictError, "conflict"),
    (KeyFileError, "unavailable"),
    *((kind, "unavailable") for kind in DATABASE_AWAY),
    (Http404, "not_found"),
    (SuspiciousOperation, "bad_request"),
    (drf.NotAuthenticated, "missing_key"),
    (drf.AuthenticationFailed, "invalid_key"),
    (drf.PermissionDenied, "forbidden"),
    (drf.NotFound, "not_found"),
    (drf.MethodNotAllowed, "method_not_allowed"),
    (drf.NotAcceptable, "not_acceptable"),
    (drf.UnsupportedMediaType, "unsupported_media_type"),
    (drf.Throttled, "rate_exceeded"),
    (drf.ParseError, "bad_request"),
)
#: The code of an answer that another part of the stack made, by its status.
BY_STATUS: Mapping[int, str] = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    500: "internal_error",
    503: "unavailable",
}
_DETAILS: Mapping[str, str] = {
    "missing_key": "Send an agent key as “Authorization: Bearer cs_…”.",
    "not_found": "There is nothing at this address that this key may see.",
    "not_acceptable": "Accept application/json.",
    "unsupported_media_type": "Send Content-Type: application/json.",
    "rate_exceeded": "This key sends faster than its limit; wait as long as Retry-After says.",
    "conflict": "Somebody else changed this at the same moment; read it again.",
    "unavailable": "A part of this service cannot be reached; the same call may be sent again.",
    "internal_error": "This was our mistake; it is in our log under the request id.",
}


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """Return the answer to any error that a view raises; what is not anticipated is logged."""
    code, status = _classify(error)
    request_id = request_id_of(context["request"])
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%s answered %s", request_id, code, exc_info=error)
    return Response(
        problem(code, request_id=request_id, status=status, **_details(error, code)),
        status=status,
        headers=_headers(error, code, status),
        content_type=MEDIA_TYPE,
    )


def problem(
    code: str, *, request_id: str, status: int | None = None, detail: str = "", **members: str
) -> dict[str, Any]:
    """Return the members of a problem; empty ``members`` are left out."""
    known = PROBLEMS.get(code)
    status = status or (known.status if known else HTTPStatus.BAD_REQUEST)
    title = known.title if known else HTTPStatus(status).phrase
    return {
        "type": TYPE_PREFIX + code,
        "title": title,
        "status": int(status),
        "detail": detail or _DETAILS.get(code, f"{title}."),
        "code": code,
        **{name: value for name, value in members.items() if value},
        "request_id": request_id,
    }


def request_id_of(request: Any) -> str:
    """Return the id of an HTTP request, as the middleware gave it, or a new one."""
    return getattr(request, "request_id", None) or new_id("call")


def _classify(error: Exception) -> tuple[str, HTTPStatus]:
    fallback = next((code for kind, code in _BY_CLASS if isinstance(error, kind)), None)
    if fallback is None:
        return "internal_error", HTTPStatus.INTERNAL_SERVER_ERROR
    own = error.code if isinstance(error, ApprovalError) else fallback
    status = PROBLEMS[fallback].status
    if fallback == "invalid_request" and own in PROBLEMS:
        # One class carries everything that is wrong with an input: 400, 413 or 422.
        status = PROBLEMS[own].status
    return own, status


def _details(error: Exception, code: str) -> dict[str, str]:
    details = {
        "detail": error.message if isinstance(error, ApprovalError) else "",
        "field": getattr(error, "field", ""),
        "parameter": getattr(error, "parameter", ""),
    }
    if isinstance(error, drf.MethodNotAllowed):
        details["detail"] = str(error.detail)
    if isinstance(error, errors.IdempotencyMismatchError):
        details["parameter"] = "Idempotency-Key"
    return details


def _headers(error: Exception, code: str, status: HTTPStatus) -> dict[str, str]:
    if status == HTTPStatus.UNAUTHORIZED:
        reason = "" if code == "missing_key" else ', error="invalid_token"'
        return {"WWW-Authenticate": f'Bearer realm="countersign"{reason}'}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        wait = getattr(error, "wait", None)
        return {"Retry-After": str(RETRY_LATER if wait is None else max(1, math.ceil(wait)))}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(RETRY_SOON)}
    return {}
