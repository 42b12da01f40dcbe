"""The form that decides."""

from typing import Any

from django import forms

from approvals.api import parsing
from approvals.errors import InvalidInputError
from approvals.services.deciding import MOST_REASON

APPROVE, REJECT = "approve", "reject"


class DecideForm(forms.Form):
    """Outcome, reason, the digest of what was seen, and the whole payload when it was changed."""

    outcome = forms.ChoiceField(
        choices=[(APPROVE, "Approve"), (REJECT, "Reject")],
        error_messages={"required": "Choose: approve or reject."},
    )
    reason = forms.CharField(
        max_length=MOST_REASON,
        error_messages={"required": "Give a reason; the agent and the auditor read it."},
    )
    digest = forms.CharField(
        max_length=64,
        error_messages={"required": "The digest of what you saw is missing; open the page again."},
    )
    payload = forms.CharField(required=False)

    def clean_payload(self) -> dict[str, Any] | None:
        """Return the changed payload, or None when it was not changed."""
        return parse_payload(self.cleaned_data["payload"])


def parse_payload(text: str) -> dict[str, Any] | None:
    """Return the object that this JSON text is, read as strictly as an agent's; None if empty.

    Raises:
        ValidationError: with the reader's sentence and place.
    """
    if not text.strip():
        return None
    try:
        return parsing.parse_object(text.encode())
    except InvalidInputError as error:
        place = f" At {error.field}." if error.field else ""
        raise forms.ValidationError(f"The changed payload: {error.message}{place}") from error
