"""Stopping an agent or a key: what is refused, what is held, and what the record says."""

from datetime import timedelta
from typing import Any

import pytest

from approvals import services
from approvals.errors import AgentError
from approvals.models import Agent, AgentKey
from approvals.permissions import SEED
from approvals.services import IssuedKey
from audit import clock
from audit.errors import ConflictError
from executors import services as executions
from executors.enums import HoldScope
from executors.models import Execution, Hold
from tests.conftest import issue_key
from tests.executors.conftest import run

pytestmark = pytest.mark.django_db


def revoke(issued: IssuedKey, *, compromised: bool, reason: str = "Laptop lost.") -> AgentKey:
    return services.revoke_key(
        key_id=issued.key.pk, reason=reason, compromised=compromised, by=SEED
    )


def statuses() -> list[str]:
    return list(Execution.objects.values_list("status", flat=True))


def test_a_compromised_key_holds_what_it_asked_for(
    pending_request: Any, approve: Any, agent_key: IssuedKey
) -> None:
    approve(pending_request)

    revoke(agent_key, compromised=True)

    hold = Hold.objects.get()
    assert (hold.scope, hold.value) == (HoldScope.KEY, agent_key.key.pk)
    assert (hold.reason, hold.set_by) == ("Laptop lost.", "system:seed")
    assert statuses() == ["HELD"]


def test_a_rotated_key_holds_nothing(
    pending_request: Any, approve: Any, agent_key: IssuedKey
) -> None:
    approve(pending_request)

    revoke(agent_key, compromised=False)

    assert not Hold.objects.exists()
    assert statuses() == ["QUEUED"]


def test_a_suspended_agent_holds_what_all_its_keys_asked_for_until_it_is_resumed(
    pending_request: Any, approve: Any, agent: Agent
) -> None:
    approve(pending_request)

    services.suspend_agent(agent_id=agent.pk, reason="Odd.", by=SEED)
    hold = Hold.objects.get()
    assert (hold.scope, hold.value, hold.reason) == (HoldScope.AGENT, agent.pk, "Odd.")
    assert statuses() == ["HELD"]

    services.resume_agent(agent_id=agent.pk, reason="Explained.", by=SEED)
    assert hold.history.latest("number").history_change_reason == "Explained."
    assert statuses() == ["QUEUED"]


def test_a_hold_that_somebody_set_by_itself_stands_when_the_agent_is_resumed(
    pending_request: Any, approve: Any, agent: Agent, later: Any
) -> None:
    def hold() -> Hold:
        return executions.set_hold(
            scope=HoldScope.AGENT, value=agent.pk, reason="Audit.", actor=SEED, at=clock.now()
        )

    approve(pending_request)
    before = hold()
    later(seconds=1)
    services.suspend_agent(agent_id=agent.pk, reason="Odd.", by=SEED)
    later(seconds=1)
    after = hold()

    services.resume_agent(agent_id=agent.pk, reason="Explained.", by=SEED)

    standing = Hold.objects.filter(lifted_at__isnull=True)
    assert set(standing) == {before, after}
    assert Hold.objects.exclude(pk__in=standing).get().reason == "Odd."
    assert run(Execution.objects.get()) == "HELD"


def test_what_is_held_for_a_suspended_agent_without_a_hold_goes_on_when_it_is_resumed(
    pending_request: Any, approve: Any, agent: Agent, later: Any
) -> None:
    approve(pending_request)
    services.suspend_agent(agent_id=agent.pk, reason="Odd.", by=SEED)
    executions.lift_holds(
        scope=HoldScope.AGENT, value=agent.pk, reason="By hand.", actor=SEED, at=clock.now()
    )
    execution = Execution.objects.get()
    executions.run(execution_id=execution.pk, worker="worker")
    execution.refresh_from_db()
    assert (execution.error_code, execution.held_by) == ("agent_suspended", None)
    services.resume_agent(agent_id=agent.pk, reason="Explained.", by=SEED)

    later(seconds=301)
    executions.try_repaired(limit=10)

    assert statuses() == ["QUEUED"]


