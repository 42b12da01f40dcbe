"""What the tests of decisions look at afterwards."""

from typing import Any

from django.conf import settings

from approvals.enums import RequestStatus
from approvals.models import ApprovalRequest, Decision, PayloadVersion, Review
from audit.signing import keys, tokens
from executors.models import Execution


def claims_of(decision: Decision) -> dict[str, Any]:
    trusted = keys.load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)
    return tokens.verify(decision.token, trusted, use=keys.DECISION)


def nothing_was_decided(request: ApprovalRequest) -> bool:
    request.refresh_from_db()
    return (
        request.status == RequestStatus.PENDING
        and not Decision.objects.exists()
        and not Review.objects.exists()
        and not Execution.objects.exists()
        and PayloadVersion.objects.count() == 1
        and request.history.count() == 1
    )
