"""Races between a worker and the merchant, who refunds the same payment in Stripe's dashboard."""

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
import stripe

from executors.enums import ExecutionStatus as S
from executors.models import Execution, Finding
from executors.stripe.sandbox.process import RunningSandbox
from tests.races import naive_refunds as naive
from tests.races.conftest import REFUNDED
from tests.races.harness import PATIENCE, ROUNDS, THREADS, Contestant, alternating, race, strange
from tests.races.ledgers import story_of, tries_of
from tests.races.workers import read, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_checks")]

#: Minor units of 120.00: all of it, so little that ours may still fit, and as much as ours.
BY_HAND = (12000, 1200, REFUNDED)


def ledger_of(payment: Any, sandbox: RunningSandbox) -> dict[str, Any]:
    """What the local Stripe says of the money of one payment."""
    with urllib.request.urlopen(f"{sandbox.base_url}/_local/ledger", timeout=30) as answer:
        payments = json.load(answer)["payments"]
    return next(found for found in payments if found["id"] == payment.id)


def test_a_refund_made_in_the_dashboard_is_never_taken_for_ours(
    enqueue_refund: Callable[[Any], Execution],
    refund_by_hand: Callable[[Any, int], Contestant],
    make_payment: Callable[..., Any],
    provider: RunningSandbox,
) -> None:
    for number in range(ROUNDS):
        payment = make_payment()
        execution = enqueue_refund(payment)
        by_hand = refund_by_hand(payment, BY_HAND[number % len(BY_HAND)])
        results = race([work(execution), by_hand, *alternating(work(execution), by_hand)[2:]])
        read(execution)()

        assert strange(results, stripe.InvalidRequestError) == []
        ledger = ledger_of(payment, provider)
        assert ledger["amount_refunded"] <= ledger["amount_captured"]
        assert sum(made["amount"] for made in ledger["refunds"]) == ledger["amount_refunded"]
        key = f"cs_{execution.jti}"
        ours = [made["id"] for made in ledger["refunds"] if made["idempotency_key"] == key]
        check(execution, ours)
        assert not Finding.objects.exists()


def check(execution: Execution, ours: list[str]) -> None:
    """Check that the row and the record say what the provider's ledger says."""
    story = story_of(execution)
    assert story[:3] == ["execution:queue", "execution:claim", "execution:intent"]
    if ours:
        assert (execution.status, [execution.provider_reference]) == (S.SUCCEEDED, ours)
        assert story[3:] == ["execution:succeed"]
        assert tries_of(execution) == [(1, "DONE")]
    else:
        assert (execution.status, execution.provider_reference) == (S.FAILED, "")
        assert story[3:] == ["execution:fail"]
        assert tries_of(execution) == [(1, "FINAL")]


def test_the_naive_worker_takes_the_merchant_s_refund_for_its_own(
    refund_by_hand: Callable[[Any, int], Contestant],
    make_payment: Callable[..., Any],
    stripe_client: stripe.StripeClient,
) -> None:
    def is_lost() -> bool:
        payment = make_payment()
        worker = lambda: naive.refund_unless_there(stripe_client, payment.id, REFUNDED)  # noqa: E731
        by_hand = refund_by_hand(payment, REFUNDED)
        says, *_ = race([worker, *[by_hand] * (THREADS - 1)])
        return says == "SUCCEEDED" and not naive.made_by_worker(stripe_client, payment.id)

    assert any(is_lost() for _ in range(PATIENCE)), "the harness would not notice a broken verb"
