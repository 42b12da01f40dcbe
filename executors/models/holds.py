"""The brakes."""

from django.db import models
from django.db.models import Q

from audit.history import track
from audit.identifiers import new_id
from executors.enums import HoldScope


def new_hold_id() -> str:
    """Return ``hld_…``."""
    return new_id("hld")


class Hold(models.Model):
    """A brake: while it stands, nothing in its scope is claimed or sent."""

    id = models.CharField(primary_key=True, max_length=40, default=new_hold_id)
    scope = models.CharField(max_length=12, choices=HoldScope)
    value = models.CharField(max_length=80, blank=True, default="")
    reason = models.TextField()
    set_by = models.CharField(max_length=200)
    set_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=200, blank=True, default="")
    lifted_at = models.DateTimeField(null=True)
    lift_reason = models.TextField(blank=True, default="")

    history = track()

    class Meta:
        default_permissions = ("view",)
        permissions = [("set_hold", "Can set and lift holds")]
        indexes = [
            models.Index(
                fields=["scope", "value"], condition=Q(lifted_at__isnull=True), name="hold_in_force"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by="", lift_reason="")
                | (Q(lifted_at__isnull=False) & ~Q(lifted_by="") & ~Q(lift_reason="")),
                name="hold_lifted_whole",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="hold_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.value}".strip()

    @property
    def history_subject(self) -> str:
        """A hold is a subject of its own."""
        return self.id
