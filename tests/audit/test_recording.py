"""What the three ways to write history guard: the transaction, the order, the author, the bytes."""

import hmac
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from approvals.models import Agent, User
from approvals.services import IssuedKey
from audit import actors, history
from audit.canonical import canonical_text
from audit.errors import ConflictError, UnattributedChangeError
from audit.history import Fact

pytestmark = pytest.mark.django_db

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def fact(actor: actors.Actor | None = None) -> Fact:
    by = actor or actors.system("test")
    return Fact(actor=by, event="agent:update", at=AT, reason="because")


def change(agent: Agent, **changes: Any) -> None:
    with transaction.atomic():
        history.transition(agent, fact(), guard={"status": "ACTIVE"}, changes=changes)


@pytest.mark.django_db(transaction=True)
def test_a_guarded_change_outside_a_transaction_changes_nothing(agent: Agent) -> None:
    with pytest.raises(UnattributedChangeError):
        history.transition(
            agent, fact(), guard={"status": "ACTIVE"}, changes={"description": "new"}
        )

    agent.refresh_from_db()
    assert (agent.description, agent.history.count()) == ("", 1)


def test_the_bytes_say_all_that_happened_to_the_row(agent: Agent) -> None:
    change(agent, description="new")

    row = agent.history.latest("number")
    assert json.loads(row.canonical) == {
        "form": 1,
        "table": "approvals_historicalagent",
        "type": "~",
        "subject": agent.pk,
        "number": 2,
        "at": "2026-01-02T03:04:05.000678Z",
        "actor": "system:test",
        "event": "agent:update",
        "reason": "because",
        "fields": {
            "id": agent.pk,
            "name": "billing-agent",
            "description": "new",
            "owner_id": agent.owner_id,
            "status": "ACTIVE",
            "created_at": history.stamp(agent.created_at),
            "created_by": "system:seed",
            "suspended_at": None,
            "suspended_by": "",
            "suspended_reason": "",
        },
    }


def test_a_change_says_which_person_made_it(agent: Agent, reviewer: User) -> None:
    with transaction.atomic():
        history.record(agent, fact(actors.person(reviewer)))

    row = agent.history.latest("number")
    assert (row.history_user, row.history_date, row.history_change_reason) == (
        reviewer,
        AT,
        "because",
    )


@pytest.mark.parametrize("write", [history.record, lambda a, f: history.record_many([a], f)])
def test_an_author_is_not_borrowed_by_the_next_save(agent: Agent, write: Any) -> None:
    with transaction.atomic():
        write(agent, fact())

    with pytest.raises(UnattributedChangeError), transaction.atomic():
        agent.save()


def test_a_change_that_fails_leaves_no_author_behind(
    agent: Agent, other_agent_key: IssuedKey
) -> None:
    agent.name = other_agent_key.key.agent.name
    with pytest.raises(IntegrityError), transaction.atomic():
        history.record(agent, fact())

    agent.name = "billing-agent"
    with pytest.raises(UnattributedChangeError), transaction.atomic():
        agent.save()


def test_many_are_counted_in_the_order_of_their_subjects(
    agent: Agent, other_agent_key: Any
) -> None:
    """Two that count the same subjects wait for each other instead of locking up."""
    ordered = sorted([agent, other_agent_key.key.agent], key=lambda a: a.pk)

    for given in (ordered, ordered[::-1]):
        with transaction.atomic():
            history.record_many(given, fact())

    rows = Agent.history.filter(event="agent:update").order_by("pk")
    assert [row.subject for row in rows] == [a.pk for a in ordered] * 2


def test_each_of_many_rows_is_complete(agent: Agent, other_agent_key: Any) -> None:
    with transaction.atomic():
        history.record_many(Agent.objects.all(), fact())
        history.record_many([], fact())

    for row in Agent.history.filter(event="agent:update"):
        assert (row.history_type, row.actor, row.history_date) == ("~", "system:test", AT)
        assert row.canonical == canonical_text(history.canonical_form(row))
        assert row.hmac == history.authenticate(row.canonical, row.salt)


def test_the_authentication_depends_on_key_salt_and_text(settings: Any) -> None:
    made = {history.authenticate("a", "b"), history.authenticate("a", "c")}
    made.add(history.authenticate("b", "b"))
    settings.COUNTERSIGN_HISTORY_KEY = "another"
    made.add(history.authenticate("a", "b"))

    assert len(made) == 4
    assert history.authenticate("a", "b") == hmac.new(b"another", b"b.a", "sha256").hexdigest()


def test_one_instant_has_one_stamp() -> None:
    abroad = AT.astimezone(timezone(timedelta(hours=2)))

    assert history.stamp(abroad) == history.stamp(AT) == "2026-01-02T03:04:05.000678Z"


def test_a_guard_of_several_columns_holds_whole(agent: Agent) -> None:
    with pytest.raises(ConflictError), transaction.atomic():
        history.transition(
            agent,
            fact(),
            guard={"status": "ACTIVE", "description": "other"},
            changes={"description": "new"},
        )
