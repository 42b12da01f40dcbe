"""The numbers of each subject: none left out, none twice, none that nobody gave out."""

import pytest

from approvals.models import Agent
from audit.log.verification import pages, subjects
from audit.log.verification.findings import Tally
from audit.models import Subject
from tests.audit.log.verification.conftest import found, sql

pytestmark = pytest.mark.django_db

TABLE = "approvals_historicalagent"


@pytest.fixture
def agent_rows(sealed, agent_key):
    """The rows of the agent; number 5 of its subject is its key's, the others are its own."""
    sealed(2)
    assert agent_key.key.history.get().number == 5
    return {row.number: row for row in Agent.history.all()}


def numbers() -> list[str]:
    return [one.text for one in subjects.check_subjects(Tally())]


def test_numbers_over_several_tables_have_no_findings(agent_rows, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 2)

    assert sorted(agent_rows) == [1, 2, 3, 4, 6, 7]
    assert numbers() == []


@pytest.mark.parametrize(
    ("gone", "which"),
    [
        ([1], "Number 1 is"),
        ([3], "Number 3 is"),
        ([3, 4], "Numbers 3 to 4 are"),
        ([7], "Number 7 is"),
        ([6, 7], "Numbers 6 to 7 are"),
    ],
)
def test_a_gap_is_named(agent, agent_rows, gone, which):
    for number in gone:
        sql(f"DELETE FROM {TABLE} WHERE history_id = %s", agent_rows[number].pk)

    assert numbers() == [f"gap audit_subject:{agent.pk} {which} missing."]
    assert f"gap audit_subject:{agent.pk} {which} missing." in found()


def test_all_rows_of_a_subject_are_a_gap_too(sealed, agent):
    Subject.objects.create(id="agt_other", last_number=2)
    Subject.objects.create(id="agt_none", last_number=0)

    assert numbers() == ["gap audit_subject:agt_other Numbers 1 to 2 are missing."]


def test_a_number_twice_over_two_tables_is_named(agent, agent_rows):
    """The database itself refuses it within one table."""
    row = agent_rows[4]
    sql(f"UPDATE {TABLE} SET number = 5 WHERE history_id = %s", row.pk)

    lines = numbers()
    assert lines[0] == f"gap audit_subject:{agent.pk} Number 4 is missing."
    assert "Its number 5 was given out to another row, or to none." in lines[1]
    assert len(lines) == 2


@pytest.mark.parametrize("number", [0, -1, 99])
def test_a_number_that_nobody_gave_out_is_named(agent, agent_rows, number):
    row = agent_rows[7]
    sql(f"UPDATE {TABLE} SET number = %s WHERE history_id = %s", number, row.pk)

    why = f"Its number {number} was given out to another row, or to none."
    assert f"number {TABLE}:{row.pk} {why}" in numbers()
    assert f"gap audit_subject:{agent.pk} Number 7 is missing." in numbers()


def test_a_counter_that_was_set_back_is_found(agent, agent_rows):
    sql("UPDATE audit_subject SET last_number = 6 WHERE id = %s", agent.pk)

    why = "Its number 7 was given out to another row, or to none."
    assert numbers() == [f"number {TABLE}:{agent_rows[7].pk} {why}"]


def test_a_row_of_a_subject_without_a_counter_is_named(agent, agent_rows):
    sql("DELETE FROM audit_subject WHERE id = %s", agent.pk)

    lines = numbers()
    assert f"number {TABLE}:{agent_rows[1].pk} Its subject has no counter." in lines
    assert len(lines) == 7


def test_a_row_that_is_written_meanwhile_is_no_finding(agent_rows, change, monkeypatch):
    read = subjects._totals_of

    def read_late(keys):
        change()
        return read(keys)

    monkeypatch.setattr(subjects, "_totals_of", read_late)

    assert numbers() == []


def test_numbers_that_are_written_during_the_second_look_are_no_finding(
    agent, agent_rows, change, monkeypatch
):
    monkeypatch.setattr(subjects, "_totals_of", lambda keys: {})
    read = subjects._numbers

    def read_late(subject):
        if subject == agent.pk:
            change()
        return read(subject)

    monkeypatch.setattr(subjects, "_numbers", read_late)

    assert numbers() == []
