"""What was sent, and each try: shown, never changed."""

from django.contrib import admin

from audit.admin.base import ViewOnlyAdmin
from executors.models import Attempt, Intent, ProviderEvent, Reading, Scan


@admin.register(Intent)
class IntentAdmin(ViewOnlyAdmin):
    """The exact bytes, stored before the first of them left."""

    list_display = ("idempotency_key", "execution", "method", "path", "created_at")
    search_fields = ("idempotency_key", "execution__pk", "execution__subject")
    list_select_related = ("execution",)
    ordering = ("-created_at",)


@admin.register(Attempt)
class AttemptAdmin(ViewOnlyAdmin):
    """Each try at the provider and what it proved."""

    list_display = ("id", "execution", "number", "outcome", "http_status", "started_at")
    list_filter = ("outcome",)
    search_fields = ("execution__pk", "execution__subject", "request_id", "error_code")
    list_select_related = ("execution",)
    ordering = ("-id",)


@admin.register(Reading)
class ReadingAdmin(ViewOnlyAdmin):
    """Each reading of the provider after the request, and what it showed."""

    list_display = ("id", "execution", "result", "provider_status", "begun_at")
    list_filter = ("result",)
    search_fields = ("execution__pk", "execution__subject", "provider_reference", "error_code")
    list_select_related = ("execution",)
    ordering = ("-id",)


@admin.register(Scan)
class ScanAdmin(ViewOnlyAdmin):
    """Up to when everything at the provider was compared with the record."""

    list_display = ("id", "action", "account", "since", "until", "listed", "finished_at")
    list_filter = ("action", "account")
    ordering = ("-id",)


@admin.register(ProviderEvent)
class ProviderEventAdmin(ViewOnlyAdmin):
    """What the provider announced."""

    list_display = ("id", "type", "execution", "received_at")
    list_filter = ("type",)
    search_fields = ("id", "execution__pk", "execution__subject")
    list_select_related = ("execution",)
    ordering = ("-received_at",)
