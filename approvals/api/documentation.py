"""What the OpenAPI document says about each call. Kept apart, so that views stay readable."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from approvals.api import bodies, errors, text
from approvals.api.parsing import MEDIA_TYPE
from approvals.enums import RequestStatus

_REFUND = {"payment_intent": "pi_3PqX1cLkdIwHu7ix", "amount": 1250, "currency": "usd"}
_EXAMPLE = OpenApiExample(
    "A refund",
    value={
        "service": "support-bot",
        "action": "stripe.refund",
        "payload": _REFUND,
        "reason": "The parcel arrived broken; the customer sent a photo.",
        "priority": "high",
    },
    request_only=True,
)
#: What every call with a key can answer.
_ALWAYS = (400, 401, 405, 406, 429, 500, 503)


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _answers(status: int, name: str, about: str, *problems: int) -> dict[Any, OpenApiResponse]:
    """Return the answers of a call: the good one, and a problem for each other status."""
    return {(status, MEDIA_TYPE): OpenApiResponse(response=_ref(name), description=about)} | {
        (problem, errors.MEDIA_TYPE): OpenApiResponse(
            response=_ref("Problem"), description=_about(problem)
        )
        for problem in sorted(problems)
    }


def _about(status: int) -> str:
    codes = [code for code, known in errors.PROBLEMS.items() if known.status == status]
    return f"{HTTPStatus(status).phrase}. Codes: {', '.join(f'`{code}`' for code in codes)}."


def _query(name: str, schema: dict[str, Any], about: str) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=about)


def _header(
    name: str, about: str, statuses: list[int], schema: dict[str, Any] | None = None
) -> OpenApiParameter:
    return OpenApiParameter(
        name,
        schema or {"type": "string"},
        OpenApiParameter.HEADER,
        response=statuses,
        description=about,
    )


_REQUEST_ID = OpenApiParameter(
    "request_id",
    {"type": "string", "pattern": text.REQUEST_ID},
    OpenApiParameter.PATH,
    description="The id of an approval request of your own.",
)
_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {
        "type": "string",
        "minLength": 1,
        "maxLength": bodies.MOST_IDEMPOTENCY_KEY,
        "pattern": text.VISIBLE_ASCII,
    },
    OpenApiParameter.HEADER,
    required=True,
    description=(
        "Your own name for this submission. Sent again with the same body, it finds the request "
        "that it made; with another body it is refused (422)."
    ),
)

submit = extend_schema(
    operation_id="submit_request",
    summary="Propose an action",
    description=(
        "Stores an approval request. Nothing is carried out before a person has approved it. "
        "An alias of an action is stored under the action's name."
    ),
    tags=["requests"],
    parameters=[
        _IDEMPOTENCY_KEY,
        _header("Location", "The address of the new request.", [201]),
        _header(
            "Idempotent-Replayed",
            "`true`: the request was there already; this is its present state.",
            [200],
            {"const": "true"},
        ),
    ],
    request={MEDIA_TYPE: _ref("Submission")},
    responses={
        (200, MEDIA_TYPE): OpenApiResponse(
            response=_ref("ApprovalRequest"), description="The same submission was stored before."
        ),
        **_answers(
            201, "ApprovalRequest", "The request was stored.", *_ALWAYS, 403, 409, 413, 415, 422
        ),
    },
    examples=[_EXAMPLE],
)
list_requests = extend_schema(
    operation_id="list_requests",
    summary="List your own requests",
    description="Newest first, in pages. `next_cursor` continues where a page ended.",
    tags=["requests"],
    parameters=[
        _query("cursor", {"type": "string"}, "`next_cursor` of the page before."),
        _query(
            "limit",
            {
                "type": "integer",
                "minimum": 1,
                "maximum": bodies.MOST_PAGE,
                "default": bodies.DEFAULT_PAGE,
            },
            "How many at most.",
        ),
        _query(
            "status", {"type": "string", "enum": RequestStatus.values}, "Only those of this status."
        ),
    ],
    responses=_answers(200, "ApprovalRequestList", "A page of requests.", *_ALWAYS),
)
read_request = extend_schema(
    operation_id="read_request",
    summary="Read a request, its decision and its execution",
    tags=["requests"],
    parameters=[
        _REQUEST_ID,
        _query(
            "wait",
            {"type": "integer", "minimum": 0, "maximum": bodies.MOST_WAIT, "default": 0},
            "Reserved for waiting, in seconds. This version answers at once.",
        ),
        _query(
            "until",
            {"type": "string", "enum": list(bodies.UNTIL), "default": bodies.UNTIL[0]},
            "What to wait for: a decision, or until it is settled.",
        ),
    ],
    responses=_answers(200, "ApprovalRequest", "The request as it is now.", *_ALWAYS, 404),
)
withdraw = extend_schema(
    operation_id="withdraw_request",
    summary="Take a pending request back",
    description="Takes no body. A request that is no longer pending is left as it is (409).",
    tags=["requests"],
    parameters=[_REQUEST_ID],
    request=None,
    responses=_answers(
        200, "ApprovalRequest", "The request, withdrawn.", *_ALWAYS, 404, 409, 413, 415
    ),
)
read_decision = extend_schema(
    operation_id="read_decision",
    summary="Read the decision on a request",
    description="404 with the code `not_decided` as long as there is none.",
    tags=["requests"],
    parameters=[_REQUEST_ID],
    responses=_answers(200, "Decision", "The decision and its signed token.", *_ALWAYS, 404),
)
list_actions = extend_schema(
    operation_id="list_actions",
    summary="Read the catalogue of actions",
    tags=["actions"],
    responses=_answers(200, "ActionList", "Every action, in its newest version.", *_ALWAYS),
)
public_keys = extend_schema(
    operation_id="public_keys",
    summary="Public keys that signed decisions",
    tags=["proof"],
    responses=_answers(200, "KeySet", "The keys, retired ones included.", 405, 406, 500, 503),
)
alive = extend_schema(
    operation_id="alive",
    summary="This process answers",
    tags=["health"],
    responses=_answers(200, "Status", "It does.", 405, 406, 500),
)
ready = extend_schema(
    operation_id="ready",
    summary="Database, broker and workers can be reached",
    tags=["health"],
    responses=_answers(200, "Status", "They can.", 405, 406, 500, 503),
)
