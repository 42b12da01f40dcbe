"""Changing the payload before approving: a form, then what the change comes to, then the vote.

Nothing is stored on the way: the changed payload and the reason travel from page to page, and the
last page posts them to the decide page's address.
"""

import json
from typing import Any

from django.forms import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render

from approvals import rules
from approvals.admin import sentences
from approvals.admin.deciding import METHODS, Typed, as_text, context_of, page
from approvals.errors import InvalidPatchError
from approvals.forms.deciding import parse_payload
from approvals.forms.payload import PayloadForm
from approvals.models import ApprovalRequest
from audit.admin import changes
from audit.canonical import canonical_bytes

PREVIEW, RAW = "preview", "raw"


def change(admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    """Show the form, or after it the page that shows the differences and asks for the vote."""
    if request.method not in METHODS:
        return HttpResponseNotAllowed(METHODS)
    row = admin.viewable(request, object_id)
    if not row.is_pending or sentences.why_not_told(row):
        return HttpResponseRedirect(admin.url("change", row.pk))
    typed = Typed.of(request)
    context = context_of(admin, request, row, typed)
    if context["forbidden"]:
        typed.errors.append(context["forbidden"])
        return render(request, "approvals/decide.html", context, status=403)
    seen = request.POST.get("digest", context["view"].digest)
    if seen != context["view"].digest:
        return _look_again(admin, request, row, typed)
    step = request.POST.get("step", "")
    if step in (PREVIEW, RAW):
        return _preview(request, context, step)
    return _form(request, context, _draft(typed), 200)


def _look_again(
    admin: Any, request: HttpRequest, row: ApprovalRequest, typed: Typed
) -> HttpResponse:
    typed.errors.append("The request or its facts changed since you looked; look again.")
    return page(admin, request, row, typed, status=409)


def _draft(typed: Typed) -> dict[str, Any] | None:
    """Return the change that was begun before, if it can be read."""
    try:
        return parse_payload(typed.draft)
    except ValidationError:
        return None


def _preview(request: HttpRequest, context: dict[str, Any], step: str) -> HttpResponse:
    view = context["view"]
    form = PayloadForm(view.executor, view.payload, data=request.POST)
    try:
        payload = _changed(request, form, step)
        if payload is None:
            return _form(request, context, None, 400, form=form)
        _check(view, payload)
    except (ValidationError, InvalidPatchError) as error:
        _complain(form, error)
        return _form(request, context, None, 400, form=form)
    return _confirm(request, context, payload)


def _changed(request: HttpRequest, form: PayloadForm, step: str) -> dict[str, Any] | None:
    if step == RAW:
        return parse_payload(request.POST.get("raw", "")) or {}
    return form.payload() if form.is_valid() else None


def _check(view: Any, payload: dict[str, Any]) -> None:
    """Refuse early what the service would refuse; the service asks again."""
    if canonical_bytes(payload) == canonical_bytes(view.payload):
        raise InvalidPatchError("Nothing is changed yet.")
    rules.check_patch(view.executor, view.payload, payload)
    if view.facts is not None:
        rules.check_facts(view.executor, payload, view.facts)


def _complain(form: PayloadForm, error: Any) -> None:
    name = getattr(error, "field", "").strip("/").split("/")[0]
    text = " ".join(error.messages) if isinstance(error, ValidationError) else error.message
    if not form.is_bound or not hasattr(form, "cleaned_data"):
        form.is_valid()
    form.add_error(name if name in form.fields else None, text)


def _form(
    request: HttpRequest,
    context: dict[str, Any],
    draft: dict[str, Any] | None,
    status: int,
    *,
    form: PayloadForm | None = None,
) -> HttpResponse:
    view = context["view"]
    context["form"] = form or PayloadForm(view.executor, view.payload, draft=draft)
    context["raw"] = request.POST.get("raw") or as_indented(draft or view.payload)
    context["raw_open"] = request.POST.get("step") == RAW
    return render(request, "approvals/change.html", context, status=status)


def as_indented(payload: Any) -> str:
    """Return a payload as text for the raw editor, in ASCII: an input box shows nothing hidden."""
    return json.dumps(payload, indent=2)


def _confirm(
    request: HttpRequest, context: dict[str, Any], payload: dict[str, Any]
) -> HttpResponse:
    view = context["view"]
    context |= {
        "changed": json.loads(canonical_bytes(payload)),
        "money_before": context["money"],
        "draft": as_text(payload),
        "description": view.executor.describe(payload, view.facts),
        "changes": list(changes.differences(view.payload, payload)),
        "money": str(view.executor.money(payload) or ""),
    }
    return render(request, "approvals/confirm.html", context)
