"""The carrying-out of decisions: what will be sent, and each try to send it."""

from django.db import models
from django.db.models import Q

from audit.erasure.fields import ErasableText
from audit.history import track
from audit.identifiers import new_id
from executors.enums import AttemptClass, ExecutionStatus


def new_execution_id() -> str:
    """Return ``exe_…``."""
    return new_id("exe")


class Execution(models.Model):
    """The one carrying-out of a decision. ``jti`` is the decision's id: the physical limit.

    ``subject`` is the request's id; this floor knows no requests, it only files under it.
    ``fence`` grows with every claim; a worker whose fence is old writes nothing any more.
    ``agent`` and ``agent_key`` are ids out of the token, there to find rows by: what counts is
    the token. ``dealt_with_at`` says since when a REVERSED one needs nobody any more; who said so,
    and why, is in its history.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_execution_id)
    jti = models.CharField(max_length=40, unique=True)
    subject = models.CharField(max_length=40, db_index=True)
    token = ErasableText()
    action = models.CharField(max_length=60)
    action_version = models.PositiveIntegerField()
    agent = models.CharField(max_length=40, db_index=True)
    agent_key = models.CharField(max_length=40, db_index=True)
    status = models.CharField(max_length=10, choices=ExecutionStatus)
    fence = models.PositiveBigIntegerField(default=0)
    claimed_by = models.CharField(max_length=120, blank=True, default="")
    claimed_at = models.DateTimeField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True)
    ambiguous = models.BooleanField(default=False)
    held_by = models.ForeignKey(
        "Hold", on_delete=models.PROTECT, null=True, related_name="executions"
    )
    queued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    dealt_with_at = models.DateTimeField(null=True)
    provider_reference = models.CharField(max_length=255, blank=True, default="")
    provider_status = models.CharField(max_length=60, blank=True, default="")
    receipt = models.JSONField(null=True)
    error_code = models.CharField(max_length=80, blank=True, default="")
    error_message = ErasableText(blank=True, default="")

    history = track()

    class Meta:
        default_permissions = ("view",)
        permissions = [("steer_execution", "Can revoke, hold, release and resolve executions")]
        indexes = [
            models.Index(fields=["status", "next_attempt_at"], name="execution_due"),
            models.Index(fields=["status", "finished_at"], name="execution_finished"),
            models.Index(fields=["provider_reference"], name="execution_reference"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=ExecutionStatus.values), name="execution_status_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["SUCCEEDED", "FAILED", "REFUSED", "REVERSED"],
                    finished_at__isnull=False,
                )
                | Q(status__in=["QUEUED", "HELD", "RUNNING", "UNKNOWN"], finished_at__isnull=True),
                name="execution_final_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="SUCCEEDED") | Q(receipt__isnull=False),
                name="execution_success_has_receipt",
            ),
            # Nothing is ever stuck: a running execution has a lease that lapses or a next date.
            models.CheckConstraint(
                condition=~Q(status="RUNNING")
                | Q(lease_expires_at__isnull=False)
                | Q(next_attempt_at__isnull=False),
                name="execution_running_comes_back",
            ),
            models.CheckConstraint(
                condition=Q(held_by__isnull=True) | Q(status="HELD"),
                name="execution_held_by_only_while_held",
            ),
            models.CheckConstraint(
                condition=Q(dealt_with_at__isnull=True) | Q(status="REVERSED"),
                name="execution_dealt_with_only_when_reversed",
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def history_subject(self) -> str:
        """File under the request."""
        return self.subject


class Intent(models.Model):
    """What will be sent, byte for byte, committed before the first byte leaves. Never changed.

    One per execution, and one provider idempotency key per decision, for ever.
    """

    execution = models.OneToOneField(Execution, on_delete=models.PROTECT, primary_key=True)
    idempotency_key = models.CharField(max_length=80, unique=True)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=200)
    body = ErasableText()
    provider_kind = models.CharField(max_length=20)
    account = models.CharField(max_length=80)
    livemode = models.BooleanField()
    api_version = models.CharField(max_length=40)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.idempotency_key


class Attempt(models.Model):
    """One try at the provider: begun before the request leaves, ended with what it proved."""

    id = models.BigAutoField(primary_key=True)
    execution = models.ForeignKey(Execution, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField()
    fence = models.PositiveBigIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=14, choices=AttemptClass, blank=True, default="")
    http_status = models.PositiveIntegerField(null=True)
    request_id = models.CharField(max_length=120, blank=True, default="")
    error_code = models.CharField(max_length=80, blank=True, default="")
    error_message = ErasableText(blank=True, default="")

    class Meta:
        default_permissions = ("view",)
        ordering = ("number",)
        constraints = [
            models.UniqueConstraint(fields=["execution", "number"], name="attempt_numbered_once"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, outcome="")
                | (Q(ended_at__isnull=False) & ~Q(outcome="")),
                name="attempt_ended_with_outcome",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.execution_id} attempt {self.number}"
