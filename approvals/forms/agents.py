"""Forms about agents and their keys."""

from typing import Any

from django import forms

from approvals.models import User
from approvals.models.agents import AGENT_NAME
from audit.admin.acting import ReasonForm
from executors import registry
from executors.money import DECIMALS

_LARGEST = 99_999_999


def _people() -> Any:
    return User.objects.filter(is_active=True).order_by("username")


class AgentForm(forms.Form):
    """A new agent."""

    name = forms.CharField(
        max_length=60,
        validators=[AGENT_NAME],
        help_text="Lower-case letters, digits, dots, hyphens and underscores. It never changes.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"}),
    )
    owner = forms.ModelChoiceField(
        queryset=User.objects.none(),
        help_text="Who answers for the agent. That person never decides what it asks for.",
    )
    description = forms.CharField(
        required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = _people()  # type: ignore[attr-defined]


class KeyForm(forms.Form):
    """A new key for an agent."""

    actions = forms.MultipleChoiceField(
        choices=[], widget=forms.CheckboxSelectMultiple, label="Actions that it may propose"
    )
    owner = forms.ModelChoiceField(
        queryset=User.objects.none(), help_text="Who answers for this key."
    )
    currencies = forms.CharField(
        required=False, help_text="Codes with spaces between, such as usd eur. Empty: any."
    )
    ceiling_minor = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=_LARGEST,
        label="Largest amount",
        help_text="In the smallest unit: 5000 is 50.00 USD or 5,000 JPY. Needs currencies.",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    expires_at = forms.DateTimeField(
        required=False,
        label="Valid until (UTC)",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = _people()  # type: ignore[attr-defined]
        offered = [
            (action.name, f"{action.name}: {action.summary}") for action in registry.catalogue()
        ]
        self.fields["actions"].choices = offered  # type: ignore[attr-defined]

    def clean_currencies(self) -> list[str]:
        """Return lower-case codes, each known."""
        codes = self.cleaned_data["currencies"].lower().replace(",", " ").split()
        unknown = sorted(set(codes) - set(DECIMALS))
        if unknown:
            raise forms.ValidationError(f"No known currency: {', '.join(unknown)}.")
        return sorted(set(codes))


class RevokeKeyForm(ReasonForm):
    """Why a key is revoked, and whether somebody else may have it."""

    compromised = forms.BooleanField(
        required=False,
        label="Somebody else may have this key",
        help_text="Then what it asked for is held too, and cannot be approved any more.",
    )
    field_order = ["compromised", "reason"]
