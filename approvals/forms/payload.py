"""A form made from an action's JSON Schema, limited to the fields that a reviewer may change."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from approvals.forms.fields import JSONTextField, MoneyField, PairsField
from executors.base import Executor
from executors.money import DECIMALS

PREFIX = "field"
#: Descriptions are Markdown for the API's page; a form shows plain text.
_CODE = re.compile(r"`([^`]+)`")


class PayloadForm(forms.Form):
    """One field per editable field of the payload; ``payload()`` is the whole changed payload."""

    def __init__(
        self,
        executor: Executor,
        original: Mapping[str, Any],
        *,
        draft: Mapping[str, Any] | None = None,
        data: QueryDict | None = None,
    ) -> None:
        super().__init__(data, prefix=PREFIX)
        self.executor = executor
        self.original = original
        present = original if draft is None else draft
        for name in executor.editable:
            self.fields[name] = _field(name, executor.schema, original)
            self.initial[name] = _initial(self.fields[name], present.get(name), original.get(name))

    def payload(self) -> dict[str, Any]:
        """Return the original payload with what was changed; a field left empty is taken out."""
        changed = dict(self.original)
        for name, value in self.cleaned_data.items():
            if isinstance(self.fields[name], PairsField):
                whole = {**self.original.get(name, {}), **value}
            else:
                whole = value
            if whole in (None, "", {}):
                changed.pop(name, None)
            else:
                changed[name] = whole
        return changed


def _initial(field: forms.Field, value: Any, original: Any) -> Any:
    """Return what a field starts with; pairs start with those that the draft added."""
    if not isinstance(field, PairsField):
        return value
    known = original or {}
    return [(name, text) for name, text in (value or {}).items() if name not in known]


def _field(name: str, schema: Mapping[str, Any], original: Mapping[str, Any]) -> forms.Field:
    part = _part(name, schema)
    options: dict[str, Any] = {
        "label": str(part.get("title") or name.replace("_", " ").capitalize()),
        "required": name in schema.get("required", ()),
        "help_text": _CODE.sub(r"“\1”", str(part.get("description", ""))),
    }
    currency = str(original.get("currency", ""))
    if name == "amount" and part.get("type") == "integer" and currency in DECIMALS:
        return _money(currency, original.get(name), options)
    if "enum" in part:
        return _choice(part["enum"], options)
    if part.get("type") == "integer":
        return _integer(part, options)
    if part.get("type") == "string":
        return forms.CharField(**options, max_length=part.get("maxLength"), strip=False)
    if _is_text_by_name(part):
        return _pairs(original.get(name), options)
    return JSONTextField(**options)


def _part(name: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    part: Mapping[str, Any] = schema["properties"][name]
    return part


def _is_text_by_name(part: Mapping[str, Any]) -> bool:
    values = part.get("additionalProperties")
    return part.get("type") == "object" and isinstance(values, dict) and values["type"] == "string"


def _money(currency: str, most: Any, options: dict[str, Any]) -> forms.Field:
    options = {**options, "label": f"{options['label']} in {currency.upper()}"}
    options.pop("help_text")
    return MoneyField(currency=currency, most=most if isinstance(most, int) else None, **options)


def _choice(values: list[Any], options: dict[str, Any]) -> forms.Field:
    by_text = {str(value): value for value in values}
    choices = [(text, text.replace("_", " ")) for text in by_text]
    if not options["required"]:
        choices.insert(0, ("", "none"))
    return forms.TypedChoiceField(choices=choices, coerce=by_text.__getitem__, **options)


def _integer(part: Mapping[str, Any], options: dict[str, Any]) -> forms.Field:
    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    return forms.IntegerField(
        min_value=part.get("minimum"), max_value=part.get("maximum"), widget=widget, **options
    )


def _pairs(present: Any, options: dict[str, Any]) -> forms.Field:
    there = ", ".join(present or {})
    text = f"There already: {there}. Those stay." if there else "Names and values to add."
    return PairsField(
        present=present or {}, label=f"Add to {options['label'].lower()}", help_text=text
    )
