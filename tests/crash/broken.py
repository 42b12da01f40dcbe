"""Executors as they are often written. Each must fail the scenarios that ours passes.

They replace one step of ours in this process, and so in every process that is forked from it.
"""

from collections.abc import Callable
from datetime import timedelta
from math import inf
from typing import Any

import pytest
from django.db.models import Q

from audit import clock, failpoints
from audit.identifiers import new_id
from executors import verification
from executors.enums import ExecutionStatus as S
from executors.errors import LostLeaseError
from executors.models import Execution, Intent
from executors.services import claiming, moves, running, sending, settling, stopping, sweeping
from executors.verification import Verified

Break = Callable[[pytest.MonkeyPatch], None]


def new_key_per_retry(patch: pytest.MonkeyPatch) -> None:
    """Every try is a request of its own, so the provider cannot know that it is the same one."""
    send = running.send

    def send_anew(executor: Any, intent: Any, **more: Any) -> Any:
        intent.idempotency_key = f"cs_{new_id('dec')}"
        return send(executor, intent, **more)

    patch.setattr(running, "send", send_anew)


def no_fence(patch: pytest.MonkeyPatch) -> None:
    """Whoever had the execution once goes on with it while it runs, whoever runs it by now."""

    def still_mine(claimed: Execution) -> Execution:
        execution = moves.lock(claimed.pk)
        if execution.status != S.RUNNING:
            raise LostLeaseError("It does not run any more.")
        return execution

    _claim_with(patch, still_mine)


def no_look_at_the_status(patch: pytest.MonkeyPatch) -> None:
    """Whoever had the execution once goes on with it, whatever became of it since."""

    def still_mine(claimed: Execution) -> Execution:
        execution = moves.lock(claimed.pk)
        execution.status = S.RUNNING
        execution.lease_expires_at = clock.now() + timedelta(minutes=1)
        return execution

    _claim_with(patch, still_mine)


def _claim_with(patch: pytest.MonkeyPatch, lock_claimed: Callable[[Execution], Execution]) -> None:
    for module in (sending, settling, stopping):
        patch.setattr(module, "lock_claimed", lock_claimed)


def result_before_intent(patch: pytest.MonkeyPatch) -> None:
    """It sends first, and writes down what it did when it knows how that went."""
    plan = running.send

    def carry_out(claimed: Execution, actor: Any) -> None:
        verified: Verified = verification.verify(claimed, at=clock.now())
        prepared = verified.executor.prepare(verified.claims, verified.token_sha256)
        unwritten = Intent(
            execution=claimed,
            idempotency_key=f"cs_{claimed.jti}",
            method=prepared.method,
            path=prepared.path,
            body=prepared.body,
            api_version=prepared.api_version,
        )
        outcome = plan(verified.executor, unwritten, not_after=inf)
        failpoints.reached("answer:read")
        sending.obtain_intent(claimed, verified, actor=actor)
        running._settle(claimed, verified, sending.begin_attempt(claimed), outcome, actor)

    patch.setattr(running, "_carry_out", carry_out)


def acknowledgement_as_truth(patch: pytest.MonkeyPatch) -> None:
    """A message that was taken is a job that is done: nobody looks at its execution again."""
    is_due, due_filter = claiming.is_due, sweeping.due_filter

    def is_untouched(execution: Execution, at: Any) -> bool:
        return execution.fence == 0 and is_due(execution, at)

    patch.setattr(claiming, "is_due", is_untouched)
    patch.setattr(sweeping, "due_filter", lambda at, **how: due_filter(at, **how) & Q(fence=0))
