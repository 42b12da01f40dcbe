"""What is approved here is as good as gone, before the provider says so, and until it is not."""

from collections.abc import Callable
from typing import Any

import pytest

from approvals import reserving, services, viewing
from approvals.errors import InvalidPatchError
from approvals.models import ApprovalRequest, Decision
from audit import clock
from executors import services as executions
from executors.enums import ExecutionStatus as S
from executors.models import Execution

pytestmark = pytest.mark.django_db

Submit = Callable[..., ApprovalRequest]


@pytest.fixture
def ask(submit: Submit, refund_payload: dict[str, Any]) -> Callable[..., ApprovalRequest]:
    """Ask for a part (in cents) of a payment of 120.00 USD."""

    def _ask(amount: int, **payload: Any) -> ApprovalRequest:
        return submit(refund_payload | {"amount": amount} | payload)

    return _ask


@pytest.fixture
def first(ask: Callable[..., ApprovalRequest], approve: Callable[..., Any]) -> ApprovalRequest:
    """80.00 USD, approved, and not carried out yet."""
    request = ask(8000)
    approve(request)
    request.refresh_from_db()
    return request


def run(request: ApprovalRequest) -> S | None:
    execution = Execution.objects.get(subject=request.pk)
    return executions.run(execution_id=execution.pk, worker="host:1")


def promised_to(request: ApprovalRequest) -> int:
    snapshot = request.facts.order_by("-number").first()
    return reserving.promised(request, snapshot, clock.now()).approved_minor


def test_two_approvals_do_not_exceed_a_payment(
    first: ApprovalRequest, ask: Callable[..., ApprovalRequest], approve: Callable[..., Any]
) -> None:
    second = ask(4001)

    with pytest.raises(InvalidPatchError) as refused:
        approve(second)

    assert (refused.value.code, refused.value.field) == ("amount_reserved", "/amount")
    assert "Only 40.00 USD of the payment are left" in refused.value.message
    second.refresh_from_db()
    assert second.is_pending
    assert not Decision.objects.filter(request=second).exists()


def test_what_fits_beside_it_is_approved(
    first: ApprovalRequest, ask: Callable[..., ApprovalRequest], approve: Callable[..., Any]
) -> None:
    second = ask(4000)

    assert approve(second).outcome == "APPROVED"


def test_a_reviewer_can_lower_it_to_what_is_left(
    first: ApprovalRequest, ask: Callable[..., ApprovalRequest], approve: Callable[..., Any]
) -> None:
    second = ask(9000)
    payload = viewing.current_view(second).payload

    decision = approve(second, patch=payload | {"amount": 4000})

    assert decision.outcome == "APPROVED_WITH_MODIFICATIONS"


def test_a_lowered_approval_promises_what_was_authorised(
    ask: Callable[..., ApprovalRequest], approve: Callable[..., Any]
) -> None:
    request = ask(8000)
    approve(request, patch=viewing.current_view(request).payload | {"amount": 100})

    assert promised_to(ask(1000)) == 100


def test_a_payment_is_the_same_by_its_charge(
    first: ApprovalRequest, submit: Submit, payment: Any
) -> None:
    other = submit({"charge": payment.latest_charge, "amount": 100, "currency": "usd"})

    assert promised_to(other) == 8000


def test_another_payment_is_another(
    first: ApprovalRequest, submit: Submit, make_payment: Callable[..., Any]
) -> None:
    other = submit({"payment_intent": make_payment().id, "amount": 12000, "currency": "usd"})

    assert promised_to(other) == 0


@pytest.mark.parametrize("status", [S.QUEUED, S.HELD, S.RUNNING, S.UNKNOWN])
def test_it_stays_reserved_while_money_may_be_under_way(
    status: S, first: ApprovalRequest, ask: Callable[..., ApprovalRequest]
) -> None:
    Execution.objects.filter(subject=first.pk).update(status=status, next_attempt_at=clock.now())

    assert promised_to(ask(1000)) == 8000


def test_a_revoked_one_is_free_again(
    first: ApprovalRequest, ask: Callable[..., ApprovalRequest], reviewer: Any
) -> None:
    execution = Execution.objects.get(subject=first.pk)
    executions.revoke(execution_id=execution.pk, user=reviewer, reason="A mistake.")

    assert promised_to(ask(1000)) == 0


def test_a_paid_one_counts_until_the_facts_contain_it(
    first: ApprovalRequest, ask: Callable[..., ApprovalRequest], approve: Callable[..., Any]
) -> None:
    second = ask(4001)
    assert run(first) is S.SUCCEEDED
    assert promised_to(second) == 8000

    services.refresh_facts(request_id=second.pk)

    assert promised_to(second) == 0
    with pytest.raises(InvalidPatchError) as refused:
        approve(second)
    assert refused.value.code == "amount_above_remainder"


def test_what_only_waits_is_told_and_stops_nothing(
    ask: Callable[..., ApprovalRequest], approve: Callable[..., Any]
) -> None:
    waiting, second = ask(8000), ask(9000)

    snapshot = second.facts.get()
    others = reserving.promised(second, snapshot, clock.now())

    assert (others.waiting, others.waiting_minor, others.approved_minor) == ([waiting], 8000, 0)
    assert approve(second).outcome == "APPROVED"


def test_what_waited_too_long_is_told_no_more(
    ask: Callable[..., ApprovalRequest], later: Callable[..., None]
) -> None:
    ask(8000)
    second = ask(9000, metadata={"ticket": "T-1003"})
    later(hours=2)

    assert reserving.promised(second, second.facts.get(), clock.now()).waiting == []


def test_without_facts_nothing_is_known_to_be_promised(
    first: ApprovalRequest, ask: Callable[..., ApprovalRequest]
) -> None:
    assert reserving.promised(ask(1000), None, clock.now()) == reserving.Promised()
