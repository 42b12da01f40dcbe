"""Races between an approval and what else is done in the admin at the same moment."""

from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals import services
from approvals.enums import RequestStatus as S
from approvals.errors import AgentError
from approvals.models import Agent, ApprovalRequest
from audit import actors, timeline
from executors import services as executions
from executors.enums import ExecutionStatus
from executors.models import Attempt, Execution
from tests.races import naive
from tests.races.harness import (
    PATIENCE,
    ROUNDS,
    Contestant,
    alternating,
    race,
    strange,
    winners,
)
from tests.races.ring import REFUSALS, Ring

pytestmark = [pytest.mark.django_db(transaction=True)]

#: What a page answers that does no such thing.
REFUSED = {403, 405}


def page(name: str, *args: object) -> str:
    return reverse(f"admin:approvals_approvalrequest_{name}", args=args)


def attacks_on(request: ApprovalRequest) -> list[tuple[str, dict[str, str]]]:
    """Addresses and forms: an edit, a bulk action, a deletion, and an old version put back."""
    [version] = request.history.all()
    chosen = {"action": "delete_selected", "_selected_action": request.pk, "post": "yes"}
    return [
        (page("change", request.pk), {"status": "REJECTED", "priority": "high", "_save": "1"}),
        (page("changelist"), chosen),
        (page("delete", request.pk), {"post": "yes"}),
        (page("simple_history", request.pk, version.pk), {"status": "PENDING", "_save": "1"}),
    ]


def test_no_edit_and_no_bulk_action_touches_what_is_being_approved(
    new_ring: Callable[[], Ring], browsers: list[Client]
) -> None:
    for _ in range(ROUNDS):
        ring = new_ring()
        pairs = zip(browsers, attacks_on(ring.request), strict=True)
        posts = [lambda c=client, a=attack: c.post(*a).status_code for client, attack in pairs]
        results = race([*chain(*((ring.approve, post) for post in posts))])

        assert set(results[1::2]) <= REFUSED
        assert ring.check(results[::2]) == S.APPROVED
        [_, approved] = ring.request.history.order_by("number")
        for field in approved.tracked_fields:
            assert getattr(approved, field.attname) == getattr(ring.request, field.attname)


def test_what_is_approved_while_its_agent_is_suspended_is_not_sent(
    new_ring: Callable[[], Ring], browsers: list[Client], agent: Agent, reviewer: Any
) -> None:
    address = reverse("admin:approvals_agent_suspend", args=[agent.pk])
    in_the_admin = lambda: browsers[0].post(address, {"reason": "It went mad."})  # noqa: E731
    elsewhere = partial(
        services.suspend_agent, agent_id=agent.pk, reason="It went mad.", by=actors.system("test")
    )
    for _ in range(ROUNDS):
        ring = new_ring()
        suspends = [in_the_admin, elsewhere, elsewhere, elsewhere]
        results = race([*chain(*((ring.approve, suspend) for suspend in suspends))])

        # A page that came too late says so; the status of the one that suspended is a redirect.
        page_says = results[1].status_code
        others = winners(results[3::2])
        assert (page_says, len(others)) in ((302, 0), (409, 1))
        assert strange(results[3::2], AgentError) == []
        check_not_sent(ring, results[::2])
        # So that each round finds nothing queued by an earlier one.
        for held in Execution.objects.filter(status=ExecutionStatus.HELD):
            executions.revoke(execution_id=held.pk, user=reviewer, reason="Not any more.")
        services.resume_agent(agent_id=agent.pk, reason="Repaired.", by=actors.system("test"))


def check_not_sent(ring: Ring, votes: list[Any]) -> None:
    """Check that either nothing was decided, or a worker finds that it must not run."""
    assert strange(votes, *REFUSALS) == []
    execution = Execution.objects.filter(subject=ring.request.pk).first()
    assert len(winners(votes)) == (execution is not None)
    if execution is None:
        ring.request.refresh_from_db()
        assert ring.request.status == S.PENDING
        return
    ring.check(votes)
    executions.run(execution_id=execution.pk, worker="host:1")
    execution.refresh_from_db()
    assert (execution.status, execution.error_code) == (ExecutionStatus.HELD, "hold")
    assert not Attempt.objects.exists()
    numbers = [fact.number for fact in timeline.facts_about(ring.request.pk)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_naive_form_takes_an_approval_back(new_ring: Callable[[], Ring]) -> None:
    request_id = new_ring().request.pk

    def is_lost() -> bool:
        ApprovalRequest.objects.filter(pk=request_id).update(status=S.PENDING, decided_at=None)
        approve: Contestant = lambda: naive.end(request_id, S.APPROVED)  # noqa: E731
        results = race(alternating(approve, lambda: naive.save_form(request_id)))
        is_pending = ApprovalRequest.objects.get(pk=request_id).is_pending
        return S.APPROVED in results and is_pending

    assert any(is_lost() for _ in range(PATIENCE)), "the harness would not notice a broken verb"
