"""Forms that steer: each asks for a reason."""

import re
from typing import Any

from django import forms

from audit.admin.acting import ReasonForm
from executors import registry
from executors.enums import ExecutionStatus, HoldScope
from executors.models import Execution

#: An id of ours: a word, and 26 characters that begin with the time.
_ID = re.compile(r"[a-z]+_[0-9a-z]{26}")


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
        if not everything and data.get("scope"):
            self._check_that_it_stops_something(HoldScope(data["scope"]), value)
        return data | {"value": value}

    def _check_that_it_stops_something(self, scope: HoldScope, value: str) -> None:
        """Refuse what cannot name anything: such a hold looks like a brake and is none."""
        if not value:
            self.add_error("value", "Say which one to stop.")
        elif scope == HoldScope.ACTION:
            names = [executor.name for executor in registry.catalogue()]
            if value not in names:
                self.add_error("value", f"There is no such action. There is: {', '.join(names)}.")
        elif not _ID.fullmatch(value):
            self.add_error("value", "Write the id, such as agt_01h…, not the name.")
        elif scope == HoldScope.EXECUTION and not Execution.objects.filter(pk=value).exists():
            self.add_error("value", "There is no such execution.")
