"""Agent keys: shown here, revoked on a page of their own."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from approvals import services
from approvals.admin.agent_acts import FAILURES, require
from approvals.forms.agents import RevokeKeyForm
from approvals.models import AgentKey
from audit import actors
from audit.admin.acting import Act, act_page
from audit.admin.base import HistoryAdmin


@admin.register(AgentKey)
class AgentKeyAdmin(HistoryAdmin):
    """Keys of agents: the public part, what they allow, and how they ended."""

    list_display = ("prefix", "agent", "owner", "allowed", "expires_at", "revoked_at")
    list_filter = ("compromised", ("agent", admin.RelatedOnlyFieldListFilter))
    search_fields = ("id", "prefix", "agent__name", "owner__username")
    ordering = ("-created_at",)
    detail_template = "approvals/key_detail.html"

    def get_urls(self) -> list[URLPattern]:
        """Put the page that revokes before the others."""
        view = self.admin_site.admin_view(self.revoke)
        own = path("<str:object_id>/revoke/", view, name="approvals_agentkey_revoke")
        return [own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read agent, owner and last use along."""
        return super().get_queryset(request).select_related("agent", "owner", "use")

    @admin.display(description="actions")
    def allowed(self, row: AgentKey) -> str:
        """Return what the key may propose, separated by commas."""
        return ", ".join(row.actions)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Add the last use, and whether this person may revoke the key."""
        may = row.revoked_at is None and request.user.has_perm("approvals.revoke_agentkey")
        return super().page_context(request, row) | {
            "use": getattr(row, "use", None),
            "revoke_url": self.url("revoke", row.pk) if may else "",
        }

    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Revoke a key, at once and for ever."""
        require(request, "approvals.revoke_agentkey")
        key = self.viewable(request, object_id)
        act = self._act(key)

        def perform(data: dict[str, Any]) -> HttpResponse:
            services.revoke_key(
                key_id=key.pk,
                reason=data["reason"],
                compromised=data["compromised"],
                by=actors.person(request.user),
            )
            messages.success(request, f"The key {key.prefix} is revoked.")
            return HttpResponseRedirect(
                reverse("admin:approvals_agent_change", args=[key.agent_id])
            )

        return act_page(
            request,
            self.admin_site,
            act=act,
            form_class=RevokeKeyForm,
            perform=perform,
            failures=FAILURES,
        )

    def _act(self, key: AgentKey) -> Act:
        return Act(
            title=f"Revoke the key {key.prefix}",
            about=f"a key of {key.agent.name}",
            consequences=["It is refused at once and for ever. This cannot be taken back."],
            button="Revoke the key",
            danger=True,
            back_url=self.url("change", key.pk),
        )
