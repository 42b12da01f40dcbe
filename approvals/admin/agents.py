"""Agents: shown here, made and stopped on pages of their own."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from approvals.admin import agent_acts
from approvals.enums import AgentStatus, RequestStatus
from approvals.models import Agent, shown_as
from audit import clock, visible
from audit.admin.base import HistoryAdmin


@admin.register(Agent)
class AgentAdmin(HistoryAdmin):
    """The machine clients that may propose."""

    list_display = ("name", "status", "owner", "keys_alive", "requests_waiting", "about")
    list_filter = ("status",)
    search_fields = ("id", "name", "description", "owner__username")
    ordering = ("name",)
    list_before_template = "approvals/agent_tools.html"
    detail_template = "approvals/agent_detail.html"

    def get_urls(self) -> list[URLPattern]:
        """Put the pages that do something before the others."""
        wrap = self.admin_site.admin_view
        own = [
            path("create/", wrap(self.create), name="approvals_agent_create"),
            path("<str:object_id>/issue-key/", wrap(self.issue), name="approvals_agent_issue"),
            path("<str:object_id>/suspend/", wrap(self.suspend), name="approvals_agent_suspend"),
            path("<str:object_id>/resume/", wrap(self.resume), name="approvals_agent_resume"),
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Count along what the list shows."""
        at = clock.now()
        live = Q(keys__revoked_at=None) & (Q(keys__expires_at=None) | Q(keys__expires_at__gt=at))
        pending = shown_as(RequestStatus.PENDING, at, through="requests__")
        return (
            super()
            .get_queryset(request)
            .select_related("owner")
            .annotate(
                live_keys=Count("keys", filter=live, distinct=True),
                pending=Count("requests", filter=pending, distinct=True),
            )
        )

    @admin.display(description="live keys", ordering="live_keys")
    def keys_alive(self, row: Any) -> int:
        """Return how many keys could be used now."""
        return int(row.live_keys)

    @admin.display(description="waiting", ordering="pending")
    def requests_waiting(self, row: Any) -> int:
        """Return how many of its requests are pending."""
        return int(row.pending)

    @admin.display(description="description")
    def about(self, row: Agent) -> str:
        """Return the description, with what is hidden in it made visible."""
        return visible.show(row.description or "–")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Offer to make an agent to whoever may."""
        extra = {"may_create": request.user.has_perm("approvals.add_agent")}
        return super().changelist_view(request, extra | (extra_context or {}))

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Add the agent's keys and what this person may do with it."""
        active = row.status == AgentStatus.ACTIVE
        steers = request.user.has_perm("approvals.steer_agent")
        return super().page_context(request, row) | {
            "keys": list(row.keys.select_related("owner").order_by("-created_at")),
            "now": clock.now(),
            "may_issue": active and request.user.has_perm("approvals.add_agentkey"),
            "may_suspend": active and steers,
            "may_resume": not active and steers,
            "may_revoke": request.user.has_perm("approvals.revoke_agentkey"),
        }

    def create(self, request: HttpRequest) -> HttpResponse:
        """Make an agent."""
        return agent_acts.create(self, request)

    def issue(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Issue a key, and show its secret in this one answer."""
        return agent_acts.issue(self, request, object_id)

    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Suspend an agent."""
        return agent_acts.suspend(self, request, object_id)

    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Let a suspended agent go on."""
        return agent_acts.resume(self, request, object_id)
