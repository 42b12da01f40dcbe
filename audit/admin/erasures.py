"""What was erased, by whom and why: shown, and never changed."""

from django.contrib import admin

from audit.admin.base import HistoryAdmin
from audit.models import Erasure


@admin.register(Erasure)
class ErasureAdmin(HistoryAdmin):
    """Erasures of personal data, the newest first."""

    list_display = ("target", "erased_by", "reason", "erased_at")
    search_fields = ("target", "subject", "erased_by")
    ordering = ("-id",)
