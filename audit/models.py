"""The record's own tables. History tables live beside the models that they follow."""

from django.db import models


class Subject(models.Model):
    """Something that the record tells about, and how many facts it has told so far.

    The counter gives every fact of a subject, over all tables, a number without gaps: a row that
    disappears later leaves a hole that an auditor finds.
    """

    id = models.CharField(primary_key=True, max_length=80)
    last_number = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.id} ({self.last_number})"
