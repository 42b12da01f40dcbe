"""Checks that the floors above register: every row, no false findings, no way to stop the rest."""

import pytest

from approvals.models import Agent
from audit import actors, clock, history
from audit.history import Fact
from audit.log.verification import pages, registered
from audit.log.verification.findings import Finding, Tally

pytestmark = pytest.mark.django_db


@pytest.fixture
def register(monkeypatch):
    """Register a check of agents, and no other."""
    monkeypatch.setattr(registered, "_checks", {})
    return lambda check: registered.register(Agent, check)


def found(tally=None) -> list[str]:
    return [finding.text for finding in registered.check_registered(tally or Tally())]


def about(row, sentence="Wrong.") -> Finding:
    return Finding(kind="token", table="agents", row=str(row.pk), sentence=sentence)


def test_every_row_is_looked_at_in_pages_and_by_every_check(
    register, agent, other_agent_key, monkeypatch
):
    monkeypatch.setattr(pages, "PAGE", 1)
    first, second = [], []
    register(lambda rows: iter(first.extend(rows) or ()))
    register(lambda rows: iter(second.extend(rows) or ()))
    steps = []
    tally = Tally(advance=steps.append)

    assert found(tally) == []

    everyone = list(Agent.objects.order_by("pk"))
    assert first == second == everyone
    assert tally.tokens == sum(steps) == len(everyone) == 2
    assert registered.models() == [Agent]


def test_the_same_check_is_asked_once(register, agent):
    def check(rows):
        yield from map(about, rows)

    register(check)
    register(check)

    assert found() == [f"token agents:{agent.pk} Wrong."]


def test_what_was_changed_between_two_looks_is_no_finding(register, agent):
    """The first look reads the row before a change, and what belongs to it after it."""
    looks = []

    def check(rows):
        looks.append(len(rows))
        if len(looks) == 2:
            fact = Fact(actor=actors.system("test"), event="agent:update", at=clock.now())
            history.record_many(rows, fact)
        if len(looks) < 3:
            yield from map(about, rows)

    register(check)

    assert found() == []
    assert len(looks) == 3, "after a change that happened meanwhile it is looked at once more"


def test_what_never_stands_still_is_given_up(register, agent):
    def check(rows):
        fact = Fact(actor=actors.system("test"), event="agent:update", at=clock.now())
        history.record_many(rows, fact)
        yield from map(about, rows)

    register(check)

    assert found() == []


def test_what_a_check_cannot_read_is_a_finding_of_that_row_alone(register, agent, other_agent_key):
    def check(rows):
        if agent in rows:
            raise ValueError("a column of something that belongs to it")
        yield from map(about, rows)

    register(check)

    assert sorted(found()) == sorted(
        [
            f"columns approvals_agent:{agent.pk} What belongs to it holds what it cannot hold.",
            f"token agents:{other_agent_key.key.agent_id} Wrong.",
        ]
    )
