"""Races about one request: whoever comes first decides, and nobody else believes to have."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from approvals import services, viewing
from approvals.enums import RequestStatus as S
from approvals.errors import IdempotencyMismatchError
from approvals.models import ApprovalRequest, Decision
from approvals.services import IssuedKey, Submission, Submitted
from audit import clock
from audit.canonical import digest_of
from audit.signing import tokens
from tests.races import naive
from tests.races.harness import PATIENCE, ROUNDS, THREADS, alternating, race, strange, winners
from tests.races.ring import Ring

pytestmark = [pytest.mark.django_db(transaction=True)]


def test_a_double_click_decides_once(new_ring: Callable[[], Ring]) -> None:
    for _ in range(ROUNDS):
        ring = new_ring()
        ring.check(race(alternating(ring.approve)))


def test_two_people_who_approve_make_one_decision(new_ring: Callable[[], Ring]) -> None:
    for _ in range(ROUNDS):
        ring = new_ring()
        ring.check(race(alternating(ring.approve, lambda ring=ring: ring.approve(1))))


def test_approval_and_rejection_do_not_both_win(new_ring: Callable[[], Ring]) -> None:
    for _ in range(ROUNDS):
        ring = new_ring()
        assert ring.check(race(alternating(ring.approve, ring.reject))) in (S.APPROVED, S.REJECTED)


def test_approval_and_expiry_meet_at_the_deadline(new_ring: Callable[[], Ring]) -> None:
    for number in range(ROUNDS):
        ring = new_ring()
        # So near that it passes while they are on their way, a little later in each round.
        deadline = clock.now() + timedelta(milliseconds=number * 2)
        ApprovalRequest.objects.filter(pk=ring.request.pk).update(expires_at=deadline)
        ring.digest = viewing.current_view(ApprovalRequest.objects.get(pk=ring.request.pk)).digest
        results = race(alternating(ring.approve, ring.expire))
        if not winners(results):
            # All came between the last approval and the first expiry: the next sweep ends it.
            results = [ring.expire()]

        if ring.check(results) == S.APPROVED:
            assert ring.request.decided_at is not None
            assert ring.request.decided_at < ring.request.expires_at


def test_a_patch_never_slips_under_an_approval(new_ring: Callable[[], Ring]) -> None:
    for _ in range(ROUNDS):
        ring = new_ring()
        won = ring.check(race(alternating(ring.approve, ring.approve_less)))

        claims = tokens.unverified_claims(Decision.objects.get(request=ring.request).token)
        expected = 1 if won == S.APPROVED_WITH_MODIFICATIONS else ring.payload["amount"]
        assert claims["outcome"] == won
        assert claims["payload"]["amount"] == expected
        assert claims["payload_sha256"] == digest_of(claims["payload"])
        assert ring.request.payload_version == claims["payload_version"]


def test_approval_and_withdrawal_do_not_both_win(new_ring: Callable[[], Ring]) -> None:
    for _ in range(ROUNDS):
        ring = new_ring()
        won = ring.check(race(alternating(ring.approve, ring.withdraw)))
        assert won in (S.APPROVED, S.WITHDRAWN)


def post(key: IssuedKey, name: str, payload: dict[str, Any]) -> Submitted:
    return services.submit(
        key=key.key,
        idempotency_key=name,
        submission=Submission(service="support", action="stripe.refund", payload=payload),
        body_sha256=digest_of(payload),
    )


def test_the_same_submission_at_once_is_one_request(
    provider: Any, agent_key: IssuedKey, refund_payload: dict[str, Any]
) -> None:
    for number in range(ROUNDS):
        name = f"same-{number}"
        results = race([lambda name=name: post(agent_key, name, refund_payload)] * THREADS)

        assert strange(results) == []
        stored = ApprovalRequest.objects.get(idempotency_key=name)
        assert [result.request.pk for result in results] == [stored.pk] * THREADS
        assert sorted(result.replayed for result in results) == [False] + [True] * (THREADS - 1)


def test_two_bodies_under_one_key_are_one_request(
    provider: Any, agent_key: IssuedKey, refund_payload: dict[str, Any]
) -> None:
    for number in range(ROUNDS):
        name = f"other-{number}"
        results = race(
            alternating(
                lambda name=name: post(agent_key, name, refund_payload),
                lambda name=name: post(agent_key, name, refund_payload | {"amount": 1}),
            )
        )

        stored = ApprovalRequest.objects.get(idempotency_key=name)
        refused = [result for result in results if isinstance(result, Exception)]
        assert {result.request.pk for result in winners(results)} == {stored.pk}
        assert len(refused) == THREADS // 2
        assert all(isinstance(error, IdempotencyMismatchError) for error in refused)


@pytest.mark.parametrize(
    "ends",
    [
        pytest.param([S.APPROVED], id="approve-approve"),
        pytest.param([S.APPROVED, S.REJECTED], id="approve-reject"),
        pytest.param([S.APPROVED, S.EXPIRED], id="approve-expire"),
        pytest.param([S.APPROVED, S.APPROVED_WITH_MODIFICATIONS], id="approve-patch"),
        pytest.param([S.APPROVED, S.WITHDRAWN], id="approve-withdraw"),
    ],
)
def test_the_naive_twin_loses(ends: list[S], new_ring: Callable[[], Ring]) -> None:
    ring = new_ring()

    def is_lost() -> bool:
        reopened = {"status": S.PENDING, "decided_at": None, "withdrawn_at": None}
        ApprovalRequest.objects.filter(pk=ring.request.pk).update(**reopened, expired_at=None)
        contestants = [lambda end=end: naive.end(ring.request.pk, end) for end in ends]
        return len(winners(race(alternating(*contestants)))) > 1

    assert any(is_lost() for _ in range(PATIENCE)), "the harness would not notice a broken verb"


def test_the_naive_twin_of_submitting_loses() -> None:
    def is_lost(name: str) -> bool:
        return len(winners(race([lambda: naive.submit_once(name)] * THREADS))) > 1

    assert any(is_lost(f"naive-{number}") for number in range(PATIENCE))
