"""What the provider shows: readings, events, listings, and what no record of ours explains."""

from django.db import models
from django.db.models import Q

from audit.erasure.fields import ErasableText
from audit.history import track
from audit.identifiers import new_id
from executors.enums import FindingKind, ReadingResult
from executors.models.executions import Execution


def new_finding_id() -> str:
    """Return ``fnd_…``."""
    return new_id("fnd")


class Reading(models.Model):
    """One reading of the provider after the request: when it began, and what it showed.

    Written once. ``begun_at`` is from before the first byte was asked for, so that a later event
    is never taken for one that this reading has seen.
    """

    id = models.BigAutoField(primary_key=True)
    execution = models.ForeignKey(Execution, on_delete=models.PROTECT, related_name="readings")
    begun_at = models.DateTimeField()
    result = models.CharField(max_length=10, choices=ReadingResult)
    provider_reference = models.CharField(max_length=255, blank=True, default="")
    provider_status = models.CharField(max_length=60, blank=True, default="")
    error_code = models.CharField(max_length=80, blank=True, default="")
    error_message = ErasableText(blank=True, default="")

    class Meta:
        default_permissions = ("view",)
        ordering = ("begun_at", "pk")
        indexes = [models.Index(fields=["execution", "begun_at"], name="reading_latest")]

    def __str__(self) -> str:
        return f"{self.execution_id} {self.result}"


class ProviderEvent(models.Model):
    """An event that the provider announced, by its own id: the second time it is known already.

    Written once, whatever becomes of the bell: an execution with an event that is newer than its
    last reading is due to be read.
    """

    id = models.CharField(primary_key=True, max_length=255)
    type = models.CharField(max_length=80)
    execution = models.ForeignKey(
        Execution, on_delete=models.PROTECT, null=True, related_name="provider_events"
    )
    received_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        indexes = [models.Index(fields=["execution", "received_at"], name="event_latest")]

    def __str__(self) -> str:
        return self.id


class Finding(models.Model):
    """Something at the provider that our record does not explain: told once, with an alarm.

    It is open until a person says that it has been dealt with, how, and why.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_finding_id)
    kind = models.CharField(max_length=20, choices=FindingKind)
    provider_reference = models.CharField(max_length=255)
    execution = models.ForeignKey(
        Execution, on_delete=models.PROTECT, null=True, related_name="findings"
    )
    message = ErasableText()
    found_at = models.DateTimeField()
    dealt_with_at = models.DateTimeField(null=True)
    dealt_with_by = models.CharField(max_length=200, blank=True, default="")
    dealt_with_reason = ErasableText(blank=True, default="")

    history = track()

    class Meta:
        default_permissions = ("view",)
        indexes = [
            models.Index(
                fields=["found_at"], condition=Q(dealt_with_at__isnull=True), name="finding_open"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "provider_reference"], name="finding_told_once"
            ),
            models.CheckConstraint(
                condition=Q(dealt_with_at__isnull=True, dealt_with_by="", dealt_with_reason="")
                | (
                    Q(dealt_with_at__isnull=False) & ~Q(dealt_with_by="") & ~Q(dealt_with_reason="")
                ),
                name="finding_dealt_with_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.provider_reference}"

    @property
    def history_subject(self) -> str:
        """File under the request when an execution is known, else under itself."""
        return self.id if self.execution is None else self.execution.subject


class Scan(models.Model):
    """A complete listing of what was made at the provider. Written once, when it is complete.

    The next one begins a little before ``until``. The first of an account lists nothing: it says
    from when on the account is watched.
    """

    id = models.BigAutoField(primary_key=True)
    action = models.CharField(max_length=60)
    account = models.CharField(max_length=80)
    since = models.DateTimeField()
    until = models.DateTimeField()
    listed = models.PositiveIntegerField()
    finished_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        indexes = [models.Index(fields=["action", "account", "until"], name="scan_latest")]

    def __str__(self) -> str:
        return f"{self.action} {self.pk}"
