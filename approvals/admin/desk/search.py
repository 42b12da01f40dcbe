"""The search of the auditor's desk: a form that narrows requests, each field by an exact value.

Nothing is ranked and nothing is guessed: what the page shows is every request that matches, so that
an auditor can say "there is no other".
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from approvals.admin.filters import LOOKED_AT, as_of_now
from approvals.enums import RequestStatus
from approvals.models import ApprovalRequest, FactsSnapshot, PayloadVersion, Refusal, shown_as
from audit import timeline
from executors.models import Execution
from executors.money import DECIMALS

#: Where a payload names the payment that it is about.
_PAYMENTS = ("payment_intent", "charge")
_MONEY = re.compile(r"(?P<whole>[\d,]+)(?:\.(?P<fraction>\d+))?(?:\s*(?P<currency>[A-Za-z]{3}))?")
#: More digits than any amount has, fewer than a database's integers hold.
_MOST_DIGITS = 15


class SearchForm(forms.Form):
    """What to look for. Empty fields are not asked; all that are filled in must hold."""

    person = forms.CharField(
        required=False, max_length=150, help_text="Username: who voted, settled or was turned away."
    )
    agent = forms.CharField(
        required=False, max_length=60, help_text="Name or id of the agent, or of its key."
    )
    customer = forms.CharField(
        required=False, max_length=255, help_text="cus_…, name or e-mail, as the provider gave it."
    )
    payment = forms.CharField(
        required=False, max_length=255, help_text="pi_…, ch_… or the refund's re_…"
    )
    amount = forms.CharField(
        required=False, max_length=40, help_text="95.00 USD, or minor units: 9500, 9500 USD."
    )
    status = forms.ChoiceField(
        required=False, choices=[("", "Any"), *RequestStatus.choices], label="Status"
    )
    since = forms.DateField(
        required=False,
        label="Asked from",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="First day, UTC.",
    )
    until = forms.DateField(
        required=False,
        label="Asked until",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Last day, UTC.",
    )

    def clean_amount(self) -> tuple[int, str] | None:
        """Return minor units and currency; an empty currency is any."""
        text = self.cleaned_data["amount"]
        return parse_amount(text) if text else None

    def clean(self) -> dict[str, Any]:
        """Refuse a period that ends before it begins."""
        data: dict[str, Any] = super().clean() or {}
        since, until = data.get("since"), data.get("until")
        if since and until and until < since:
            self.add_error("until", "The last day is before the first.")
        return data

    def asked(self) -> dict[str, str]:
        """Return what was filled in, as it was typed: what makes the address of this search."""
        return {name: value for name in self.fields if (value := self.data.get(name, "").strip())}


def parse_amount(text: str) -> tuple[int, str]:
    """Return an amount in minor units and its lower-case currency, which may be empty.

    A number with a decimal point is read as formatted money, and needs its currency; without one it
    is minor units.

    Raises:
        ValidationError: it is neither.
    """
    found = _MONEY.fullmatch(text.strip())
    if found is None or len(text) > _MOST_DIGITS + 10:
        raise forms.ValidationError("Write 95.00 USD, or minor units: 9500.")
    currency = (found["currency"] or "").lower()
    if currency and currency not in DECIMALS:
        raise forms.ValidationError("This currency is not known.")
    digits = found["whole"].replace(",", "") + (found["fraction"] or "")
    if not digits or len(digits) > _MOST_DIGITS:
        raise forms.ValidationError("That is no amount.")
    if found["fraction"] is not None:
        if not currency:
            raise forms.ValidationError("Say the currency too: 95.00 USD.")
        if len(found["fraction"]) != DECIMALS[currency]:
            raise forms.ValidationError(
                f"{currency.upper()} has {DECIMALS[currency]} decimals. Minor units have none."
            )
    return int(digits), currency


def find(asked: dict[str, Any]) -> "QuerySet[ApprovalRequest]":
    """Return the requests that match all of a valid form's cleaned data, newest first."""
    rows = as_of_now(ApprovalRequest.objects.all())
    for name, narrow in _NARROW.items():
        if asked.get(name):
            rows = rows.filter(narrow(asked[name]))
    return rows.order_by("-id")


def _by_person(name: str) -> Q:
    """Requests in whose record this person did something, or was turned away."""
    actor = f"person:{name}"
    found = Q(pk__in=Refusal.objects.filter(attempted_by=actor).values("about"))
    for model in timeline.tables():
        found |= Q(pk__in=model.objects.filter(actor=actor).values("subject"))
    return found


def _by_agent(name: str) -> Q:
    return Q(agent__name=name) | Q(agent=name) | Q(agent_key=name) | Q(agent_key__prefix=name)


def _by_customer(value: str) -> Q:
    same = (
        Q(material__customer=value)
        | Q(display__customer_name=value)
        | Q(display__customer_email=value)
    )
    return Q(pk__in=FactsSnapshot.objects.filter(same).values("request_id"))


def _by_payment(value: str) -> Q:
    named = Q()
    for key in _PAYMENTS:
        named |= Q(**{f"payload__{key}": value})
    facts = FactsSnapshot.objects.filter(Q(resource=value) | Q(material__payment=value))
    return (
        Q(pk__in=PayloadVersion.objects.filter(named).values("request_id"))
        | Q(pk__in=facts.values("request_id"))
        | Q(pk__in=Execution.objects.filter(provider_reference=value).values("subject"))
    )


def _by_amount(amount: tuple[int, str]) -> Q:
    """Requests that asked for so much, or whose payload was changed to so much."""
    minor, currency = amount
    changed = PayloadVersion.objects.filter(payload__amount=minor)
    found = Q(amount_minor=minor) | Q(pk__in=changed.values("request_id"))
    return found & Q(currency=currency) if currency else found


_NARROW: dict[str, Callable[[Any], Q]] = {
    "person": _by_person,
    "agent": _by_agent,
    "customer": _by_customer,
    "payment": _by_payment,
    "amount": _by_amount,
    "status": lambda value: shown_as(value, LOOKED_AT),
    "since": lambda day: Q(submitted_at__gte=datetime.combine(day, time.min, UTC)),
    "until": lambda day: Q(submitted_at__lte=datetime.combine(day, time.max, UTC)),
}
