"""Who may sit at the auditor's desk: whoever may see all that lies on it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from approvals.admin import evidence

#: The pages show rows of all of these; auditors and reviewers have every one.
_NEEDED = (
    *evidence.NEEDED,
    "approvals.view_agent",
    "approvals.view_factssnapshot",
    "approvals.view_payloadversion",
    "approvals.view_refusal",
    "audit.view_checkpoint",
    "audit.view_leaf",
    "executors.view_attempt",
    "executors.view_finding",
    "executors.view_hold",
    "executors.view_intent",
    "executors.view_providerevent",
    "executors.view_reading",
)


def may_read(request: HttpRequest) -> bool:
    """Tell whether this person may see all that the desk shows."""
    return bool(request.user.has_perms(_NEEDED))


def for_auditors(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Refuse a page of the desk, whatever is asked of it, to whoever may not read all of it."""

    @wraps(view)
    def refused_or_shown(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may_read(request):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return refused_or_shown
