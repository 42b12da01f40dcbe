"""The columns of the queue: each request as a sentence, with its money and its time."""

from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from approvals.admin import sentences
from approvals.enums import RequestStatus
from approvals.rules import present_status
from audit import visible, words

TONES = {
    RequestStatus.PENDING: "warn",
    RequestStatus.APPROVED: "go",
    RequestStatus.APPROVED_WITH_MODIFICATIONS: "go",
    RequestStatus.REJECTED: "no",
    RequestStatus.BLOCKED: "no",
}


class QueueColumns:
    """What a row of the queue shows; ``looked_at`` is when the list was read."""

    @admin.display(description="what")
    def what(self, row: Any) -> SafeString:
        """Return the sentence, and under it the second line."""
        sentence = self._sentence(row)
        return format_html(
            '{}<span class="cs-sub">{}</span>',
            visible.show(sentence.title),
            visible.show(sentence.detail or row.id),
        )

    @admin.display(description="amount", ordering="amount_minor")
    def money(self, row: Any) -> SafeString:
        """Return the amount that would move, or did."""
        return format_html('<span class="cs-money">{}</span>', self._sentence(row).money)

    @admin.display(description="agent", ordering="agent__name")
    def agent_name(self, row: Any) -> str:
        """Return who asks."""
        return str(row.agent.name)

    @admin.display(description="waiting since", ordering="submitted_at")
    def waiting(self, row: Any) -> str:
        """Return how long ago it was submitted."""
        return f"{words.of_span(row.looked_at - row.submitted_at)} ago"

    @admin.display(description="decide within", ordering="expires_at")
    def decide_within(self, row: Any) -> str:
        """Return how long a decision is still possible."""
        if present_status(row, row.looked_at) != RequestStatus.PENDING:
            return "–"
        return words.of_span(row.expires_at - row.looked_at)

    @admin.display(description="status", ordering="status")
    def state(self, row: Any) -> SafeString:
        """Return the present status as a word with a tone."""
        status = present_status(row, row.looked_at)
        return format_html(
            '<span class="cs-state {}">{}</span>', TONES.get(status, ""), status.label
        )

    @staticmethod
    def _sentence(row: Any) -> sentences.Sentence:
        if not hasattr(row, "_sentence"):
            row._sentence = sentences.of_request(row)
        found: sentences.Sentence = row._sentence
        return found
