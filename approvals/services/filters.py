"""Searches that a person keeps: saved and forgotten by their owner alone."""

from typing import Any

from django.db import IntegrityError, transaction

from approvals.errors import InvalidInputError
from approvals.models import SavedFilter
from audit import clock

#: Of one person: enough to work with, too few to fill a table.
MOST_FILTERS = 50


def save_filter(*, owner: Any, name: str, query: str) -> SavedFilter:
    """Keep a search under a name of its owner's own.

    Raises:
        InvalidInputError: they have one of this name, or too many.
    """
    if SavedFilter.objects.filter(owner=owner).count() >= MOST_FILTERS:
        raise InvalidInputError(
            f"You have {MOST_FILTERS} saved searches. Delete one first.", field="name"
        )
    try:
        with transaction.atomic():
            return SavedFilter.objects.create(
                owner=owner, name=name, query=query, saved_at=clock.now()
            )
    except IntegrityError as error:
        raise InvalidInputError(
            f"You have a saved search {name!r} already.", field="name"
        ) from error


def delete_filter(*, owner: Any, filter_id: int) -> bool:
    """Forget a search of this owner; tell whether there was one."""
    deleted, _ = SavedFilter.objects.filter(owner=owner, pk=filter_id).delete()
    return bool(deleted)
