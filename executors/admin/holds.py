"""Holds: the brakes, set and lifted by a person with a reason."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path

from audit import actors, clock, visible
from audit.admin.acting import Act, ReasonForm, act_page
from audit.admin.base import HistoryAdmin
from executors import services
from executors.admin.forms import HoldForm
from executors.enums import HoldScope
from executors.errors import ExecutorError
from executors.models import Hold
from executors.permissions import can_lift_holds


class InForceFilter(admin.SimpleListFilter):
    """Whether a hold still stands."""

    title = "in force"
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the two answers."""
        return [("yes", "Yes"), ("no", "Lifted")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow to the answer."""
        if self.value() in ("yes", "no"):
            return queryset.filter(lifted_at__isnull=self.value() == "yes")
        return queryset


@admin.register(Hold)
class HoldAdmin(HistoryAdmin):
    """What is stopped, by whom, since when."""

    list_display = ("id", "scope", "value", "why", "set_by", "set_at", "lifted_at")
    list_filter = (InForceFilter, "scope")
    search_fields = ("id", "value", "reason", "set_by")
    ordering = ("-id",)
    list_before_template = "executors/hold_tools.html"
    detail_template = "executors/hold.html"

    def get_urls(self) -> list[URLPattern]:
        """Put the pages that set and lift before the others."""
        wrap = self.admin_site.admin_view
        own = [
            path("set/", wrap(self.stop), name="executors_hold_set"),
            path("<str:object_id>/lift/", wrap(self.lift), name="executors_hold_lift"),
        ]
        return [*own, *super().get_urls()]

    @admin.display(description="reason")
    def why(self, row: Hold) -> str:
        """Return the reason, with what is hidden in it made visible."""
        return visible.show(row.reason)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Offer to set a hold to whoever may."""
        return super().changelist_view(request, {"may_set": _may(request), **(extra_context or {})})

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Add whether this person may lift it."""
        may = can_lift_holds(request.user) and row.lifted_at is None
        url = self.url("lift", row.pk) if may else ""
        return super().page_context(request, row) | {"lift_url": url}

    def stop(self, request: HttpRequest) -> HttpResponse:
        """Set a hold."""
        _require(request)
        act = Act(
            title="Stop something",
            consequences=["What is queued in its scope is held at once; nothing new is sent."],
            button="Set the hold",
            danger=True,
            back_url=self.url("changelist"),
        )

        def perform(data: dict[str, Any]) -> HttpResponse:
            hold = services.set_hold(
                scope=HoldScope(data["scope"]),
                value=data["value"],
                reason=data["reason"],
                actor=actors.person(request.user),
                at=clock.now(),
            )
            messages.success(request, f"Held: {hold}.")
            return HttpResponseRedirect(self.url("change", hold.pk))

        return self._act(request, act, HoldForm, perform)

    def lift(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lift a hold, and every other of the same scope and value."""
        if not can_lift_holds(request.user):
            raise PermissionDenied
        hold = self.viewable(request, object_id)
        act = Act(
            title=f"Lift the hold on {hold}",
            about=f"set by {hold.set_by}: {hold.reason}",
            consequences=["What it held is queued again and may be sent within seconds."],
            button="Lift the hold",
            back_url=self.url("change", hold.pk),
        )

        def perform(data: dict[str, Any]) -> HttpResponse:
            lifted = services.lift_holds(
                scope=HoldScope(hold.scope),
                value=hold.value,
                reason=data["reason"],
                actor=actors.person(request.user),
                at=clock.now(),
            )
            messages.success(request, "The hold is lifted." if lifted else "It was lifted already.")
            return HttpResponseRedirect(self.url("change", hold.pk))

        return self._act(request, act, ReasonForm, perform)

    def _act(self, request: HttpRequest, act: Act, form_class: Any, perform: Any) -> HttpResponse:
        return act_page(
            request,
            self.admin_site,
            act=act,
            form_class=form_class,
            perform=perform,
            failures=(ExecutorError,),
        )


def _may(request: HttpRequest) -> bool:
    return request.user.has_perm("executors.set_hold")


def _require(request: HttpRequest) -> None:
    if not _may(request):
        raise PermissionDenied
