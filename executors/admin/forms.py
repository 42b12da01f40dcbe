"""Forms that steer: each asks for a reason."""

from typing import Any

from django import forms

from audit.admin.acting import ReasonForm
from executors.enums import ExecutionStatus, HoldScope


class ResolveForm(ReasonForm):
    """How an unknown outcome ended, by what a person read at the provider."""

    outcome = forms.ChoiceField(
        choices=[
            (ExecutionStatus.SUCCEEDED.value, "It happened: the provider shows it"),
            (ExecutionStatus.FAILED.value, "It did not happen: the provider does not show it"),
        ],
        widget=forms.RadioSelect,
        label="What the provider shows",
    )
    provider_reference = forms.CharField(
        required=False,
        max_length=255,
        label="The provider's reference",
        help_text="Needed when it happened: the id of the refund, such as re_…",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"}),
    )
    field_order = ["outcome", "provider_reference", "reason"]


class HoldForm(ReasonForm):
    """What to stop."""

    scope = forms.ChoiceField(choices=HoldScope.choices, label="Stop")
    value = forms.CharField(
        required=False,
        max_length=80,
        label="Which",
        help_text="The id of the agent, key or execution, or the action's name. "
        "Empty for everything.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"}),
    )
    field_order = ["scope", "value", "reason"]

    def clean(self) -> dict[str, Any]:
        """Check that scope and value fit."""
        data = super().clean() or {}
        everything = data.get("scope") == HoldScope.EVERYTHING
        value = (data.get("value") or "").strip()
        if everything and value:
            self.add_error("value", "Leave this empty to stop everything.")
        if not everything and not value:
            self.add_error("value", "Say which one to stop.")
        return data | {"value": value}
