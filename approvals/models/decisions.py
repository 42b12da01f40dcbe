"""Reviews (one person's vote) and decisions (the one final, signed judgement)."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from approvals.enums import Method, Outcome, Verdict
from approvals.models.requests import ApprovalRequest
from audit.erasure.fields import ErasableJSON, ErasableText
from audit.history import track
from audit.identifiers import new_id


def new_review_id() -> str:
    """Return ``rev_…``."""
    return new_id("rev")


def new_decision_id() -> str:
    """Return ``dec_…``: the token's ``jti``, its single-use nonce."""
    return new_id("dec")


class Review(models.Model):
    """One live vote per person and payload version. ``view`` is what the person saw, as bytes."""

    id = models.CharField(primary_key=True, max_length=40, default=new_review_id)
    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="reviews")
    payload_version = models.PositiveIntegerField()
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="reviews"
    )
    verdict = models.CharField(max_length=10, choices=Verdict)
    reason = ErasableText()
    view = ErasableText()
    viewed_sha256 = models.CharField(max_length=64)
    method = models.CharField(max_length=10, choices=Method)
    reviewed_at = models.DateTimeField()

    history = track()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["request", "payload_version", "reviewer"],
                name="review_one_per_person_and_version",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="review_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.reviewer_id}"

    @property
    def history_subject(self) -> str:
        """Filed under the request."""
        return self.request_id


class Decision(models.Model):
    """The one final judgement on a request. Written once, together with its signed token."""

    id = models.CharField(primary_key=True, max_length=40, default=new_decision_id)
    request = models.OneToOneField(
        ApprovalRequest, on_delete=models.PROTECT, related_name="decision"
    )
    outcome = models.CharField(max_length=30, choices=Outcome)
    reason = ErasableText()
    payload_version = models.PositiveIntegerField()
    diff = ErasableJSON(default=list)
    token = ErasableText()
    token_sha256 = models.CharField(max_length=64, unique=True)
    kid = models.CharField(max_length=60)
    decided_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    history = track()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="decision_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.request_id}"

    @property
    def history_subject(self) -> str:
        """Filed under the request."""
        return self.request_id
