"""Agents and their keys."""

from datetime import datetime

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from approvals.enums import AgentStatus
from audit.history import track
from audit.identifiers import new_id

AGENT_NAME = RegexValidator(
    r"^[a-z0-9][a-z0-9._-]{0,59}\Z",
    "Use 1 to 60 lower-case letters, digits, dots, hyphens and underscores.",
)


def new_agent_id() -> str:
    """Return ``agt_…``."""
    return new_id("agt")


def new_agent_key_id() -> str:
    """Return ``key_…``."""
    return new_id("key")


class Agent(models.Model):
    """A machine client that may propose. Never a Django user; its name never changes."""

    id = models.CharField(primary_key=True, max_length=40, default=new_agent_id)
    name = models.CharField(max_length=60, unique=True, validators=[AGENT_NAME])
    description = models.TextField(blank=True, default="")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned_agents"
    )
    status = models.CharField(max_length=10, choices=AgentStatus)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    suspended_at = models.DateTimeField(null=True)
    suspended_by = models.CharField(max_length=200, blank=True, default="")
    suspended_reason = models.TextField(blank=True, default="")

    history = track()

    class Meta:
        default_permissions = ("add", "view")
        permissions = [("steer_agent", "Can suspend and resume agents")]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status="ACTIVE",
                    suspended_at__isnull=True,
                    suspended_by="",
                    suspended_reason="",
                )
                | (
                    Q(status="SUSPENDED", suspended_at__isnull=False)
                    & ~Q(suspended_by="")
                    & ~Q(suspended_reason="")
                ),
                name="agent_suspended_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def history_subject(self) -> str:
        """An agent is a subject of its own; its keys are filed under it."""
        return self.id


class AgentKey(models.Model):
    """A key of an agent: a public prefix, and the keyed hash of a secret that is shown once.

    ``actions`` are the catalogue names that it may propose. ``currencies`` empty means any;
    ``ceiling_minor`` is the largest amount, in minor units of those currencies.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_agent_key_id)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="keys")
    prefix = models.CharField(max_length=20, unique=True)
    secret_hash = models.CharField(max_length=64)
    actions = models.JSONField()
    currencies = models.JSONField(default=list)
    ceiling_minor = models.PositiveBigIntegerField(null=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned_agent_keys"
    )
    expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=200, blank=True, default="")
    revoked_reason = models.TextField(blank=True, default="")
    compromised = models.BooleanField(default=False)

    history = track(excluded_fields=["secret_hash"])

    class Meta:
        default_permissions = ("add", "view")
        permissions = [("revoke_agentkey", "Can revoke agent keys")]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    revoked_at__isnull=True, revoked_by="", revoked_reason="", compromised=False
                )
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="") & ~Q(revoked_reason="")),
                name="agentkey_revoked_whole",
            ),
            models.CheckConstraint(
                condition=Q(ceiling_minor__isnull=True) | ~Q(currencies=[]),
                name="agentkey_ceiling_has_currencies",
            ),
        ]

    def __str__(self) -> str:
        return self.prefix

    @property
    def history_subject(self) -> str:
        """Filed under the agent."""
        return self.agent_id

    def is_live(self, at: datetime) -> bool:
        """Tell whether the key could be used at this instant."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


class AgentKeyUse(models.Model):
    """When a key was last used, to the minute: no fact for the record, so a table of its own."""

    key = models.OneToOneField(
        AgentKey, on_delete=models.PROTECT, primary_key=True, related_name="use"
    )
    last_used_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.key_id} at {self.last_used_at}"
