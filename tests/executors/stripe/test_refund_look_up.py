"""``StripeRefund`` afterwards: whether it happened, and through the whole floor."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from audit.canonical import digest_of
from executors import services
from executors.enums import ExecutionStatus
from executors.errors import LookUpMismatchError
from executors.models import Execution, Intent
from executors.stripe import gateway
from executors.stripe.refunds import StripeRefund
from tests.executors.conftest import run
from tests.executors.stripe.scripted_http import answer, scripted_http

REFUNDS = StripeRefund()
DIGEST = "d" * 64


def claims_for(payload: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"jti": "dec_1", "sub": "req_1", "payload": payload} | changes


@pytest.fixture
def payload(payment: Any) -> dict[str, Any]:
    return {"payment_intent": payment.id, "amount": 9500, "currency": "usd"}


@pytest.mark.usefixtures("provider")
class TestLookUp:
    """Ours is what matches in every respect."""

    def refund(self, payload: dict[str, Any], key: str, **changes: Any) -> str:
        token_sha256 = changes.pop("token_sha256", DIGEST)
        amount = changes.pop("amount", payload["amount"])
        claims = claims_for(payload | {"amount": amount}, **changes)
        prepared = REFUNDS.prepare(claims, token_sha256)
        return REFUNDS.execute(prepared, f"{key}_{payload['payment_intent']}").reference

    def look_up(self, payload: dict[str, Any]) -> Any:
        return REFUNDS.look_up(claims_for(payload), DIGEST)

    def test_nothing_is_there(self, payload: dict[str, Any]) -> None:
        assert self.look_up(payload) is None

    def test_somebody_elses_is_not_ours(self, payload: dict[str, Any], stripe_client: Any) -> None:
        stripe_client.v1.refunds.create(
            {"payment_intent": payload["payment_intent"], "amount": 1000}
        )
        self.refund(payload, "a", jti="dec_2", token_sha256="e" * 64, amount=1000)

        assert self.look_up(payload) is None

    def test_ours_is_found_among_others(self, payload: dict[str, Any], stripe_client: Any) -> None:
        reference = self.refund(payload, "a")
        stripe_client.v1.refunds.create(
            {"payment_intent": payload["payment_intent"], "amount": 1000}
        )

        found = self.look_up(payload)

        assert found is not None
        assert (found.reference, found.amount_minor) == (reference, 9500)

    def test_by_charge(self, payment: Any) -> None:
        payload = {"charge": payment.latest_charge, "amount": 500, "currency": "usd"}
        prepared = REFUNDS.prepare(claims_for(payload), DIGEST)
        reference = REFUNDS.execute(prepared, f"cs_{payment.id}").reference

        found = self.look_up(payload)

        assert found is not None
        assert found.reference == reference

    @pytest.mark.parametrize(
        "changes",
        [
            {"amount": 9499},
            {"token_sha256": "e" * 64},
            {"sub": "req_2"},
            {"jti": "dec_2"},
        ],
    )
    def test_a_partial_match_is_none(
        self, payload: dict[str, Any], changes: dict[str, Any]
    ) -> None:
        self.refund(payload, "a", **changes)

        with pytest.raises(LookUpMismatchError) as error:
            self.look_up(payload)

        assert error.value.code == "look_up_mismatch"

    def test_two_matches_are_none(self, payload: dict[str, Any]) -> None:
        smaller = payload | {"amount": 500}
        self.refund(smaller, "a")
        self.refund(smaller, "b")

        with pytest.raises(LookUpMismatchError) as error:
            self.look_up(smaller)

        assert error.value.code == "look_up_duplicate"


class TestLookUpOfWhatTheLocalStripeNeverLists:
    """There a refund has its payment's currency, and is listed under its own payment only."""

    @pytest.fixture
    def look_up(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Callable[..., Any]]:
        payload = {"payment_intent": "pi_1", "amount": 9500, "currency": "usd"}
        marks = {"request": "req_1", "decision": "dec_1", "token_sha256": DIGEST}
        refund = payload | {
            "id": "re_1",
            "object": "refund",
            "status": "succeeded",
            "metadata": {f"countersign_{name}": value for name, value in marks.items()},
        }

        def shown(**changes: Any) -> Any:
            server.answers = [answer(200, {"object": "list", "data": [refund | changes]})]
            return REFUNDS.look_up(claims_for(payload), DIGEST)

        monkeypatch.setattr(gateway, "_accounts", {})
        with scripted_http() as server:
            settings.STRIPE_API_BASE = server.base_url
            settings.STRIPE_API_KEY = "rk_local_money12345"
            yield shown

    def test_the_whole_of_it_is_a_match(self, look_up: Callable[..., Any]) -> None:
        assert look_up().reference == "re_1"

    @pytest.mark.parametrize(
        "changes", [{"currency": "eur"}, {"payment_intent": "pi_2"}, {"payment_intent": None}]
    )
    def test_another_currency_or_payment_is_none(
        self, look_up: Callable[..., Any], changes: dict[str, Any]
    ) -> None:
        with pytest.raises(LookUpMismatchError) as error:
            look_up(**changes)

        assert error.value.code == "look_up_mismatch"


