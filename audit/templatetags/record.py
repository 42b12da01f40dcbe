"""Filters for pages: text made visible, JSON whole, time in words."""

from datetime import datetime
from typing import Any

from django import template
from django.utils.safestring import SafeString

from audit import visible as showing
from audit import words

register = template.Library()


@register.filter
def visible(value: object) -> SafeString:
    """Show text in one line, with every invisible character as its code point."""
    return showing.show(None if value is None else str(value))


@register.filter
def visible_block(value: object) -> SafeString:
    """Show text with its line breaks, and every other invisible character as its code point."""
    return showing.show_block(None if value is None else str(value))


@register.filter
def whole_json(value: Any) -> SafeString:
    """Show a JSON value whole, indented."""
    return showing.show_json(value)


@register.filter
def instant(value: datetime | None) -> str:
    """Show an instant in UTC; a dash when there is none, which templates give as ``""``."""
    return words.instant(value) if value else "–"


@register.filter
def span_to(value: datetime, other: datetime) -> str:
    """Show the time between two instants in words."""
    return words.of_span(other - value)


@register.filter
def digest_short(value: str) -> str:
    """Show enough of a digest to compare by eye: ``7f3a 91c2 … e04d``."""
    return f"{value[:4]} {value[4:8]} … {value[-4:]}"