def test_a_suspended_agent_says_since_when_by_whom_and_why(agent: Agent) -> None:
    suspended = services.suspend_agent(agent_id=agent.pk, reason=" Odd. ", by=SEED)

    row = agent.history.first()
    assert (suspended.suspended_by, suspended.suspended_reason) == ("system:seed", "Odd.")
    assert suspended.suspended_at == row.history_date
    assert (row.event, row.actor, row.history_change_reason) == (
        "agent:suspend",
        "system:seed",
        "Odd.",
    )


def test_a_revoked_key_says_since_when_by_whom_and_why(agent_key: IssuedKey) -> None:
    revoked = revoke(agent_key, compromised=False, reason="Rotated.")

    row = revoked.history.first()
    assert (revoked.revoked_by, revoked.revoked_reason) == ("system:seed", "Rotated.")
    assert revoked.revoked_at == row.history_date
    assert (row.event, row.actor, row.history_change_reason) == (
        "key:revoke",
        "system:seed",
        "Rotated.",
    )


def test_a_new_key_says_by_whom_and_for_how_long(agent: Agent) -> None:
    until = clock.now() + timedelta(days=1)

    key = issue_key(agent, expires_at=until).key

    row = key.history.get()
    assert (row.event, row.actor, key.created_by) == ("key:issue", "system:seed", "system:seed")
    assert (key.expires_at, key.created_at) == (until, row.history_date)


def test_resuming_needs_a_reason(agent: Agent) -> None:
    services.suspend_agent(agent_id=agent.pk, reason="Odd.", by=SEED)

    with pytest.raises(AgentError) as caught:
        services.resume_agent(agent_id=agent.pk, reason=" ", by=SEED)

    assert caught.value.field == "reason"
    assert Hold.objects.get().lifted_at is None


def test_a_deactivated_person_answers_for_no_new_key(agent: Agent, outsider: Any) -> None:
    outsider.is_active = False
    outsider.save()

    with pytest.raises(AgentError) as caught:
        services.issue_key(
            agent_id=agent.pk,
            actions=["stripe.refund"],
            owner_id=outsider.pk,
            currencies=[],
            ceiling_minor=None,
            expires_at=None,
            by=SEED,
        )

    assert caught.value.field == "owner"


def test_what_an_expired_key_leaves_is_room_for_another(agent: Agent, later: Any) -> None:
    for _ in range(services.agents.MOST_LIVE_KEYS):
        issue_key(agent, expires_at=clock.now() + timedelta(seconds=30))
    later(seconds=31)

    assert issue_key(agent).key.is_live(clock.now())


def test_a_new_agent_says_by_whom_and_what_for(admin_user: Any) -> None:
    agent = services.create_agent(
        name="new", owner_id=admin_user.pk, description="Answers mail.", by=SEED
    )

    assert (agent.description, agent.created_by) == ("Answers mail.", "system:seed")
    assert agent.created_at == agent.history.get().history_date


def test_a_stale_copy_stops_and_resumes_nothing(
    agent: Agent, agent_key: IssuedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the lock ever lost, the guard of the update would still hold."""
    active = Agent.objects.get(pk=agent.pk)
    suspended = services.suspend_agent(agent_id=agent.pk, reason="Odd.", by=SEED)
    monkeypatch.setattr(services.agents, "_lock_agent", lambda _: active)
    with pytest.raises(ConflictError):
        services.suspend_agent(agent_id=agent.pk, reason="Odd.", by=SEED)

    stale = Agent.objects.get(pk=suspended.pk)
    monkeypatch.setattr(services.agents, "_lock_agent", lambda _: Agent.objects.get(pk=agent.pk))
    services.resume_agent(agent_id=agent.pk, reason="Explained.", by=SEED)
    monkeypatch.setattr(services.agents, "_lock_agent", lambda _: stale)
    with pytest.raises(ConflictError):
        services.resume_agent(agent_id=agent.pk, reason="Explained.", by=SEED)
