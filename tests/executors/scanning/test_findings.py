"""What the record does not explain, found in a listing of the local Stripe."""

from collections.abc import Callable
from typing import Any

import pytest

from audit import clock
from audit.signing.tokens import token_digest
from executors import services, tasks
from executors.enums import ExecutionStatus as S
from executors.models import Execution, Finding, Scan
from executors.services import scanning
from executors.stripe.sandbox.process import RunningSandbox
from tests.executors.conftest import WORKER
from tests.executors.scanning.conftest import about, lose_track, marks
from tests.executors.scripted import ScriptedExecutor
from tests.executors.stripe.switches import press

pytestmark = pytest.mark.django_db


class TestFound:
    """What the record does not explain."""

    def test_our_own_refund_is_explained(self, succeeded: Execution) -> None:
        services.scan()

        assert about(succeeded.provider_reference) == []

    def test_one_without_a_decision(
        self, payment: Any, refund: Callable[..., Any], alarms: Callable[[], list[str]]
    ) -> None:
        made = refund(payment)
        services.scan()
        services.scan()

        assert about(made.id) == [("OUTSIDE_THE_GATE", None)]
        assert alarms() == ["outside_the_gate"], "told once"
        message = Finding.objects.get().message
        assert message.startswith(f"{made.id} (1.00 USD, succeeded, made ")

    def test_one_that_names_a_decision_that_never_was(
        self, payment: Any, refund: Callable[..., Any]
    ) -> None:
        made = refund(payment, countersign_decision="dec_invented")
        services.scan()

        assert about(made.id) == [("OUTSIDE_THE_GATE", None)]

    def test_one_that_names_a_decision_and_differs(
        self, execution: Execution, payment: Any, refund: Callable[..., Any]
    ) -> None:
        made = refund(payment, 9500, countersign_decision=execution.jti)
        services.scan()

        assert about(made.id) == [("OUTSIDE_THE_GATE", execution)]

    def test_a_second_one_of_the_same_decision(
        self, succeeded: Execution, payment: Any, refund: Callable[..., Any], stripe_client: Any
    ) -> None:
        """R6, after the execution is known by the first."""
        made = refund(payment, 9500 - 8000, **marks(stripe_client, succeeded))
        services.scan()

        assert about(made.id) == [("DUPLICATE", succeeded)]
        assert about(succeeded.provider_reference) == []

    def test_a_second_one_while_nothing_is_known(
        self,
        make_payment: Callable[..., Any],
        submit: Callable[..., Any],
        refund_payload: dict[str, Any],
        approve: Callable[..., Any],
        refund: Callable[..., Any],
        stripe_client: Any,
        rung_to_read: list[str],
    ) -> None:
        """R6, while the outcome is unknown: one of the two is a duplicate."""
        payment = make_payment(20_000)
        payload = {"payment_intent": payment.id, "amount": 9500, "currency": "usd"}
        approve(submit(payload))
        execution = Execution.objects.get()
        services.run(execution_id=execution.pk, worker=WORKER)
        execution.refresh_from_db()
        first = execution.provider_reference
        second = refund(payment, 9500, **marks(stripe_client, execution)).id
        lose_track(execution)
        services.scan()

        assert sorted(about(first) + about(second), key=str) == [("DUPLICATE", execution)]
        assert rung_to_read == [execution.pk]

    @pytest.mark.parametrize("status", ["FAILED", "REFUSED", "QUEUED", "HELD"])
    def test_one_that_did_not_happen_according_to_our_record(
        self, succeeded: Execution, status: str
    ) -> None:
        reference = succeeded.provider_reference
        finished_at = succeeded.finished_at if status in ("FAILED", "REFUSED") else None
        Execution.objects.filter(pk=succeeded.pk).update(
            status=status, finished_at=finished_at, provider_reference="", receipt=None
        )
        services.scan()

        assert about(reference) == [("CONTRADICTION", succeeded)]

    def test_one_that_is_unknown_is_read(
        self, succeeded: Execution, rung_to_read: list[str]
    ) -> None:
        lose_track(succeeded)
        services.scan()

        assert not Finding.objects.exists()
        assert rung_to_read == [succeeded.pk]

    def test_one_whose_worker_still_has_it(self, succeeded: Execution) -> None:
        Execution.objects.filter(pk=succeeded.pk).update(
            status="RUNNING", finished_at=None, lease_expires_at=clock.now(), provider_reference=""
        )
        services.scan()

        assert not Finding.objects.exists()

    def test_one_that_a_person_found_at_the_provider(
        self, execution: Execution, payment: Any, refund: Callable[..., Any], reviewer: Any
    ) -> None:
        lose_track(execution)
        made = refund(payment, 9500)
        services.resolve(
            execution_id=execution.pk,
            user=reviewer,
            reason="Made by hand.",
            outcome=S.SUCCEEDED,
            provider_reference=made.id,
        )
        services.scan()

        assert about(made.id) == []

    def test_a_row_without_a_good_token_explains_nothing(self, succeeded: Execution) -> None:
        Execution.objects.filter(pk=succeeded.pk).update(token="a.b.c")
        services.scan()

        assert about(succeeded.provider_reference) == [("OUTSIDE_THE_GATE", succeeded)]

    def test_one_that_failed_moved_no_money(
        self, payment: Any, refund: Callable[..., Any], provider: RunningSandbox
    ) -> None:
        made = refund(payment)
        press(provider, f"refunds/{made.id}/settle", {"status": "failed"})
        services.scan()

        assert not Finding.objects.exists()

    def test_an_unknown_currency_is_named_as_it_is(
        self, payment: Any, refund: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(scanning, "DECIMALS", {})
        refund(payment)
        services.scan()

        assert "(100 USD, succeeded" in Finding.objects.get().message


def test_one_that_carries_all_our_marks_on_another_payment(
    execution: Execution, make_payment: Callable[..., Any], refund: Callable[..., Any]
) -> None:
    """The look-up lists the decision's own payment, and does not see it; the scan does."""
    lose_track(execution)
    ours = {"request": execution.subject, "decision": execution.jti}
    ours["token_sha256"] = token_digest(execution.token)
    made = refund(make_payment(), 9500, **{f"countersign_{k}": v for k, v in ours.items()})

    services.reconcile(execution_id=execution.pk, worker=WORKER)
    services.scan()

    assert execution.readings.get().result == "ABSENT"
    assert about(made.id) == [("OUTSIDE_THE_GATE", execution)]


def test_an_action_that_cannot_be_listed_is_left_out(executor: ScriptedExecutor) -> None:
    services.scan()

    assert set(Scan.objects.values_list("action", flat=True)) == {"stripe.refund"}


def test_the_task_may_run_twice(payment: Any, refund: Callable[..., Any]) -> None:
    refund(payment)
    tasks.scan()
    tasks.scan(later="argument")

    assert Finding.objects.count() == 1
