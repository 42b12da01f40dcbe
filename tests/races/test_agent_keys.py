"""Races between an agent that submits and the person who revokes its key."""

from collections.abc import Callable

import pytest

from approvals import services
from approvals.errors import AgentError, KeyRefusedError
from approvals.models import Agent, AgentKey, ApprovalRequest
from approvals.services import IssuedKey, Submission
from audit import actors, timeline
from audit.canonical import digest_of
from executors.enums import HoldScope
from executors.models import Hold, Scan
from tests.conftest import issue_key
from tests.races import naive
from tests.races.harness import PATIENCE, ROUNDS, THREADS, alternating, race, strange

pytestmark = [pytest.mark.django_db(transaction=True)]

PAYLOAD = {"payment_intent": "pi_3OnlyStoredNeverSent", "amount": 9500, "currency": "usd"}


def submitting(issued: IssuedKey, name: str) -> Callable[[], ApprovalRequest]:
    return lambda: (
        services.submit(
            key=issued.key,
            idempotency_key=name,
            submission=Submission(service="support", action="stripe.refund", payload=PAYLOAD),
            body_sha256=digest_of(PAYLOAD),
        ).request
    )


def test_nothing_is_stored_for_a_key_that_is_revoked(agent: Agent, only_stored: None) -> None:
    for number in range(ROUNDS):
        issued = issue_key(agent)
        submits = [submitting(issued, f"{number}-{n}") for n in range(THREADS // 2)]
        compromised = number % 2 == 0
        revoke = revoking(issued.key, compromised)
        results = race([contestant for submit in submits for contestant in (submit, revoke)])

        assert strange(results, KeyRefusedError, AgentError) == []
        ends = [result for result in results if isinstance(result, AgentKey)]
        assert len(ends) == 1
        [revoked] = ends
        stored = [result for result in results if isinstance(result, ApprovalRequest)]
        check_stored(revoked, stored)
        assert key_events(revoked) == ["key:issue", "key:revoke"]
        holds = Hold.objects.filter(scope=HoldScope.KEY, value=revoked.pk)
        assert holds.count() == compromised
        with pytest.raises(KeyRefusedError):
            submitting(issued, f"{number}-late")()

    numbers = [fact.number for fact in timeline.facts_about(agent.pk)]
    assert numbers == list(range(1, len(numbers) + 1))


def revoking(key: AgentKey, compromised: bool) -> Callable[[], AgentKey]:
    return lambda: services.revoke_key(
        key_id=key.pk, reason="Lost.", compromised=compromised, by=actors.system("test")
    )


def check_stored(key: AgentKey, stored: list[ApprovalRequest]) -> None:
    """Check that what was answered is what is stored, and that it came before the end."""
    assert key.revoked_at is not None
    rows = ApprovalRequest.objects.filter(agent_key=key)
    assert {row.pk for row in rows} == {request.pk for request in stored}
    for row in rows:
        assert row.submitted_at <= key.revoked_at
        assert [fact.event for fact in timeline.facts_about(row.pk)] == ["request:submit"]


def key_events(key: AgentKey) -> list[str]:
    return [row.event for row in AgentKey.history.filter(id=key.pk).order_by("number")]


def test_the_naive_twin_stores_for_a_revoked_key(agent_key: IssuedKey) -> None:
    key_id = agent_key.key.pk

    def is_lost() -> bool:
        as_new = {"revoked_at": None, "revoked_by": "", "revoked_reason": ""}
        AgentKey.objects.filter(pk=key_id).update(**as_new)
        Scan.objects.all().delete()
        race(alternating(lambda: naive.submit_by(key_id), lambda: naive.revoke(key_id)))
        end = AgentKey.objects.get(pk=key_id).revoked_at
        return Scan.objects.filter(finished_at__gt=end).exists()

    assert any(is_lost() for _ in range(PATIENCE)), "the harness would not notice a broken verb"
