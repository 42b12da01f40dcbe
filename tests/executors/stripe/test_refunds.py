"""A refund at the (local) Stripe: sent, received, looked up; and through the whole floor."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from audit.canonical import digest_of
from executors import services
from executors.base import Prepared
from executors.enums import AttemptClass, ExecutionStatus
from executors.errors import LookUpMismatchError, ProviderError
from executors.models import Execution, Intent
from executors.stripe import gateway
from executors.stripe.gateway import API_VERSION
from executors.stripe.refunds import StripeRefund
from tests.executors.conftest import run
from tests.executors.stripe.scripted_http import ScriptedHttp, answer, scripted_http

REFUNDS = StripeRefund()
DIGEST = "d" * 64


def claims_for(payload: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"jti": "dec_1", "sub": "req_1", "payload": payload} | changes


class TestPrepare:
    """A pure function of the token: these bytes are pinned."""

    def test_the_whole_of_it(self) -> None:
        payload = {
            "payment_intent": "pi_1234",
            "amount": 9500,
            "currency": "usd",
            "reason": "requested_by_customer",
            "metadata": {"ticket": "T 1&2", "ärger": "ü"},
        }

        assert REFUNDS.prepare(claims_for(payload), DIGEST) == Prepared(
            method="POST",
            path="/v1/refunds",
            body="payment_intent=pi_1234&amount=9500&reason=requested_by_customer"
            "&metadata%5Bcountersign_decision%5D=dec_1"
            "&metadata%5Bcountersign_request%5D=req_1"
            f"&metadata%5Bcountersign_token_sha256%5D={DIGEST}"
            "&metadata%5Bticket%5D=T+1%262&metadata%5B%C3%A4rger%5D=%C3%BC",
            api_version=API_VERSION,
        )

    def test_the_least_of_it(self) -> None:
        payload = {"charge": "ch_1234", "amount": 500, "currency": "jpy"}

        body = REFUNDS.prepare(claims_for(payload), DIGEST).body

        assert body.startswith("charge=ch_1234&amount=500&metadata%5B")
        assert "jpy" not in body


@pytest.fixture
def payload(payment: Any) -> dict[str, Any]:
    return {"payment_intent": payment.id, "amount": 9500, "currency": "usd"}


@pytest.mark.usefixtures("provider")
class TestExecute:
    """One request under one key."""

    def test_it_refunds(self, payload: dict[str, Any], stripe_client: Any) -> None:
        prepared = REFUNDS.prepare(claims_for(payload), DIGEST)

        receipt = REFUNDS.execute(prepared, f"cs_{payload['payment_intent']}")

        refund = stripe_client.v1.refunds.retrieve(receipt.reference)
        assert (receipt.provider_status, receipt.failed) == ("succeeded", False)
        assert (receipt.amount_minor, receipt.currency) == (9500, "usd")
        assert receipt.http_status == 200
        assert receipt.request_id.startswith("req_")
        assert refund.payment_intent == payload["payment_intent"]
        assert refund.metadata["countersign_decision"] == "dec_1"

    def test_the_same_again_is_the_same_refund(
        self, payload: dict[str, Any], stripe_client: Any
    ) -> None:
        prepared = REFUNDS.prepare(claims_for(payload), DIGEST)
        key = f"cs_{payload['payment_intent']}"

        first, second = (REFUNDS.execute(prepared, key) for _ in range(2))

        assert first.reference == second.reference
        listed = stripe_client.v1.refunds.list({"payment_intent": payload["payment_intent"]})
        assert len(listed.data) == 1

    def test_too_much_is_refused_for_good(self, payload: dict[str, Any]) -> None:
        prepared = REFUNDS.prepare(claims_for(payload | {"amount": 12001}), DIGEST)

        with pytest.raises(ProviderError) as error:
            REFUNDS.execute(prepared, f"cs_{payload['payment_intent']}")

        assert error.value.attempt_class is AttemptClass.FINAL

    def test_a_key_without_the_right_is_a_configuration(
        self, payload: dict[str, Any], settings: Any
    ) -> None:
        settings.STRIPE_API_KEY = settings.STRIPE_READ_KEY
        prepared = REFUNDS.prepare(claims_for(payload), DIGEST)

        with pytest.raises(ProviderError) as error:
            REFUNDS.execute(prepared, "cs_x")

        assert error.value.attempt_class is AttemptClass.CONFIGURATION


REFUND = {
    "id": "re_1",
    "object": "refund",
    "amount": 100,
    "currency": "usd",
    "status": "succeeded",
}


@pytest.fixture
def http(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedHttp]:
    monkeypatch.setattr(gateway, "_accounts", {})
    with scripted_http() as server:
        settings.STRIPE_API_BASE = server.base_url
        settings.STRIPE_API_KEY = "rk_local_money12345"
        yield server


class TestReceipt:
    """What is not clearly a refund proves nothing."""

    PREPARED = Prepared(method="POST", path="/v1/refunds", body="amount=1", api_version="1")

    @pytest.mark.parametrize(
        "changes",
        [
            {"object": "charge"},
            {"id": None},
            {"id": ""},
            {"status": 1},
            {"amount": "100"},
            {"amount": True},
            {"amount": None},
            {"currency": None},
        ],
    )
    def test_it_is_ambiguous(self, http: ScriptedHttp, changes: dict[str, Any]) -> None:
        http.answers = [answer(200, REFUND | changes)]

        with pytest.raises(ProviderError) as error:
            REFUNDS.execute(self.PREPARED, "cs_1")

        assert error.value.attempt_class is AttemptClass.AMBIGUOUS
        assert (error.value.http_status, error.value.request_id) == (200, "req_scripted")

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"status": "failed", "failure_reason": "lost_or_stolen_card"}, "lost_or_stolen_card"),
            ({"status": "failed"}, "failed"),
            ({"status": "canceled"}, "canceled"),
        ],
    )
    def test_a_refund_that_failed_at_once(
        self, http: ScriptedHttp, changes: dict[str, Any], code: str
    ) -> None:
        http.answers = [answer(200, REFUND | changes)]

        receipt = REFUNDS.execute(self.PREPARED, "cs_1")

        assert (receipt.failed, receipt.failure_code) == (True, code)

    @pytest.mark.parametrize("status", ["pending", "requires_action", "succeeded"])
    def test_a_refund_on_its_way(self, http: ScriptedHttp, status: str) -> None:
        http.answers = [answer(200, REFUND | {"status": status})]

        receipt = REFUNDS.execute(self.PREPARED, "cs_1")

        assert (receipt.failed, receipt.provider_status) == (False, status)


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