@pytest.mark.django_db
@pytest.mark.usefixtures("executor")
class TestThroughTheFloor:
    """A signed decision becomes one refund."""

    @pytest.fixture
    def execution(
        self, enqueue: Callable[..., Execution], payload: dict[str, Any], provider: Any
    ) -> Execution:
        return self.queue(enqueue, payload, provider)

    def queue(
        self, enqueue: Callable[..., Execution], payload: dict[str, Any], provider: Any
    ) -> Execution:
        here = {"kind": "stripe-local", "account": provider.account, "livemode": False}
        return enqueue(
            action="stripe.refund",
            payload=payload,
            payload_sha256=digest_of(payload),
            provider=here,
        )

    def test_money_moves_once(
        self, execution: Execution, payload: dict[str, Any], stripe_client: Any
    ) -> None:
        assert run(execution) is ExecutionStatus.SUCCEEDED
        assert run(execution) is ExecutionStatus.SUCCEEDED

        execution.refresh_from_db()
        [refund] = stripe_client.v1.refunds.list({"payment_intent": payload["payment_intent"]}).data
        assert execution.provider_reference == refund.id
        assert (refund.amount, refund.metadata["countersign_request"]) == (9500, execution.subject)
        assert refund.metadata["countersign_token_sha256"] == execution.receipt["token_sha256"]

    def test_two_decisions_of_equal_amount_are_two_refunds(
        self,
        enqueue: Callable[..., Execution],
        payload: dict[str, Any],
        provider: Any,
        stripe_client: Any,
    ) -> None:
        smaller = payload | {"amount": 5000}
        for _ in range(2):
            assert run(self.queue(enqueue, smaller, provider)) is ExecutionStatus.SUCCEEDED

        listed = stripe_client.v1.refunds.list({"payment_intent": payload["payment_intent"]})
        assert [refund.amount for refund in listed.data] == [5000, 5000]

    def test_another_currency_than_the_payments_is_refused(
        self, enqueue: Callable[..., Execution], payload: dict[str, Any], provider: Any
    ) -> None:
        execution = self.queue(enqueue, payload | {"currency": "eur"}, provider)

        assert run(execution) is ExecutionStatus.REFUSED
        execution.refresh_from_db()
        assert execution.error_code == "currency_mismatch"
        assert not Intent.objects.exists()

    def test_a_worker_of_another_account_holds_it(
        self, enqueue: Callable[..., Execution], payload: dict[str, Any], provider: Any
    ) -> None:
        elsewhere = {"kind": "stripe", "account": "acct_other", "livemode": True}
        execution = enqueue(
            action="stripe.refund",
            payload=payload,
            payload_sha256=digest_of(payload),
            provider=elsewhere,
        )

        assert run(execution) is ExecutionStatus.HELD

    def test_a_repaired_key_lets_it_go_on(
        self, execution: Execution, settings: Any, provider: Any, reviewer: Any
    ) -> None:
        settings.STRIPE_API_KEY = "rk_local_expired12345"
        assert run(execution) is ExecutionStatus.HELD
        settings.STRIPE_API_KEY = provider.worker_key
        services.release(execution_id=execution.pk, user=reviewer, reason="Key repaired.")

        assert run(execution) is ExecutionStatus.SUCCEEDED

    def test_a_refund_made_meanwhile_elsewhere_is_a_failure(
        self, execution: Execution, payload: dict[str, Any], stripe_client: Any
    ) -> None:
        stripe_client.v1.refunds.create({"payment_intent": payload["payment_intent"]})

        assert run(execution) is ExecutionStatus.FAILED
        execution.refresh_from_db()
        assert execution.error_code == "charge_already_refunded"
