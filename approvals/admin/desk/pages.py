"""The record of one request: its story in sentences, its seals, and a verification on demand."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render
from django.urls import reverse

from approvals.admin import evidence, sentences
from approvals.admin.desk.access import for_auditors
from approvals.models import ApprovalRequest
from audit.admin.base import READ
from audit.desk import story as telling
from audit.desk import verifying
from audit.desk.verifying import Report
from audit.errors import KeyFileError
from audit.timeline import Facts

_ASK = "POST"


@for_auditors
def story(request: HttpRequest, subject: str) -> HttpResponse:
    """Show the record of a request; a POST verifies it now, and writes nothing."""
    if request.method not in (*READ, _ASK):
        return HttpResponseNotAllowed((*READ, _ASK))
    known = telling.facts_of(subject)
    row = ApprovalRequest.objects.filter(pk=subject).first()
    if row is None and not _is_about_a_request(known):
        raise Http404
    context = _context(request, subject, row)
    if request.method == _ASK:
        context |= _verified(known)
    context["moments"] = _with_results(subject, known, context.get("report"))
    return render(request, "audit/record.html", context)


def _is_about_a_request(known: Sequence[Facts]) -> bool:
    """Tell whether there are facts about a request, which somebody may have deleted."""
    table = ApprovalRequest.history.model._meta.db_table
    return any(row._meta.db_table == table for row in known[0].rows)


def _context(request: HttpRequest, subject: str, row: ApprovalRequest | None) -> dict[str, Any]:
    title, notice = "The request itself is not there any more", ""
    if row is not None:
        title = sentences.of_request(row).title
        notice = " ".join([sentences.why_not_told(row), *sentences.erased_by(subject)]).strip()
    return {
        **admin.site.each_context(request),
        "title": title,
        "notice": notice,
        "subject": subject,
        "page_url": reverse("record-story", args=[subject]),
        "request_url": reverse("admin:approvals_approvalrequest_change", args=[subject]),
        "evidence_url": reverse("admin:approvals_approvalrequest_evidence", args=[subject])
        if evidence.may_have(request)
        else "",
    }


def _verified(known: Sequence[Facts]) -> dict[str, Any]:
    try:
        return {"report": verifying.verify(known)}
    except KeyFileError:
        return {
            "cannot": "Nothing was verified: the file of trusted keys cannot be used. Tell an "
            "administrator; `manage.py verify_record` says why."
        }


def _with_results(
    subject: str, known: Sequence[Facts], report: Report | None
) -> list[dict[str, Any]]:
    results = {} if report is None else report.rows
    moments = telling.tell(subject, known)
    return [{"one": one, "result": results.get(one.key)} for one in moments]
