"""Searches that a person keeps. A convenience: no fact for the record."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from audit.erasure.fields import ErasableChar
from audit.visible import ERASED


class SavedFilter(models.Model):
    """A search under a name, for the person who saved it alone. ``query`` is a query string."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters"
    )
    name = ErasableChar(max_length=80)
    query = ErasableChar(max_length=2000)
    saved_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="savedfilter_named_once"),
            models.CheckConstraint(condition=~Q(name=""), name="savedfilter_has_name"),
        ]

    def __str__(self) -> str:
        return self.name or ERASED
