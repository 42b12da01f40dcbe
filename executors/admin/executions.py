"""Executions: shown in plain words; revoked, held, released, resolved, dealt with by a person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit import clock, timeline, visible
from audit.admin.acting import Act, ReasonForm, act_page
from audit.admin.base import HistoryAdmin
from audit.admin.changes import Version
from executors import services, wording
from executors.admin import outlook
from executors.admin.forms import ResolveForm
from executors.attention import NEEDS_A_PERSON
from executors.enums import ExecutionStatus as S
from executors.enums import HoldScope
from executors.errors import ExecutorError
from executors.models import Execution, Hold, Intent
from executors.permissions import can_steer


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One thing that a person may do: when it is offered, what it does, in words.

    Whatever changes something asks for a reason.
    """

    statuses: frozenset[S]
    title: str
    consequence: str
    button: str
    done: str
    call: Callable[..., Any]
    form: type[forms.Form] = ReasonForm
    danger: bool = False


VERBS = {
    "revoke": Verb(
        statuses=frozenset({S.QUEUED, S.HELD}),
        title="Revoke the approval",
        consequence="It is refused for good and will never be sent. The agent can ask again.",
        button="Revoke the approval",
        done="The approval is revoked; nothing was sent.",
        call=services.revoke,
        danger=True,
    ),
    "hold": Verb(
        statuses=frozenset({S.QUEUED, S.RUNNING}),
        title="Hold",
        consequence="Nothing is sent until it is released. If a worker has it already, it stops "
        "before its next request; what is on its way cannot be called back.",
        button="Hold it",
        done="It is held.",
        call=services.hold,
        danger=True,
    ),
    "release": Verb(
        statuses=frozenset({S.HELD}),
        title="Release",
        consequence="It goes back into the queue and may be sent within seconds.",
        button="Release it",
        done="It is released.",
        call=services.release,
    ),
    "read": Verb(
        statuses=frozenset({S.UNKNOWN, S.SUCCEEDED}),
        title="Read it again",
        consequence="The money worker is rung, and reads the provider within seconds. Nothing is "
        "sent. What the provider shows is written down; an unknown outcome is settled only if it "
        "is proof.",
        button="Read it again",
        done="The money worker is rung. Reload this page in a few seconds to see what it read.",
        call=services.read_again,
        form=forms.Form,
    ),
    "resolve": Verb(
        statuses=frozenset({S.UNKNOWN}),
        title="Resolve the unknown outcome",
        consequence="Look at the payment at the provider first. What you record here is kept "
        "under your name and is what the agent is told.",
        button="Record the outcome",
        done="The outcome is recorded.",
        call=services.resolve,
        form=ResolveForm,
        danger=True,
    ),
    "deal_with": Verb(
        statuses=frozenset({S.REVERSED}),
        title="Mark as dealt with",
        consequence="It no longer needs a person. It stays reversed, and nothing is sent: write "
        "how the customer was paid, or why nothing has to be done.",
        button="Mark as dealt with",
        done="It is marked as dealt with.",
        call=services.deal_with,
    ),
}


class AttentionFilter(admin.SimpleListFilter):
    """Unknown, reversed and not dealt with, or stopped by something that nobody set."""

    title = "needs a person"
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the one answer beside all."""
        return [("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Narrow to what needs a person."""
        return queryset.filter(NEEDS_A_PERSON) if self.value() == "yes" else queryset


@admin.register(Execution)
class ExecutionAdmin(HistoryAdmin):
    """The carrying-out of decisions."""

    list_display = ("id", "state", "action", "subject", "queued_at", "finished_at", "trouble")
    list_filter = (AttentionFilter, "status", "action")
    search_fields = ("id", "jti", "subject", "provider_reference", "agent", "error_code")
    ordering = ("-id",)
    show_full_result_count = False
    detail_template = "executors/execution.html"

    def get_urls(self) -> list[URLPattern]:
        """Put the pages that steer before the others."""
        own = [
            path(
                f"<str:object_id>/{name}/",
                self.admin_site.admin_view(self._page(name)),
                name=f"executors_execution_{name}",
            )
            for name in VERBS
        ]
        return [*own, *super().get_urls()]

    @admin.display(description="status", ordering="status")
    def state(self, row: Execution) -> SafeString:
        """Return the status as a word with a tone; what was dealt with has none."""
        is_over = row.dealt_with_at is not None
        return format_html(
            '<span class="cs-state {}">{}{}</span>',
            "" if is_over else wording.tone(row.status),
            row.get_status_display(),
            ", dealt with" if is_over else "",
        )

    @admin.display(description="trouble", ordering="error_code")
    def trouble(self, row: Execution) -> str:
        """Return the error's code and sentence."""
        return visible.show(f"{row.error_code} {row.error_message or ''}".strip() or "–")

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Add what is known, the attempts, and what this person may do."""
        steers = can_steer(request.user)
        is_over = row.dealt_with_at is not None
        context = super().page_context(request, row)
        return context | {
            "now": clock.now(),
            "sentence": wording.DEALT_WITH if is_over else wording.sentence(row.status),
            "tone": "" if is_over else wording.tone(row.status),
            "intent": Intent.objects.filter(execution=row).first(),
            "attempts": list(row.attempts.all()),
            "outlook": outlook.of(row),
            "dealt_with": outlook.dealt_with(row),
            "verbs": self._offered(row) if steers else [],
            "story": [
                Version(row=fact, changes=(), is_first=False)
                for fact in timeline.facts_about(row.subject)
            ],
        }

    def _offered(self, row: Execution) -> list[dict[str, Any]]:
        """Return what may be done now.

        Releasing lifts a hold on this execution; while a larger one stands, it would come to
        nothing. What is only held until something is repaired can be held by a person, too. What
        was dealt with is not dealt with again.
        """
        if row.dealt_with_at is not None:
            return []
        larger = Hold.objects.filter(pk=row.held_by_id, lifted_at=None)
        standing = larger.exclude(scope=HoldScope.EXECUTION).first()
        goes_on = row.status == S.HELD and row.next_attempt_at is not None
        offered = [
            {"button": verb.button, "danger": verb.danger, "url": self.url(name, row.pk)}
            for name, verb in VERBS.items()
            if (row.status in verb.statuses or (name == "hold" and goes_on))
            and not (standing and name == "release")
        ]
        if standing and row.status == S.HELD:
            address = reverse("admin:executors_hold_change", args=[standing.pk])
            offered.append({"button": "See the hold", "danger": False, "url": address})
        return offered

    def _page(self, name: str) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            return self._steer(request, object_id, VERBS[name])

        return view

    def _steer(self, request: HttpRequest, object_id: str, verb: Verb) -> HttpResponse:
        row = self.viewable(request, object_id)
        if not can_steer(request.user):
            raise PermissionDenied
        address = self.url("change", row.pk)

        def perform(data: dict[str, Any]) -> HttpResponse:
            verb.call(execution_id=row.pk, user=request.user, **data)
            messages.success(request, verb.done)
            return HttpResponseRedirect(address)

        return act_page(
            request,
            self.admin_site,
            act=Act(
                title=verb.title,
                about=f"{row.action} {row.pk}: {wording.sentence(row.status)}",
                consequences=[verb.consequence],
                button=verb.button,
                danger=verb.danger,
                back_url=address,
            ),
            form_class=verb.form,
            perform=perform,
            failures=(ExecutorError,),
        )
