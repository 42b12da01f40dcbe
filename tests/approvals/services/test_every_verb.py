"""What holds for every verb: its locks in their order, then the clock, and one transaction."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from approvals import services, viewing
from approvals.models import Agent, ApprovalRequest, User
from approvals.permissions import SEED
from approvals.services import IssuedKey
from approvals.services import facts as reading
from audit import clock
from audit.statements import Query
from tests.conftest import issue_key

WHY = {"reason": "Something is odd.", "by": SEED}
AGENT, KEY, REQUEST, USER, CLOCK = (
    "Agent",
    "Agent self",
    "ApprovalRequest self",
    "User",
    "clock",
)


@dataclass(frozen=True, kw_only=True)
class Stage:
    """An agent with a key and a pending request, and a reviewer."""

    agent: Agent
    key: IssuedKey
    request: ApprovalRequest
    reviewer: User
    submit: Callable[..., ApprovalRequest]

    def vote(self) -> dict[str, Any]:
        return {
            "request_id": self.request.pk,
            "reviewer_id": self.reviewer.pk,
            "reason": "Checked.",
            "digest": viewing.current_view(self.request).digest,
        }


Act = Callable[[], Any]


def create_agent(stage: Stage) -> Act:
    options = {"name": "new", "owner_id": stage.agent.owner_id, "description": ""}
    return lambda: services.create_agent(**options, by=SEED)


def new_key(stage: Stage) -> Act:
    return lambda: issue_key(stage.agent)


def revoke_key(stage: Stage) -> Act:
    return lambda: services.revoke_key(key_id=stage.key.key.pk, compromised=True, **WHY)


def suspend_agent(stage: Stage) -> Act:
    return lambda: services.suspend_agent(agent_id=stage.agent.pk, **WHY)


def resume_agent(stage: Stage) -> Act:
    suspend_agent(stage)()
    return lambda: services.resume_agent(agent_id=stage.agent.pk, **WHY)


def submit(stage: Stage) -> Act:
    payload = stage.request.payload_versions.get().payload
    return lambda: stage.submit(payload)


def approve(stage: Stage) -> Act:
    vote = stage.vote()
    return lambda: services.approve(**vote)


def reject(stage: Stage) -> Act:
    vote = stage.vote()
    return lambda: services.reject(**vote)


def withdraw(stage: Stage) -> Act:
    return lambda: services.withdraw(key_id=stage.key.key.pk, request_id=stage.request.pk)


def expire_due(stage: Stage) -> Act:
    ApprovalRequest.objects.update(expires_at=clock.now())
    return services.expire_due


def refresh_facts(stage: Stage) -> Act:
    return lambda: services.refresh_facts(request_id=stage.request.pk)


VERBS: dict[Callable[[Stage], Act], list[str]] = {
    create_agent: [USER, CLOCK],
    new_key: [AGENT, USER, CLOCK],
    revoke_key: [AGENT, CLOCK],
    suspend_agent: [AGENT, CLOCK],
    resume_agent: [AGENT, CLOCK],
    submit: [KEY, CLOCK],
    approve: [REQUEST, USER, CLOCK],
    reject: [REQUEST, USER, CLOCK],
    withdraw: [KEY, REQUEST, CLOCK],
    # Once to find what is due, and again when it is locked.
    expire_due: [CLOCK, "ApprovalRequest skip_locked", CLOCK],
    # Once before the provider is asked, in no transaction, and again under the lock.
    refresh_facts: [CLOCK, REQUEST, CLOCK],
}
verbs = pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)


@pytest.fixture
def stage(
    agent: Agent,
    agent_key: IssuedKey,
    pending_request: ApprovalRequest,
    reviewer: User,
    submit: Callable[..., ApprovalRequest],
    monkeypatch: pytest.MonkeyPatch,
) -> Stage:
    found = reading.Reading(
        facts=viewing.facts_of(pending_request.facts.get()), problem="", read_at=clock.now()
    )
    monkeypatch.setattr(reading, "read", lambda executor, payload: found)
    return Stage(
        agent=agent, key=agent_key, request=pending_request, reviewer=reviewer, submit=submit
    )


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which rows this floor locked, how, and when the clock was read, in this order."""
    taken: list[str] = []
    really_lock, really_read = QuerySet.select_for_update, clock.now

    def lock(rows: Any, **how: Any) -> Any:
        model = rows.model
        options = [name for name in how if how[name] is True and name != "no_key"]
        if model._meta.app_label == "approvals":
            assert how["no_key"], "a full lock would stop whoever only refers to the row"
            taken.append(" ".join([model.__name__, *how.get("of", ()), *options]))
        return really_lock(rows, **how)

    def read() -> Any:
        taken.append(CLOCK)
        return really_read()

    monkeypatch.setattr(QuerySet, "select_for_update", lock)
    # What is written once, and locks each time, is written anew here, so that we hear of it.
    monkeypatch.setattr(Query, "get", lambda query, **texts: query._build(**texts).first())
    monkeypatch.setattr(clock, "now", read)
    return taken


@pytest.fixture
def open_writes() -> Iterator[list[str]]:
    """What was written outside any transaction."""
    found: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")) and not connection.in_atomic_block:
            found.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield found


@verbs
@pytest.mark.django_db
def test_it_reads_the_clock_once_its_locks_are_held(
    verb: Callable[[Stage], Act], stage: Stage, steps: list[str]
) -> None:
    act = verb(stage)
    steps.clear()

    act()

    assert steps == VERBS[verb]


@verbs
@pytest.mark.django_db(transaction=True)
def test_it_writes_in_a_transaction_of_its_own(
    verb: Callable[[Stage], Act], stage: Stage, open_writes: list[str]
) -> None:
    act = verb(stage)
    open_writes.clear()

    act()

    assert open_writes == []
