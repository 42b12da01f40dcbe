"""Form fields for what payloads are made of: money, pairs of text, JSON."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from approvals.forms.deciding import parse_payload
from executors.money import DECIMALS, format_money

_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,3})?")
#: Empty rows for new pairs; whoever needs more comes back for more.
NEW_PAIRS = 3


class MoneyField(forms.CharField):
    """An amount as people write it (``95.00``), cleaned to an integer in minor units."""

    def __init__(self, *, currency: str, most: int | None = None, **options: Any) -> None:
        self.currency = currency
        if most is not None:
            options.setdefault("help_text", f"At most {format_money(most, currency)}.")
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(widget=widget, **options)

    def prepare_value(self, value: Any) -> Any:
        """Show minor units as an amount; what was typed stays as it was typed."""
        if isinstance(value, int):
            return format_money(value, self.currency).split(" ")[0].replace(",", "")
        return value

    def clean(self, value: Any) -> Any:
        """Return minor units; nothing is rounded."""
        text = super().clean(value)
        if not text:
            return None
        decimals = DECIMALS[self.currency]
        if not _DECIMAL.fullmatch(text):
            example = format_money(12345, self.currency).split(" ")[0]
            raise ValidationError(f"Write digits and a point only, such as {example}.")
        minor = Decimal(text).scaleb(decimals)
        if minor != int(minor):
            raise ValidationError(f"{self.currency.upper()} has {decimals} decimals.")
        return int(minor)


class PairsWidget(forms.Widget):
    """Rows of a name and a value, plain inputs that need no script."""

    template_name = "approvals/pairs.html"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return the rows: what was typed, then empty ones."""
        context = super().get_context(name, value, attrs)
        pairs = list(value or [])
        context["rows"] = [*pairs, *[("", "")] * (NEW_PAIRS - len(pairs))]
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[tuple[str, str]]:
        """Return the rows that are not empty."""
        names, values = data.getlist(f"{name}-name"), data.getlist(f"{name}-value")
        rows = zip(names, values, strict=False)
        return [(key.strip(), value) for key, value in rows if key.strip() or value]


class PairsField(forms.Field):
    """New pairs of text for an object; the ones that are there already stay as they are."""

    widget = PairsWidget

    def __init__(self, *, present: Mapping[str, str], **options: Any) -> None:
        self.present = present
        super().__init__(required=False, **options)

    def clean(self, value: Any) -> dict[str, str]:
        """Return the new pairs, each name once."""
        pairs: dict[str, str] = {}
        for name, text in value or []:
            if not name or not text:
                raise ValidationError("Each row needs a name and a value.")
            if name in pairs or name in self.present:
                raise ValidationError(f"The name {name} is there already.")
            pairs[name] = text
        return pairs


class JSONTextField(forms.CharField):
    """A JSON value as text, for what has no better input."""

    widget = forms.Textarea(attrs={"class": "cs-code", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        """Show a value as text; what was typed stays as it was typed."""
        return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)

    def clean(self, value: Any) -> Any:
        """Return the value, read as strictly as an agent's."""
        text = super().clean(value)
        if not text:
            return None
        wrapped = parse_payload('{"value":' + text + "}") or {}
        if list(wrapped) != ["value"]:
            raise ValidationError("Write one JSON value.")
        return wrapped["value"]
