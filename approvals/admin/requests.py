"""The queue and the request page."""

import json
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse

from approvals.admin import changing, deciding, evidence, pages, sentences
from approvals.admin.columns import TONES, QueueColumns
from approvals.admin.desk.access import may_read
from approvals.admin.filters import StatusFilter, as_of_now, shown_status
from approvals.admin.site import queue_name
from approvals.enums import RequestStatus
from approvals.models import ApprovalRequest, PayloadVersion, User
from approvals.rules import present_status
from approvals.viewing import current_view
from audit import timeline
from audit.admin.base import HistoryAdmin, PlainLinks
from audit.admin.changes import Version
from audit.canonical import canonical_bytes
from executors.models import Execution


class Queue(PlainLinks):
    """The list as a reviewer uses it: what is open leads to the page that decides."""

    def url_for_result(self, result: Any) -> str:
        """Return where a click on the row leads."""
        if present_status(result, result.looked_at) == RequestStatus.PENDING:
            return reverse("admin:approvals_approvalrequest_decide", args=[result.pk])
        return super().url_for_result(result)


def story_of(row: ApprovalRequest) -> list[Version]:
    """Return every fact about a request, oldest first."""
    return [Version(row=fact, changes=(), is_first=False) for fact in timeline.facts_about(row.pk)]


def is_reviewer(request: HttpRequest) -> bool:
    """Tell whether the person who looks decides requests."""
    return isinstance(request.user, User) and request.user.is_reviewer()


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(QueueColumns, HistoryAdmin):
    """What agents asked for; by default, what waits for a person."""

    list_display = ("what", "money", "agent_name", "waiting", "decide_within", "state")
    list_display_links = ("what",)
    list_filter = (
        StatusFilter,
        "action",
        ("agent", admin.RelatedOnlyFieldListFilter),
        "priority",
        ("currency", admin.AllValuesFieldListFilter),
    )
    search_fields = (
        "id",
        "service",
        "reason",
        "agent__name",
        "payload_versions__payload",
        "facts__material",
        "facts__display",
    )
    search_help_text = "Id, payment, customer, service, agent or reason; looks in every status."
    show_full_result_count = False
    detail_template = "approvals/request.html"

    def get_urls(self) -> list[URLPattern]:
        """Put the pages of this admin's own before the others."""
        wrap = self.admin_site.admin_view
        name = "approvals_approvalrequest"
        own = [
            path("<str:object_id>/decide/", wrap(self.decide), name=f"{name}_decide"),
            path("<str:object_id>/decide/change/", wrap(self.change), name=f"{name}_patch"),
            path("<str:object_id>/decide/refresh/", wrap(self.refresh), name=f"{name}_refresh"),
            path("<str:object_id>/evidence/", wrap(self.evidence), name=f"{name}_evidence"),
        ]
        return [*own, *super().get_urls()]

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Put what would be lost first on top of the queue, and the newest on top elsewhere.

        Not by priority: that is the agent's own claim, and an agent that calls everything
        critical must not push aside what expires in a minute. It is a filter instead.
        """
        if shown_status(request) == RequestStatus.PENDING:
            return ("expires_at", "id")
        return ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read along what the sentences are made of, so that a list costs a fixed few queries."""
        rows = super().get_queryset(request).select_related("agent", "agent_key")
        return as_of_now(rows.prefetch_related("payload_versions", "facts"))

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Leave the status out where all rows have the same."""
        if shown_status(request) == RequestStatus.PENDING:
            return tuple(name for name in self.list_display if name != "state")
        return self.list_display

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[PlainLinks]:
        """Lead a reviewer from the queue straight to the page that decides."""
        return Queue if is_reviewer(request) else PlainLinks

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Say what the list holds."""
        waits = shown_status(request) == RequestStatus.PENDING
        name = queue_name(request) if waits else "Requests"
        extra = {"list_title": name, "title": name}
        return super().changelist_view(request, extra | (extra_context or {}))

    def detail_response(
        self, request: HttpRequest, row: Any, extra: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        """Show the bare fields of what cannot be said: no longer offered here, or erased."""
        missing = sentences.why_not_told(row)
        if not missing:
            return super().detail_response(request, row, extra, status)
        context = super().page_context(request, row) | extra
        context |= {"notice": " ".join([missing, *sentences.erased_by(row.pk)])}
        context |= {"story": story_of(row), "record_url": self._record_url(request, row)}
        return render(request, "approvals/untold.html", context, status=status)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Add everything that the request page shows."""
        view = current_view(row)
        executions = Execution.objects.filter(subject=row.pk).prefetch_related("attempts")
        context = super().page_context(request, row)
        context |= pages.gather(row, request.user, view)
        return context | {
            "title": view.description.title,
            "tone": TONES.get(context["status"], ""),
            "list_url": self.url("changelist"),
            "decide_url": reverse("admin:approvals_approvalrequest_decide", args=[row.pk]),
            "evidence_url": self.url("evidence", row.pk) if evidence.may_have(request) else "",
            "record_url": self._record_url(request, row),
            "decision": getattr(row, "decision", None),
            "executions": list(executions),
            "story": story_of(row),
        }

    def _record_url(self, request: HttpRequest, row: Any) -> str:
        return reverse("record-story", args=[row.pk]) if may_read(request) else ""

    def added_fields(self, row: Any) -> dict[str, Any]:
        """Show the payload with the version of the request that it belongs to."""
        version = PayloadVersion.objects.get(request_id=row.id, number=row.payload_version)
        return {"payload": json.loads(canonical_bytes(version.payload))}

    def decide(self, request: HttpRequest, object_id: str) -> Any:
        """Show the decide page, or decide."""
        return deciding.decide(self, request, object_id)

    def change(self, request: HttpRequest, object_id: str) -> Any:
        """Show the form that changes the payload, or what the change comes to."""
        return changing.change(self, request, object_id)

    def refresh(self, request: HttpRequest, object_id: str) -> Any:
        """Read the provider again."""
        return deciding.refresh(self, request, object_id)

    def evidence(self, request: HttpRequest, object_id: str) -> Any:
        """Answer with the evidence file."""
        return evidence.download(self, request, object_id)
