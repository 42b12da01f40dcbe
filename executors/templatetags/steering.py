"""Executions in plain wording."""

from collections.abc import Mapping
from typing import Any

from django import template

from executors import wording

register = template.Library()


@register.filter
def execution_words(status: str) -> str:
    """Say in a sentence what this status means."""
    return wording.sentence(status)


@register.filter
def execution_tone(status: str) -> str:
    """Return the tone in which the status is shown."""
    return wording.tone(status)


@register.filter
def receipt_lines(receipt: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a receipt as labels and values."""
    return wording.receipt_lines(receipt)
