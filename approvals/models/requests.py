"""Approval requests: the wish, its payload versions, the facts for it, and what was refused."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from approvals.enums import Priority, RequestStatus
from approvals.models.agents import Agent, AgentKey
from audit.erasure.fields import ErasableChar, ErasableJSON, ErasableText
from audit.history import track
from audit.identifiers import new_id


def new_request_id() -> str:
    """Return ``req_…``."""
    return new_id("req")


def shown_as(status: str, at: datetime | F, *, through: str = "") -> Q:
    """Filter by the status that is shown: past its deadline a pending request has expired.

    The twin of ``rules.present_status`` for many rows; whether the sweep has been by makes no
    difference to either. ``through`` is the relation that leads to the request.
    """
    stored = Q((f"{through}status", status))
    pending = Q((f"{through}status", RequestStatus.PENDING))
    if status == RequestStatus.PENDING:
        return pending & Q((f"{through}expires_at__gt", at))
    if status == RequestStatus.EXPIRED:
        return stored | (pending & Q((f"{through}expires_at__lte", at)))
    return stored


class ApprovalRequest(models.Model):
    """The stored wish of an agent to have an action done."""

    id = models.CharField(primary_key=True, max_length=40, default=new_request_id)
    status = models.CharField(max_length=30, choices=RequestStatus)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="requests")
    agent_key = models.ForeignKey(AgentKey, on_delete=models.PROTECT, related_name="requests")
    idempotency_key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    service = models.CharField(max_length=80)
    action = models.CharField(max_length=60)
    action_version = models.PositiveIntegerField()
    amount_minor = models.PositiveBigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    payload_version = models.PositiveIntegerField(default=1)
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.MEDIUM)
    reason = ErasableText(blank=True, default="")
    context = ErasableJSON(default=dict)
    metadata = ErasableJSON(default=dict)
    trace_id = ErasableChar(max_length=128, blank=True, default="")
    submitted_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    expired_at = models.DateTimeField(null=True)
    blocked_code = models.CharField(max_length=60, blank=True, default="")
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="superseded_by"
    )

    history = track()

    class Meta:
        default_permissions = ("view",)
        permissions = [("decide_approvalrequest", "Can approve, patch and reject requests")]
        indexes = [
            models.Index(fields=["status", "expires_at"], name="request_status_expiry"),
            models.Index(fields=["agent", "-id"], name="request_agent_newest"),
            models.Index(
                fields=["agent"], condition=Q(status="PENDING"), name="request_agent_pending"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["agent", "idempotency_key"], name="request_idempotent_per_agent"
            ),
            models.CheckConstraint(
                condition=Q(status__in=RequestStatus.values), name="request_status_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["PENDING", "BLOCKED"],
                    decided_at__isnull=True,
                    withdrawn_at__isnull=True,
                    expired_at__isnull=True,
                )
                | Q(
                    status__in=["APPROVED", "APPROVED_WITH_MODIFICATIONS", "REJECTED"],
                    decided_at__isnull=False,
                    withdrawn_at__isnull=True,
                    expired_at__isnull=True,
                )
                | Q(
                    status="WITHDRAWN",
                    decided_at__isnull=True,
                    withdrawn_at__isnull=False,
                    expired_at__isnull=True,
                )
                | Q(
                    status="EXPIRED",
                    decided_at__isnull=True,
                    withdrawn_at__isnull=True,
                    expired_at__isnull=False,
                ),
                name="request_status_has_its_time",
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def history_subject(self) -> str:
        """A request is the subject that most facts are about."""
        return self.id

    @property
    def is_pending(self) -> bool:
        """Tell whether it still waits for a decision."""
        return self.status == RequestStatus.PENDING


class PayloadVersion(models.Model):
    """One numbered version of a payload; 1 is what was submitted. Insert-only."""

    request = models.ForeignKey(
        ApprovalRequest, on_delete=models.PROTECT, related_name="payload_versions"
    )
    number = models.PositiveIntegerField()
    payload = ErasableJSON()
    sha256 = models.CharField(max_length=64)
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["request", "number"], name="payload_version_numbered_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} payload {self.number}"


class FactsSnapshot(models.Model):
    """What the provider said about the payload's object at one moment. Insert-only.

    ``resource`` is the provider's id of what the action takes a part of (the charge behind a
    refund), so that requests about one payment find each other, however each names it.

    ``problem`` says why the facts forbid the action as asked (another currency, too little left).
    """

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="facts")
    number = models.PositiveIntegerField()
    provider = models.JSONField()
    material = ErasableJSON()
    display = ErasableJSON()
    resource = models.CharField(max_length=255, blank=True, default="", db_index=True)
    problem = ErasableText(blank=True, default="")
    read_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="facts_numbered_once"),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} facts {self.number}"


class Refusal(models.Model):
    """An attempt that was turned away: by an agent with a valid key, or a self-approval.

    Written once; its one history row is what the record seals. ``about`` is the request that a
    person tried to decide.
    """

    code = models.CharField(max_length=60)
    message = ErasableText()
    body_sha256 = models.CharField(max_length=64, blank=True, default="")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, related_name="refusals")
    attempted_by = models.CharField(max_length=200)
    about = models.CharField(max_length=80, blank=True, default="")
    refused_at = models.DateTimeField()

    history = track()

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.code} {self.attempted_by}"

    @property
    def history_subject(self) -> str:
        """File under the agent, or under the request that a person tried to decide."""
        return self.agent_id or self.about
