"""What was sent, and each try: shown, never changed."""

from django.contrib import admin

from audit.admin.base import ViewOnlyAdmin
from executors.models import Attempt, Intent


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
