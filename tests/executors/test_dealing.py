"""A named person says that something has been dealt with: a reversed execution, or a finding."""

from collections.abc import Callable
from typing import Any

import pytest

from audit import clock
from executors import services
from executors.attention import NEEDS_A_PERSON, OPEN_FINDING
from executors.enums import ExecutionStatus as S
from executors.errors import InvalidTransitionError, MissingReasonError, NotPermittedError
from executors.models import Execution, Finding
from executors.services import dealing
from tests.executors.conftest import events, report, run

pytestmark = pytest.mark.django_db

Row = Execution | Finding


def deal(row: Row, user: Any, reason: str = "Paid by bank transfer.") -> None:
    if isinstance(row, Execution):
        services.deal_with(execution_id=row.pk, user=user, reason=reason)
    else:
        services.deal_with_finding(finding_id=row.pk, user=user, reason=reason)
    row.refresh_from_db()


def needs_a_person(row: Row) -> bool:
    open_ones = NEEDS_A_PERSON if isinstance(row, Execution) else OPEN_FINDING
    return type(row).objects.filter(open_ones, pk=row.pk).exists()


@pytest.fixture(params=["reversed_one", "finding"])
def row(request: pytest.FixtureRequest) -> Row:
    """Something that needs a person until it is dealt with."""
    found: Row = request.getfixturevalue(request.param)
    assert needs_a_person(found)
    return found


class TestBoth:
    """What holds for an execution and for a finding alike."""

    def test_it_needs_nobody_any_more(self, row: Row, reviewer: Any) -> None:
        deal(row, reviewer)

        assert not needs_a_person(row)

    def test_the_record_says_who_when_and_why(self, row: Row, reviewer: Any) -> None:
        before = clock.now()
        deal(row, reviewer)

        newest = type(row).history.filter(id=row.pk).latest("number")
        assert newest.event.endswith(":deal-with")
        assert (newest.actor, newest.history_user_id) == ("person:reviewer", reviewer.pk)
        assert newest.history_change_reason == "Paid by bank transfer."
        assert newest.history_date == newest.dealt_with_at == row.dealt_with_at
        assert row.dealt_with_at is not None
        assert row.dealt_with_at >= before

    def test_once_only(self, row: Row, reviewer: Any, second_reviewer: Any) -> None:
        deal(row, reviewer)
        told = row.history.count()

        with pytest.raises(InvalidTransitionError, match="was dealt with already"):
            deal(row, second_reviewer, "I paid it, too.")

        assert row.history.count() == told

    @pytest.mark.parametrize("who", ["outsider", "auditor", "admin_user"])
    def test_only_by_who_may_steer(
        self, request: pytest.FixtureRequest, row: Row, who: str
    ) -> None:
        with pytest.raises(NotPermittedError):
            deal(row, request.getfixturevalue(who))

        assert needs_a_person(row)

    @pytest.mark.parametrize("reason", ["", " \n"])
    def test_only_with_a_reason(self, row: Row, reviewer: Any, reason: str) -> None:
        with pytest.raises(MissingReasonError):
            deal(row, reviewer, reason)

        assert needs_a_person(row)

    def test_the_clock_is_read_under_the_lock(
        self, row: Row, reviewer: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done: list[str] = []
        sets = type(row).objects.all().__class__
        lock, now = sets.select_for_update, clock.now
        monkeypatch.setattr(
            sets,
            "select_for_update",
            lambda self, **options: (done.append("lock"), lock(self, **options))[1],
        )
        monkeypatch.setattr(dealing.clock, "now", lambda: (done.append("clock"), now())[1])
        deal(row, reviewer)

        assert done == ["lock", "clock"]

    def test_without_its_history_nothing_is_changed(
        self, row: Row, reviewer: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise OSError("The disk is full.")

        monkeypatch.setattr("audit.history.insert", fail)
        with pytest.raises(OSError, match="full"):
            deal(row, reviewer)

        row.refresh_from_db()
        assert needs_a_person(row)


class TestExecution:
    """REVERSED stays REVERSED."""

    def test_the_status_stays(self, reversed_one: Execution, reviewer: Any) -> None:
        deal(reversed_one, reviewer)

        assert reversed_one.status == S.REVERSED
        assert events(reversed_one)[-2:] == ["execution:reverse", "execution:deal-with"]

    @pytest.mark.parametrize("which", ["execution", "claimed", "unknown"])
    def test_nothing_else(self, request: pytest.FixtureRequest, reviewer: Any, which: str) -> None:
        execution = request.getfixturevalue(which)

        with pytest.raises(InvalidTransitionError, match="only while it is REVERSED"):
            deal(execution, reviewer)

    def test_no_success(self, execution: Execution, reviewer: Any) -> None:
        run(execution)

        with pytest.raises(InvalidTransitionError, match="only while it is REVERSED"):
            deal(execution, reviewer)


class TestFinding:
    """It is told once, and stays as the person left it."""

    def test_it_begins_open_with_the_system_as_its_author(self, finding: Finding) -> None:
        row = finding.history.get()

        assert (row.actor, row.event) == ("system:comparison", "finding:report")
        assert (row.subject, row.history_date) == (finding.pk, finding.found_at)
        assert row.history_change_reason == finding.message
        assert finding.pk.startswith("fnd_")

    def test_it_is_filed_under_the_request_when_an_execution_is_known(
        self, execution: Execution, reviewer: Any
    ) -> None:
        finding = report(execution)
        deal(finding, reviewer)

        assert {row.subject for row in finding.history.all()} == {execution.subject}

    def test_it_says_who_and_why(self, finding: Finding, reviewer: Any) -> None:
        deal(finding, reviewer)

        assert finding.dealt_with_by == "person:reviewer"
        assert finding.dealt_with_reason == "Paid by bank transfer."

    def test_seen_again_it_stays_dealt_with(
        self, finding: Finding, reviewer: Any, alarms: Callable[[], list[str]]
    ) -> None:
        deal(finding, reviewer)
        told = alarms()

        assert report() == finding
        assert not needs_a_person(finding)
        assert (finding.history.count(), alarms()) == (2, told)

    def test_of_two_readings_at_once_one_tells_it(
        self, finding: Finding, monkeypatch: pytest.MonkeyPatch, alarms: Callable[[], list[str]]
    ) -> None:
        answers = iter([None, finding])
        monkeypatch.setattr("executors.findings._known", lambda *_: next(answers))
        told = alarms()

        assert report() == finding
        assert (Finding.history.count(), alarms()) == (1, told)
