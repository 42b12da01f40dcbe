"""The words of this floor."""

from django.db.models import TextChoices


class RequestStatus(TextChoices):
    """Where an approval request stands. All but PENDING are final."""

    PENDING = "PENDING", "Waiting for a person"
    APPROVED = "APPROVED", "Approved"
    APPROVED_WITH_MODIFICATIONS = "APPROVED_WITH_MODIFICATIONS", "Approved with changes"
    REJECTED = "REJECTED", "Rejected"
    WITHDRAWN = "WITHDRAWN", "Withdrawn by the agent"
    EXPIRED = "EXPIRED", "Expired"
    BLOCKED = "BLOCKED", "Blocked by a rule"


class Outcome(TextChoices):
    """What was decided; the decision token carries it."""

    APPROVED = "APPROVED", "Approved"
    APPROVED_WITH_MODIFICATIONS = "APPROVED_WITH_MODIFICATIONS", "Approved with changes"
    REJECTED = "REJECTED", "Rejected"


class Verdict(TextChoices):
    """One person's vote on one payload version."""

    APPROVE = "APPROVE", "Approve"
    REJECT = "REJECT", "Reject"


class Method(TextChoices):
    """How the person was known at the moment of the vote."""

    SESSION = "session", "Signed in"


class Priority(TextChoices):
    """How urgent the agent says it is."""

    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"


class AgentStatus(TextChoices):
    """Whether an agent may propose."""

    ACTIVE = "ACTIVE", "Active"
    SUSPENDED = "SUSPENDED", "Suspended"


class EventType(TextChoices):
    """Events that this floor writes to the record. Retired names are never used again."""

    REQUEST_SUBMIT = "request:submit", "proposed the action"
    REQUEST_APPROVE = "request:approve", "approved the request"
    REQUEST_REJECT = "request:reject", "rejected the request"
    REQUEST_WITHDRAW = "request:withdraw", "took the request back"
    REQUEST_EXPIRE = "request:expire", "let the request expire"
    REQUEST_PATCH = "request:patch", "changed the payload"
    REVIEW_VOTE = "review:vote", "voted"
    DECISION_SIGN = "decision:sign", "signed the decision"
    AGENT_CREATE = "agent:create", "created the agent"
    AGENT_UPDATE = "agent:update", "changed the agent"
    AGENT_SUSPEND = "agent:suspend", "suspended the agent"
    AGENT_RESUME = "agent:resume", "resumed the agent"
    KEY_ISSUE = "key:issue", "issued an agent key"
    KEY_REVOKE = "key:revoke", "revoked the agent key"
    USER_CREATE = "user:create", "created the account"
    USER_UPDATE = "user:update", "changed the account"
    USER_PASSWORD = "user:password", "set the password"
    USER_REHASH = "user:rehash", "stored the same password with a newer hash"
    USER_GROUPS = "user:groups", "changed groups or permissions"
    USER_DEACTIVATE = "user:deactivate", "deactivated the account"
    GROUP_CREATE = "group:create", "created the group"
    GROUP_UPDATE = "group:update", "changed the group"
    GROUP_DELETE = "group:delete", "deleted the group"
    REFUSAL_KEEP = "refusal:keep", "was turned away"
