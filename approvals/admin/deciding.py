"""The pages on which a person decides. They parse, make one call, and translate what it raises.

Whatever goes wrong, what the person typed comes back with the page.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from approvals import services
from approvals.admin import pages, sentences
from approvals.admin.site import queue_name, waiting
from approvals.errors import (
    ApprovalError,
    FactsMissingError,
    InvalidInputError,
    InvalidPatchError,
    NotDecidableError,
    NotPermittedError,
    SigningUnavailableError,
    StaleViewError,
)
from approvals.forms.deciding import APPROVE, DecideForm
from approvals.models import ApprovalRequest, Decision
from approvals.permissions import check_may_decide
from approvals.viewing import current_view
from audit import clock, visible

METHODS = ("GET", "HEAD", "POST")

#: What each refusal answers, the more special class before its parent.
_STATUSES: tuple[tuple[type[ApprovalError], int], ...] = (
    (NotPermittedError, 403),
    (NotDecidableError, 409),
    (StaleViewError, 409),
    (FactsMissingError, 409),
    (InvalidPatchError, 400),
    (InvalidInputError, 400),
    (SigningUnavailableError, 503),
)


@dataclass(kw_only=True)
class Typed:
    """What the person typed so far: it survives every step and every error."""

    reason: str = ""
    draft: str = ""
    errors: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, request: HttpRequest) -> "Typed":
        """Return what this request carries."""
        data = request.POST
        return cls(
            reason=data.get("reason", ""), draft=data.get("payload", "") or data.get("draft", "")
        )


def decide(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the decide page; on a POST, decide. No GET decides anything."""
    if request.method not in METHODS:
        return HttpResponseNotAllowed(METHODS)
    row = admin.viewable(request, object_id)
    missing = sentences.why_not_told(row)
    if missing:
        messages.warning(request, f"{missing} Nothing can be decided.")
        return HttpResponseRedirect(admin.url("change", row.pk))
    if request.method == "POST":
        return _decided(admin, request, row)
    if "change" in request.GET:
        return HttpResponseRedirect(_address("patch", row))
    if not row.is_pending:
        messages.info(request, f"This request is no longer open: {row.get_status_display()}.")
        return HttpResponseRedirect(admin.url("change", row.pk))
    return page(admin, request, row, Typed())


def refresh(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Read the provider again, then show the page with what it says now.

    Only for whoever may decide: new facts make every open page of this request stale.
    """
    if request.method != "POST":
        return HttpResponseNotAllowed(("POST",))
    row = admin.viewable(request, object_id)
    if sentences.why_not_told(row):
        return HttpResponseRedirect(admin.url("change", row.pk))
    typed = Typed.of(request)
    person: Any = request.user
    try:
        check_may_decide(row, person, clock.now())
        snapshot = services.refresh_facts(request_id=row.pk)
    except ApprovalError as error:
        return refused(admin, request, row, typed, error)
    if snapshot is None:
        typed.errors.append("The provider did not answer; the facts are as old as before.")
    return page(admin, request, row, typed, status=503 if snapshot is None else 200)


def page(
    admin: Any, request: HttpRequest, row: ApprovalRequest, typed: Typed, *, status: int = 200
) -> HttpResponse:
    """Return the decide page with the view as it is now."""
    context = context_of(admin, request, row, typed)
    return render(request, "approvals/decide.html", context, status=status)


def context_of(
    admin: Any, request: HttpRequest, row: ApprovalRequest, typed: Typed
) -> dict[str, Any]:
    """Return what the pages that decide have in common."""
    view = current_view(row)
    return {
        **admin.admin_site.each_context(request),
        **pages.gather(row, request.user, view),
        "title": view.description.title,
        "typed": typed,
        "queue_name": queue_name(request),
        "waiting": waiting().count(),
        "list_url": admin.url("changelist"),
        "request_url": admin.url("change", row.pk),
        "decide_url": _address("decide", row),
        "change_url": _address("patch", row),
        "refresh_url": _address("refresh", row),
    }


def refused(
    admin: Any, request: HttpRequest, row: ApprovalRequest, typed: Typed, error: ApprovalError
) -> HttpResponse:
    """Return the page that says why nothing was decided, with the view as it is now."""
    status = next(code for kind, code in _STATUSES if isinstance(error, kind))
    typed.errors.append(error.message)
    row.refresh_from_db()
    if row.is_pending:
        return page(admin, request, row, typed, status=status)
    extra = {"errors": typed.errors, "typed": typed}
    response: HttpResponse = admin.detail_response(request, row, extra, status=status)
    return response


def _decided(admin: Any, request: HttpRequest, row: ApprovalRequest) -> HttpResponse:
    typed = Typed.of(request)
    form = DecideForm(request.POST)
    if not form.is_valid():
        return _not_understood(admin, request, row, typed, form)
    try:
        decision = _call(request, row, form.cleaned_data)
    except ApprovalError as error:
        return refused(admin, request, row, typed, error)
    messages.success(request, _said(decision, row, admin.url("change", row.pk)))
    return HttpResponseRedirect(admin.url("changelist"))


def _call(request: HttpRequest, row: ApprovalRequest, data: dict[str, Any]) -> Decision:
    common = {
        "request_id": row.pk,
        "reviewer_id": request.user.pk,
        "reason": data["reason"],
        "digest": data["digest"],
    }
    if data["outcome"] == APPROVE:
        return services.approve(**common, patch=data["payload"])
    return services.reject(**common)


def _not_understood(
    admin: Any, request: HttpRequest, row: ApprovalRequest, typed: Typed, form: DecideForm
) -> HttpResponse:
    """Say what is missing; but to somebody who may not decide at all, say that first."""
    typed.errors += [str(text) for errors in form.errors.values() for text in errors]
    context = context_of(admin, request, row, typed)
    status = 400
    if context["forbidden"]:
        typed.errors[:] = [context["forbidden"]]
        status = 403
    return render(request, "approvals/decide.html", context, status=status)


def _said(decision: Decision, row: ApprovalRequest, address: str) -> SafeString:
    """Say what was decided; the link leads to what becomes of it."""
    row.refresh_from_db()
    title = visible.show(current_view(row).description.title)
    outcome = decision.get_outcome_display()
    return format_html('{}: <a href="{}">{}</a>.', outcome, address, title)


def _address(name: str, row: ApprovalRequest) -> str:
    return reverse(f"admin:approvals_approvalrequest_{name}", args=[row.pk])


def as_text(payload: Any) -> str:
    """Return a payload as the text that the forms carry from step to step."""
    return json.dumps(payload)
