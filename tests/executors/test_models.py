"""What the tables themselves refuse, and how rows name themselves."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit import actors, clock
from executors import services
from executors.enums import HoldScope
from executors.models import Attempt, Execution, Finding, Hold, Intent
from tests.executors.conftest import run

pytestmark = pytest.mark.django_db


def break_row(row: Any, **changes: Any) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        type(row).objects.filter(pk=row.pk).update(**changes)


class TestExecution:
    """A row that could never come out of the services cannot be stored."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"status": "DONE"},
            {"status": "SUCCEEDED"},
            {"status": "FAILED"},
            {"status": "RUNNING"},
        ],
    )
    def test_a_queued_one(self, execution: Execution, changes: dict[str, Any]) -> None:
        break_row(execution, **changes)

    def test_a_finished_one_has_a_time(self, execution: Execution) -> None:
        run(execution)

        break_row(execution, finished_at=None)

    def test_a_success_has_a_receipt(self, execution: Execution) -> None:
        run(execution)

        break_row(execution, receipt=None)

    def test_a_waiting_one_has_no_end(self, execution: Execution) -> None:
        break_row(execution, finished_at=clock.now())

    def test_only_a_held_one_is_held_by_something(self, execution: Execution) -> None:
        break_row(execution, held_by=set_hold())

    def test_a_running_one_comes_back(self, claimed: Execution) -> None:
        break_row(claimed, lease_expires_at=None)

    def test_only_a_reversed_one_is_dealt_with(self, execution: Execution) -> None:
        run(execution)

        break_row(execution, dealt_with_at=clock.now())


class TestFinding:
    """Dealt with whole, or not at all; told once."""

    @pytest.mark.parametrize("changes", [{"dealt_with_by": "person:x"}, {"dealt_with_reason": "x"}])
    def test_half_dealt_with(self, finding: Finding, changes: dict[str, Any]) -> None:
        break_row(finding, **changes)

    @pytest.mark.parametrize("missing", ["dealt_with_by", "dealt_with_reason", "dealt_with_at"])
    def test_dealt_with_without(self, finding: Finding, reviewer: Any, missing: str) -> None:
        services.deal_with_finding(finding_id=finding.pk, user=reviewer, reason="x")

        break_row(finding, **{missing: None if missing == "dealt_with_at" else ""})


class TestAttempt:
    """Ended with an outcome, or neither."""

    @pytest.mark.parametrize("changes", [{"ended_at": None}, {"outcome": ""}])
    def test_half_ended(self, execution: Execution, changes: dict[str, Any]) -> None:
        run(execution)

        break_row(Attempt.objects.get(), **changes)


class TestHold:
    """Lifted whole, or not at all."""

    @pytest.mark.parametrize(
        "changes", [{"lifted_by": "person:x"}, {"lift_reason": "x"}, {"reason": ""}]
    )
    def test_half_lifted(self, changes: dict[str, Any]) -> None:
        break_row(set_hold(), **changes)

    def test_lifted_by_nobody(self) -> None:
        break_row(set_hold(), lifted_at=clock.now())


def test_rows_name_themselves(execution: Execution) -> None:
    run(execution)

    assert str(execution) == execution.pk
    assert str(Intent.objects.get()) == f"cs_{execution.jti}"
    assert str(Attempt.objects.get()) == f"{execution.pk} attempt 1"
    assert str(set_hold()) == "Agent agt_other"


def set_hold() -> Hold:
    return services.set_hold(
        scope=HoldScope.AGENT,
        value="agt_other",
        reason="Something is odd.",
        actor=actors.system("test"),
        at=clock.now(),
    )
