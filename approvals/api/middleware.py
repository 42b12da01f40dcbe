"""Gives every answer an id, and turns what Django itself refuses into problems.

A wrong host, an unknown address or a crash outside a view would otherwise reach an agent as HTML.
"""

import json
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from approvals.api import errors
from audit.identifiers import new_id

HEADER = "Request-Id"
_MACHINES = ("/api/", "/.well-known/", "/webhooks/", "/healthz", "/readyz")


class RequestIdMiddleware:
    """Must stand first, so that it sees every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, with an id that is always ours: a caller's could forge lines in the log."""
        request_id = new_id("call")
        request.request_id = request_id  # type: ignore[attr-defined]
        response = self._get_response(request)
        if _needs_problem(request, response):
            response = _problem(response, request_id)
        response[HEADER] = request_id
        return response


def _needs_problem(request: HttpRequest, response: HttpResponseBase) -> bool:
    if response.status_code < 400 or not request.path.startswith(_MACHINES):
        return False
    return response.headers.get("Content-Type") != errors.MEDIA_TYPE


def _problem(response: HttpResponseBase, request_id: str) -> HttpResponse:
    status = response.status_code
    code = errors.BY_STATUS.get(status, "internal_error" if status >= 500 else "bad_request")
    problem = errors.problem(code, request_id=request_id, status=status)
    body = json.dumps(problem, ensure_ascii=False, separators=(",", ":")).encode()
    # Whatever the inner layers said about security stays; the page itself goes.
    replaced = HttpResponse(body, status=status, headers=dict(response.items()))
    replaced["Content-Type"] = errors.MEDIA_TYPE
    replaced["Content-Length"] = str(len(body))
    return replaced
