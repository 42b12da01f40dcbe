"""What Stripe says about the payment behind a refund."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from executors.base import Facts, Provider
from executors.errors import FactsUnavailableError, PayloadError
from executors.stripe import gateway
from executors.stripe.refunds import StripeRefund
from tests.executors.stripe.scripted_http import (
    RESET,
    ScriptedHttp,
    answer,
    scripted_http,
    stripe_error,
)

REFUNDS = StripeRefund()
HERE = Provider(kind="stripe-local", account="acct_1", livemode=False)


def payload(**changes: Any) -> dict[str, Any]:
    return {"payment_intent": "pi_1234", "amount": 9500, "currency": "usd"} | changes


class TestLocalStripe:
    """Read from a provider that answers."""

    @pytest.fixture(autouse=True)
    def _provider(self, provider: Any) -> None:
        self.account = provider.account

    def test_of_a_payment(self, payment: Any) -> None:
        facts = REFUNDS.facts(payload(payment_intent=payment.id))

        assert facts.provider == Provider(kind="stripe-local", account=self.account, livemode=False)
        assert facts.material == {
            "payment": payment.id,
            "charge": payment.latest_charge,
            "customer": None,
            "currency": "usd",
            "captured": 12000,
            "refunded": 0,
            "disputed": False,
        }
        assert (facts.display["card_brand"], facts.display["card_last4"]) == ("visa", "4242")
        assert facts.display["status"] == "succeeded"

    def test_of_its_charge(self, payment: Any) -> None:
        charge = {"charge": payment.latest_charge, "amount": 9500, "currency": "usd"}
        facts = REFUNDS.facts(charge)

        assert facts.material["payment"] == facts.material["charge"] == payment.latest_charge
        assert facts.material["captured"] == 12000

    def test_what_was_refunded_already(self, payment: Any, stripe_client: Any) -> None:
        stripe_client.v1.refunds.create({"payment_intent": payment.id, "amount": 3000})

        assert REFUNDS.facts(payload(payment_intent=payment.id)).material["refunded"] == 3000

    def test_a_disputed_payment(self, make_payment: Callable[..., Any]) -> None:
        disputed = make_payment(method="pm_card_createDispute")
        facts = REFUNDS.facts(payload(payment_intent=disputed.id))

        assert facts.material["disputed"] is True

    def test_a_payment_that_nobody_paid_yet(self, stripe_client: Any) -> None:
        unpaid = stripe_client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
        facts = REFUNDS.facts(payload(payment_intent=unpaid.id))

        assert facts.material["captured"] == 0
        assert facts.material["charge"] is None
        assert facts.display["paid_at"] is None

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"payment_intent": "pi_nowhere"}, "/payment_intent"),
            ({"payment_intent": None, "charge": "ch_nowhere"}, "/charge"),
        ],
    )
    def test_a_payment_that_is_not_there(self, changes: dict[str, Any], field: str) -> None:
        whole = {k: v for k, v in payload(**changes).items() if v is not None}

        with pytest.raises(PayloadError) as error:
            REFUNDS.facts(whole)

        assert (error.value.code, error.value.field) == ("unknown_payment", field)


class TestTrouble:
    """Whatever is no payment is no fact."""

    @pytest.fixture
    def http(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedHttp]:
        monkeypatch.setattr(gateway, "_accounts", {})
        with scripted_http() as server:
            settings.STRIPE_API_BASE = server.base_url
            settings.STRIPE_READ_KEY = "rk_local_read123456"
            yield server

    @pytest.mark.parametrize(
        "raw",
        [
            RESET,
            stripe_error(401, "invalid_request_error"),
            stripe_error(429, "invalid_request_error", "rate_limit"),
            stripe_error(500, "api_error"),
            answer(200, {}),
            answer(200, {"id": "pi_1234", "currency": "usd", "latest_charge": "ch_1"}),
            answer(200, {"id": "pi_1234", "currency": "usd", "latest_charge": None}),
        ],
    )
    def test_it_is_unavailable(self, http: ScriptedHttp, raw: bytes) -> None:
        http.answers = [raw]

        with pytest.raises(FactsUnavailableError):
            REFUNDS.facts(payload())

    def test_it_is_unavailable_without_a_key(self, settings: Any) -> None:
        settings.STRIPE_READ_KEY = settings.STRIPE_API_KEY = ""

        with pytest.raises(FactsUnavailableError):
            REFUNDS.facts(payload())


def facts(**changes: Any) -> Facts:
    material = {
        "payment": "pi_1234",
        "charge": "ch_1234",
        "customer": "cus_9",
        "currency": "usd",
        "captured": 12000,
        "refunded": 2000,
        "disputed": False,
    }
    return Facts(provider=HERE, material=material | changes)


class TestCheck:
    """What Stripe would refuse is refused before."""

    @pytest.mark.parametrize("amount", [1, 10000])
    def test_what_is_left_can_be_refunded(self, amount: int) -> None:
        REFUNDS.check_facts(payload(amount=amount), facts())

    @pytest.mark.parametrize(
        ("amount", "changes", "code"),
        [
            (10001, {}, "amount_above_remainder"),
            (1, {"refunded": 12000}, "amount_above_remainder"),
            (1, {"currency": "eur"}, "currency_mismatch"),
            (1, {"captured": 0, "refunded": 0}, "not_captured"),
            (1, {"disputed": True}, "payment_disputed"),
        ],
    )
    def test_what_cannot_be(self, amount: int, changes: dict[str, Any], code: str) -> None:
        with pytest.raises(PayloadError) as error:
            REFUNDS.check_facts(payload(amount=amount), facts(**changes))

        assert error.value.code == code

    def test_the_share(self) -> None:
        share = REFUNDS.share(payload(), facts())

        assert (share.total, share.gone, share.asked, share.left) == (12000, 2000, 9500, 500)
        assert share.currency == "usd"
