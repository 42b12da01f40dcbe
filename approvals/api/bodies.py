"""What an agent sends, from bytes and headers to the arguments of one domain call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, QueryDict

from approvals.api import cursors, text
from approvals.api.errors import ParameterError
from approvals.api.shapes import Body, Choice, Field, FreeObject, Integer, StringMap, Text
from approvals.enums import Priority, RequestStatus
from approvals.services.submission import Submission

MOST_IDEMPOTENCY_KEY = 255
MOST_WAIT = 25
MOST_PAGE = 100
DEFAULT_PAGE = 20
UNTIL = ("decided", "settled")
_PLAIN_INTEGER = r"0|[1-9][0-9]{0,8}"

SUBMISSION = Body(
    fields={
        "service": Field(
            shape=Text(
                least=1,
                most=80,
                pattern=text.LABEL,
                form="letters, digits, dots, hyphens and underscores",
            ),
            required=True,
            about="A label: which of your services asks.",
            example="support-bot",
        ),
        "action": Field(
            shape=Text(
                least=1,
                most=60,
                pattern=text.ACTION_NAME,
                form="letters, digits, dots, hyphens and underscores",
            ),
            required=True,
            about="A name or an alias from `GET /api/v1/actions`.",
            example="stripe.refund",
        ),
        "payload": Field(
            shape=FreeObject(),
            required=True,
            about="What is to be done, by the JSON Schema of the action.",
            example={
                "payment_intent": "pi_3PqX1cLkdIwHu7ix",
                "amount": 1250,
                "currency": "usd",
            },
        ),
        "priority": Field(
            shape=Choice(values=tuple(Priority.values)),
            about="How urgent it is; `medium` when left out.",
        ),
        "reason": Field(
            shape=Text(most=2000),
            about="Why, in your words. The reviewer sees it marked as the agent's claim.",
            example="The parcel arrived broken; the customer sent a photo.",
        ),
        "context": Field(
            shape=FreeObject(),
            about="Anything that helps the reviewer. It is shown, and never carried out.",
        ),
        "metadata": Field(
            shape=StringMap(most_keys=40, value=Text(most=500)),
            about="Your own names and strings, stored with the request.",
        ),
        "trace_id": Field(
            shape=Text(
                least=1,
                most=128,
                pattern=text.VISIBLE_ASCII,
                form="visible ASCII characters without spaces",
            ),
            about="Your own trace, to find this request again.",
        ),
        "expires_in": Field(
            shape=Integer(least=1),
            about="Seconds until it expires undecided, within the limits of the action.",
            example=3600,
        ),
    },
    not_supported={
        "callback_url": "Callbacks are not supported yet; read the request with GET instead."
    },
)


@dataclass(frozen=True, kw_only=True)
class Page:
    """Which part of the agent's own requests: after which id, how many, of which status."""

    after: str | None
    limit: int
    status: RequestStatus | None


def parse_submission(body: Mapping[str, Any]) -> Submission:
    """Return the submission that a parsed body is.

    Raises:
        InvalidInputError: naming the field.
    """
    SUBMISSION.check(body)
    return Submission(**body)


def parse_idempotency_key(request: HttpRequest) -> str:
    """Return the Idempotency-Key header.

    Raises:
        ParameterError: missing, or not 1 to 255 visible ASCII characters.
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        raise ParameterError(
            "Send an Idempotency-Key header, so that a repeated call is not a second request.",
            parameter="Idempotency-Key",
            code="idempotency_key_missing",
        )
    if len(key) > MOST_IDEMPOTENCY_KEY or not text.matches(text.VISIBLE_ASCII, key):
        raise ParameterError(
            "The Idempotency-Key is 1 to 255 visible ASCII characters without spaces.",
            parameter="Idempotency-Key",
            code="idempotency_key_invalid",
        )
    return str(key)


def parse_page(query: QueryDict) -> Page:
    """Return which page of the list is asked for.

    Raises:
        ParameterError: naming the parameter.
    """
    given = _parameters(query, "cursor", "limit", "status")
    cursor = given.get("cursor")
    status = given.get("status")
    if status is not None:
        _check_choice("status", status, RequestStatus.values)
    return Page(
        after=None if cursor is None else cursors.decode(cursor),
        limit=_integer(given, "limit", least=1, most=MOST_PAGE, default=DEFAULT_PAGE),
        status=None if status is None else RequestStatus(status),
    )


def check_wait(query: QueryDict) -> None:
    """Check ``wait`` and ``until``. This version answers at once, whatever they say.

    Raises:
        ParameterError: naming the parameter.
    """
    given = _parameters(query, "wait", "until")
    _integer(given, "wait", least=0, most=MOST_WAIT, default=0)
    _check_choice("until", given.get("until", UNTIL[0]), UNTIL)


def check_no_parameters(query: QueryDict) -> None:
    """Refuse any query parameter. Raises ``ParameterError``."""
    _parameters(query)


def _parameters(query: QueryDict, *known: str) -> dict[str, str]:
    for name, values in query.lists():
        if name not in known:
            raise ParameterError(
                f"The parameter {text.quote(name)!r} is not known.",
                parameter=text.quote(name),
                code="unknown_parameter",
            )
        if len(values) != 1:
            raise ParameterError(f"{name} is given more than once.", parameter=name)
    return {name: str(query[name]) for name in query}


def _integer(given: Mapping[str, str], name: str, *, least: int, most: int, default: int) -> int:
    raw = given.get(name)
    if raw is None:
        return default
    if not (text.matches(_PLAIN_INTEGER, raw) and least <= int(raw) <= most):
        raise ParameterError(f"{name} is an integer from {least} to {most}.", parameter=name)
    return int(raw)


def _check_choice(name: str, value: str, allowed: Any) -> None:
    if value not in allowed:
        raise ParameterError(f"{name} is one of {', '.join(allowed)}.", parameter=name)
