"""``approvals.forms.payload``: a form out of any action's schema."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.http import QueryDict

from approvals.forms.payload import PayloadForm

SCHEMA = {
    "type": "object",
    "required": ["count", "note", "kind"],
    "properties": {
        "amount": {"type": "integer"},
        "currency": {"type": "string"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "title": "How many"},
        "note": {"type": "string", "maxLength": 5, "description": "Short."},
        "size": {"enum": [1, 2]},
        "kind": {"enum": ["part", "whole"]},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "steps": {"type": "array", "items": {"type": "string"}},
        "dry": {"type": "boolean"},
    },
}
ORIGINAL: dict[str, Any] = {
    "currency": "kwd",
    "amount": 1250,
    "count": 3,
    "note": "abc",
    "kind": "part",
    "steps": ["a"],
    "dry": False,
}
FIELDS = ("amount", "count", "note", "size", "kind", "labels", "steps", "dry")


def form(data: str | None = None, **changes: Any) -> PayloadForm:
    executor: Any = SimpleNamespace(schema=SCHEMA, editable=FIELDS)
    original = ORIGINAL | changes
    return PayloadForm(executor, original, data=None if data is None else QueryDict(data))


WHOLE = {
    "field-amount": "1.250",
    "field-count": "3",
    "field-note": "abc",
    "field-size": "",
    "field-kind": "part",
    "field-steps": '["a"]',
    "field-dry": "false",
}


def sent(**changes: str) -> str:
    query = QueryDict(mutable=True)
    query.update(WHOLE | {f"field-{name}": value for name, value in changes.items()})
    return query.urlencode()


def test_each_kind_of_field_has_its_input():
    html = str(form())

    assert 'name="field-amount" value="1.250"' in html
    assert "At most 1.250 KWD." in html
    assert "How many" in html
    assert 'maxlength="5"' in html
    assert "Short." in html
    assert '<option value="2">' in html
    assert 'name="field-labels-name"' in html
    assert "[\n  &quot;a&quot;\n]" in html


def test_what_is_not_touched_stays_as_it_is():
    filled = form(sent())

    assert filled.is_valid(), filled.errors
    assert filled.payload() == ORIGINAL


def test_values_keep_their_types():
    filled = form(sent(amount="1.2", count="4", size="2", steps='["b", "c"]', dry="true"))

    assert filled.is_valid(), filled.errors
    assert filled.payload() == ORIGINAL | {
        "amount": 1200,
        "count": 4,
        "size": 2,
        "steps": ["b", "c"],
        "dry": True,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", "10"),
        ("count", ""),
        ("count", "x"),
        ("note", "abcdef"),
        ("size", "3"),
        ("kind", ""),
        ("amount", "1.2505"),
        ("steps", "["),
        ("steps", "1.5"),
        ("steps", '1}, {"a": 1'),
        ("steps", '1, "other": 2'),
        ("steps", '1, "value": 2'),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(name, value):
    filled = form(sent(**{name: value}))

    assert not filled.is_valid()
    assert list(filled.errors) == [name]


def test_an_emptied_field_is_taken_out():
    filled = form(sent(steps="", amount=""))

    assert filled.is_valid(), filled.errors
    assert filled.payload().keys() == ORIGINAL.keys() - {"steps", "amount"}


def test_an_amount_without_a_known_currency_is_a_plain_number():
    assert 'inputmode="numeric"' in str(form(currency="xxx")["amount"])


def test_whole_units_have_no_decimals():
    filled = form(sent(amount="1.5"), currency="jpy")

    assert filled.errors["amount"] == ["JPY has 0 decimals."]


def test_an_amount_that_is_no_number_has_no_limit_to_show():
    assert "At most" not in str(form(amount=None)["amount"])
