"""The evidence file of a request, for people who may read all that is in it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect

from audit.admin.base import READ
from audit.errors import EvidenceError, KeyFileError
from audit.evidence import package

#: The file holds rows of all of these; reviewers and auditors have every one.
NEEDED = (
    "approvals.view_approvalrequest",
    "approvals.view_decision",
    "approvals.view_review",
    "executors.view_execution",
)


def may_have(request: HttpRequest) -> bool:
    """Tell whether this person may read everything that an evidence file holds."""
    return bool(request.user.has_perms(NEEDED))


def download(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Answer with the file, or go back to the page that says why there is none now."""
    if request.method not in READ:
        return HttpResponseNotAllowed(READ)
    row = admin.viewable(request, object_id)
    if not may_have(request):
        raise PermissionDenied
    try:
        data = package.make(row.pk)
    except EvidenceError as error:
        messages.error(request, f"There is no evidence file yet. {error}")
        return HttpResponseRedirect(admin.url("change", row.pk))
    except KeyFileError:
        messages.error(
            request,
            "No evidence file can be signed: a key file cannot be used. Tell an administrator; "
            "`manage.py evidence` says which.",
        )
        return HttpResponseRedirect(admin.url("change", row.pk))
    headers = {"Content-Disposition": f'attachment; filename="evidence-{row.pk}.zip"'}
    return HttpResponse(data, content_type="application/zip", headers=headers)
