"""Findings: shown, the open ones first, and dealt with by a person."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit import visible
from audit.admin import fields
from audit.admin.acting import Act, ReasonForm, act_page
from audit.admin.base import HistoryAdmin
from executors import services, wording
from executors.admin import outlook
from executors.attention import OPEN_FINDING
from executors.errors import ExecutorError
from executors.models import Finding
from executors.permissions import can_steer


class StateFilter(admin.SimpleListFilter):
    """Whether somebody has dealt with it."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the two answers."""
        return [("open", "Open"), ("dealt_with", "Dealt with")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow to the answer."""
        if self.value() == "open":
            return queryset.filter(OPEN_FINDING)
        if self.value() == "dealt_with":
            return queryset.exclude(OPEN_FINDING)
        return queryset


@admin.register(Finding)
class FindingAdmin(HistoryAdmin):
    """What the provider shows and our record does not explain."""

    list_display = ("provider_reference", "state", "kind", "what", "execution", "found_at")
    list_filter = (StateFilter, "kind")
    search_fields = (
        "id",
        "execution__pk",
        "execution__subject",
        "provider_reference",
        "message",
        "dealt_with_by",
    )
    list_select_related = ("execution",)
    ordering = (F("dealt_with_at").desc(nulls_first=True), "-id")
    detail_template = "executors/finding.html"

    def get_urls(self) -> list[URLPattern]:
        """Put the page that deals with one before the others."""
        view = self.admin_site.admin_view(self.deal_with)
        own = path("<str:object_id>/deal_with/", view, name="executors_finding_deal_with")
        return [own, *super().get_urls()]

    @admin.display(description="state")
    def state(self, row: Finding) -> SafeString:
        """Return open or dealt with, with a tone."""
        is_open = row.dealt_with_at is None
        return format_html(
            '<span class="cs-state {}">{}</span>',
            "no" if is_open else "go",
            "Open" if is_open else "Dealt with",
        )

    @admin.display(description="what was found")
    def what(self, row: Finding) -> str:
        """Return the sentence, with what is hidden in it made visible."""
        return visible.show(row.message)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Add what to do about it, whether this person may deal with it, and who did."""
        may = row.dealt_with_at is None and can_steer(request.user)
        return super().page_context(request, row) | {
            "advice": wording.advice(row.kind),
            "execution": row.execution and fields.link_to(row.execution, self.admin_site, request),
            "dealt_with": outlook.dealt_with(row),
            "deal_with_url": self.url("deal_with", row.pk) if may else "",
        }

    def deal_with(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say that it has been dealt with."""
        finding = self.viewable(request, object_id)
        if not can_steer(request.user):
            raise PermissionDenied
        address = self.url("change", finding.pk)

        def perform(data: dict[str, Any]) -> HttpResponse:
            services.deal_with_finding(
                finding_id=finding.pk, user=request.user, reason=data["reason"]
            )
            messages.success(request, "It is marked as dealt with.")
            return HttpResponseRedirect(address)

        return act_page(
            request,
            self.admin_site,
            act=Act(
                title="Mark the finding as dealt with",
                about=f"{finding.get_kind_display()}: {finding.message}",
                consequences=[
                    "It is no longer counted as open, and is not told again. Nothing is changed at "
                    "the provider: write what you did there, or why nothing has to be done."
                ],
                button="Mark as dealt with",
                back_url=address,
            ),
            form_class=ReasonForm,
            perform=perform,
            failures=(ExecutorError,),
        )
