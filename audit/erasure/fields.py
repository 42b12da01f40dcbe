"""Columns that may hold personal data. NULL in one of them means that it was erased.

Their Python types say nothing of None: whatever acts on a row acts on one that was not erased.
Whoever may meet an erased row asks ``is_erased`` first.
"""

from typing import Any

from django.db import models


class ErasableField:
    """A column that allows NULL, which nothing but an erasure writes."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **(options | {"null": True}))

    def deconstruct(self) -> Any:
        """Leave out what is always so."""
        name, path, args, options = super().deconstruct()  # type: ignore[misc]
        options.pop("null", None)
        return name, path, args, options


class ErasableChar(ErasableField, models.CharField):  # type: ignore[type-arg]
    """A short text that may hold personal data."""


class ErasableText(ErasableField, models.TextField):  # type: ignore[type-arg]
    """A text that may hold personal data."""


class ErasableJSON(ErasableField, models.JSONField):
    """A JSON value that may hold personal data."""


def is_erased(value: Any) -> bool:
    """Tell whether the value of such a column was erased."""
    return value is None
