"""A named person says that something has been dealt with: it needs nobody any more.

Nothing is done by that, here or at the provider. What has been done is in the reason.
"""

from typing import Any

from django.db import transaction

from audit import actors, clock, history
from audit.history import Fact
from executors.enums import EventType
from executors.enums import ExecutionStatus as S
from executors.errors import InvalidTransitionError
from executors.models import Execution, Finding
from executors.permissions import check_may_steer
from executors.services.moves import check_reason, check_status, lock


def deal_with(*, execution_id: str, user: Any, reason: str) -> Execution:
    """Mark a REVERSED execution as dealt with. It stays REVERSED, which is final.

    Raises:
        NotPermittedError: this person may not steer executions.
        MissingReasonError: no reason.
        InvalidTransitionError: it is not REVERSED, or was dealt with already.
    """
    _check(user, reason)
    with transaction.atomic():
        execution = lock(execution_id)
        check_status(execution, "dealt with", S.REVERSED)
        _check_is_open(execution)
        at = clock.now()
        history.transition(
            execution,
            Fact(
                actor=actors.person(user),
                event=EventType.EXECUTION_DEAL_WITH,
                at=at,
                reason=reason,
            ),
            guard={"status": S.REVERSED, "fence": execution.fence, "dealt_with_at": None},
            changes={"dealt_with_at": at},
        )
        return execution


def deal_with_finding(*, finding_id: str, user: Any, reason: str) -> Finding:
    """Mark a finding as dealt with. It is not told anew when it is seen at the provider again.

    Raises:
        NotPermittedError: this person may not steer executions.
        MissingReasonError: no reason.
        InvalidTransitionError: it was dealt with already.
    """
    _check(user, reason)
    actor = actors.person(user)
    with transaction.atomic():
        finding = Finding.objects.select_for_update().get(pk=finding_id)
        _check_is_open(finding)
        at = clock.now()
        history.transition(
            finding,
            Fact(actor=actor, event=EventType.FINDING_DEAL_WITH, at=at, reason=reason),
            guard={"dealt_with_at": None},
            changes={
                "dealt_with_at": at,
                "dealt_with_by": str(actor),
                "dealt_with_reason": reason,
            },
        )
        return finding


def _check(user: Any, reason: str) -> None:
    check_may_steer(user)
    check_reason(reason)


def _check_is_open(row: Execution | Finding) -> None:
    if row.dealt_with_at is not None:
        raise InvalidTransitionError(f"{row.pk} was dealt with already.")
