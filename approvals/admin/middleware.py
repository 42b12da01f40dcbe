"""What no page of the admin is asked: PostgreSQL takes no NUL, wherever a page would look."""

from collections.abc import Callable
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase


class RefuseNulMiddleware:
    """Answers 400 to a NUL in an address below ``/admin/``; forms refuse it by themselves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass everything else on."""
        if request.path.startswith("/admin/") and "\0" in _address(request):
            return HttpResponseBadRequest("This address cannot be.", content_type="text/plain")
        response: HttpResponse = self._get_response(request)  # type: ignore[assignment]
        return response


def _address(request: HttpRequest) -> str:
    return request.path + unquote(request.META.get("QUERY_STRING", ""))
