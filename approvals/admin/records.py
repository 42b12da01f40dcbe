"""What belongs to requests: shown, never changed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from approvals.models import Decision, FactsSnapshot, PayloadVersion, Refusal, Review
from audit import visible
from audit.admin.base import HistoryAdmin, ViewOnlyAdmin


@admin.register(Decision)
class DecisionAdmin(HistoryAdmin):
    """Signed decisions."""

    list_display = ("id", "outcome", "request", "why", "decided_at")
    list_filter = ("outcome",)
    search_fields = ("id", "request__id", "reason")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read the request along."""
        return super().get_queryset(request).select_related("request")

    @admin.display(description="reason")
    def why(self, row: Decision) -> str:
        """Return the reason, with what is hidden in it made visible."""
        return visible.show(row.reason)


@admin.register(Review)
class ReviewAdmin(HistoryAdmin):
    """Votes, each with the bytes that the person saw."""

    list_display = ("id", "verdict", "reviewer", "request", "reviewed_at")
    list_filter = ("verdict",)
    search_fields = ("id", "request__id", "reviewer__username", "reason")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read request and person along."""
        return super().get_queryset(request).select_related("request", "reviewer")


@admin.register(PayloadVersion)
class PayloadVersionAdmin(ViewOnlyAdmin):
    """Payloads as submitted, and as changed by reviewers."""

    list_display = ("request", "number", "made_by", "made_at")
    list_display_links = ("request", "number")
    search_fields = ("request__id", "sha256")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read the request along."""
        return super().get_queryset(request).select_related("request")


@admin.register(FactsSnapshot)
class FactsSnapshotAdmin(ViewOnlyAdmin):
    """What the provider said, each time that it was asked."""

    list_display = ("request", "number", "problem", "read_at")
    list_display_links = ("request", "number")
    search_fields = ("request__id",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read the request along."""
        return super().get_queryset(request).select_related("request")


@admin.register(Refusal)
class RefusalAdmin(HistoryAdmin):
    """Attempts that were turned away."""

    list_display = ("code", "said", "attempted_by", "about", "refused_at")
    list_filter = ("code",)
    search_fields = ("attempted_by", "about", "message")
    ordering = ("-id",)

    @admin.display(description="message")
    def said(self, row: Refusal) -> str:
        """Return the message, with what is hidden in it made visible."""
        return visible.show(row.message)
