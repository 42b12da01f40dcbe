"""A refund at the (local) Stripe: sent, received, looked up; and through the whole floor."""

from typing import Any

import pytest

from executors.base import Prepared
from executors.enums import AttemptClass
from executors.errors import ProviderError
from executors.stripe.gateway import API_VERSION
from executors.stripe.refunds import StripeRefund
from tests.executors.stripe.scripted_http import ScriptedHttp, answer

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
