"""What all races have in common: a crowd of threads, and a bell that nobody hears."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe
from django.test import Client

from approvals.models import ApprovalRequest
from approvals.services import IssuedKey
from executors import bell, registry
from executors.models import Execution
from executors.stripe.sandbox.process import RunningSandbox
from tests.executors.conftest import (  # noqa: F401 - the stage of that floor
    enqueue,
    execution,
    executor,
    make_claims,
    sign,
)
from tests.races import harness
from tests.races.ring import Ring

HERE = Path(__file__).parent
#: Minor units of a payment of 120.00: two of four requests fit into it.
ASKED_OF_ONE = 5000
#: Minor units of 120.00 that a worker refunds beside the merchant.
REFUNDED = 9500
#: Seconds that one round may take at the very most, on a busy machine.
_SLOW_ROUND = 5


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the races of the thorough profile the time that so many rounds need."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(max(300, harness.ROUNDS * _SLOW_ROUND)))


@pytest.fixture(autouse=True)
def crowd() -> Iterator[None]:
    """The threads of one test."""
    with harness.gathered():
        yield


@pytest.fixture(autouse=True)
def silent_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers of a race come by themselves; what a bell does, its tests show."""
    monkeypatch.setattr(bell, "ring", lambda execution_id: True)
    monkeypatch.setattr(bell, "ring_to_reconcile", lambda execution_id: True)


@pytest.fixture(autouse=True)
def many_may_wait(settings: Any) -> None:
    """How many requests of one agent may be pending is not what is raced for."""
    settings.COUNTERSIGN_PENDING_PER_AGENT = harness.ROUNDS * harness.THREADS


@pytest.fixture
def no_checks(settings: Any) -> None:
    """Decisions that were only signed have no agent and no reviewer for the checks to find."""
    settings.COUNTERSIGN_CHECKS = []


@pytest.fixture
def new_ring(
    submit: Callable[..., ApprovalRequest],
    refund_payload: dict[str, Any],
    make_payment: Callable[..., Any],
    reviewer: Any,
    second_reviewer: Any,
    agent_key: IssuedKey,
) -> Callable[..., Ring]:
    """A new pending refund each time, of a payment of its own: none is in another's way."""

    def _new() -> Ring:
        payload = refund_payload | {"payment_intent": make_payment().id}
        return Ring(submit(payload), [reviewer, second_reviewer], agent_key)

    return _new


@pytest.fixture
def new_rings(
    submit: Callable[..., ApprovalRequest],
    make_payment: Callable[..., Any],
    reviewer: Any,
    second_reviewer: Any,
    agent_key: IssuedKey,
) -> Callable[[], list[Ring]]:
    """Four refunds of one payment, each time of another one."""

    def _new() -> list[Ring]:
        payload = {"payment_intent": make_payment().id, "amount": ASKED_OF_ONE, "currency": "usd"}
        people = [reviewer, second_reviewer]
        return [Ring(submit(payload), people, agent_key) for _ in range(4)]

    return _new


@pytest.fixture
def only_stored(settings: Any) -> None:
    """Whether the provider knows the payment is not what is shown here."""
    settings.COUNTERSIGN_READ_FACTS = False


@pytest.fixture
def enqueue_refund(
    enqueue: Callable[..., Execution],  # noqa: F811 - the fixture
    provider: RunningSandbox,
) -> Callable[[Any], Execution]:
    """Queue a signed refund of 95.00 USD of a payment at the local Stripe."""
    account = registry.latest("stripe.refund").provider().as_claim()

    def queue(payment: Any) -> Execution:
        payload = {"payment_intent": payment.id, "amount": REFUNDED, "currency": "usd"}
        return enqueue(action="stripe.refund", provider=account, payload=payload)

    return queue


@pytest.fixture
def refund_by_hand(stripe_client: stripe.StripeClient) -> Callable[[Any, int], harness.Contestant]:
    """Refund in the dashboard: the merchant's own key, no decision of ours."""

    def contestant(payment: Any, amount: int) -> harness.Contestant:
        given: Any = {"payment_intent": payment.id, "amount": amount}
        return lambda: stripe_client.v1.refunds.create(given).id

    return contestant


@pytest.fixture
def browsers(admin_user: Any) -> list[Client]:
    """Browsers in which the administrator, a superuser, is signed in."""
    clients = [Client() for _ in range(harness.THREADS // 2)]
    for client in clients:
        client.force_login(admin_user)
    return clients
