"""Where a provider announces what became of its objects. No session, no agent key: a signature."""

import logging
from http import HTTPStatus

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from audit import clock
from executors import services
from executors.errors import MalformedEventError, UntrustedEventError
from executors.stripe import webhooks

logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Take one event from Stripe; answer 2xx only when it is stored, or of no use.

    Stripe repeats whatever is not answered with 2xx for three days.
    """
    secret = settings.STRIPE_WEBHOOK_SECRET
    if not secret:
        return _refusal(404, "webhooks_off", "STRIPE_WEBHOOK_SECRET is not set in this process.")
    try:
        body = _body(request)
        if len(body) > webhooks.MOST_BYTES:
            detail = f"More than {webhooks.MOST_BYTES} bytes are no event about a refund."
            return _refusal(413, "body_too_large", detail)
        signature = request.headers.get("Stripe-Signature", "")
        announced = webhooks.read(body, signature, secret=secret, at=clock.now())
        is_new = announced is not None and services.note_event(announcement=announced)
    except (UntrustedEventError, MalformedEventError) as error:
        logger.warning("A webhook was refused: %s %s", error.code, error.message)
        return _refusal(400, error.code, error.message)
    except (DatabaseError, InterfaceError):
        logger.exception("An event of Stripe could not be stored; Stripe will send it again.")
        return _refusal(503, "unavailable", "The event could not be stored; send it again.")
    word = "stored" if is_new else "known"
    return JsonResponse({"event": "ignored" if announced is None else word})


def _body(request: HttpRequest) -> bytes:
    """Return the raw bytes; one more than are allowed when there are more."""
    try:
        return bytes(request.read(webhooks.MOST_BYTES + 1))
    except UnreadablePostError as error:
        raise MalformedEventError("The body ended too early.") from error


def _refusal(status: int, code: str, detail: str) -> HttpResponse:
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    return JsonResponse(problem, status=status, content_type="application/problem+json")
