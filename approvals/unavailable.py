"""The answer to what no view has caught: a page that says whether trying again makes sense."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from approvals.api.errors import RETRY_SOON
from audit.errors import DATABASE_AWAY


def server_error(request: HttpRequest) -> HttpResponse:
    """Return 503 with ``Retry-After`` when the database is the reason, else Django's own 500.

    It asks the database for nothing. Calls of machines get the same status as a problem (see
    ``approvals.api.middleware``).
    """
    if not isinstance(sys.exc_info()[1], DATABASE_AWAY):
        return defaults.server_error(request)
    # Without the request, for its session and its person are in the database.
    page = render_to_string("approvals/unavailable.html")
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_SOON)})
