"""What the verifications of the record said: shown, and never changed."""

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.admin.base import ViewOnlyAdmin
from audit.models import VerificationRun

_TONES = {"No findings": "go", "Not ended": "warn"}


@admin.register(VerificationRun)
class VerificationRunAdmin(ViewOnlyAdmin):
    """Verifications of the record, the newest first."""

    list_display = ("started_at", "said", "findings", "leaves", "size", "ended_at")
    ordering = ("-started_at",)

    @admin.display(description="result")
    def said(self, row: VerificationRun) -> SafeString:
        """Return what came of it, with a tone."""
        tone = _TONES.get(row.result, "no")
        return format_html('<span class="cs-state {}">{}</span>', tone, row.result)
