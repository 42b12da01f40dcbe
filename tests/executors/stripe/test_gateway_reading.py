"""The only door to Stripe: whose key, which account, and everything that is read."""

from typing import Any

import pytest

from executors.enums import AttemptClass as C
from executors.errors import ProviderError
from executors.stripe import gateway
from executors.stripe.gateway import Gateway, money_gateway, reading_gateway
from tests.executors.stripe.scripted_http import (
    ScriptedHttp,
    answer,
    stripe_error,
)


class TestPages:
    """A listing is complete, or it is an error."""

    def read(self, http: ScriptedHttp, *answers: bytes) -> list[Any]:
        http.answers = list(answers)
        return list(money_gateway().pages("/v1/refunds", payment_intent="pi_1"))

    def test_it_pages_to_the_end(self, http: ScriptedHttp) -> None:
        first = {"data": [{"id": "re_1"}, {"id": "re_2"}], "has_more": True}
        last = {"data": [{"id": "re_3"}], "has_more": False}

        found = self.read(http, answer(200, first), answer(200, last))

        assert [refund["id"] for refund in found] == ["re_1", "re_2", "re_3"]
        assert "starting_after=re_2" in http.line()
        assert "payment_intent=pi_1" in http.line()

    def test_an_empty_page_is_the_end(self, http: ScriptedHttp) -> None:
        assert self.read(http, answer(200, {"data": [], "has_more": True})) == []

    def test_a_broken_page_is_an_error(self, http: ScriptedHttp) -> None:
        first = {"data": [{"id": "re_1"}], "has_more": True}

        with pytest.raises(ProviderError):
            self.read(http, answer(200, first), stripe_error(500, "api_error"))

    @pytest.mark.parametrize("data", [None, {}, [None], [{}], [{"id": 1}]])
    def test_a_page_without_objects_is_an_error(self, http: ScriptedHttp, data: Any) -> None:
        with pytest.raises(ProviderError) as error:
            self.read(http, answer(200, {"data": data}))

        assert error.value.attempt_class is C.AMBIGUOUS


class TestAccount:
    """Whose key it is."""

    def test_it_is_asked_once_per_key(self, http: ScriptedHttp) -> None:
        http.answers = [answer(200, {"id": "acct_1"})]

        for _ in range(2):
            assert money_gateway().provider().as_claim() == {
                "kind": "stripe-local",
                "account": "acct_1",
                "livemode": False,
            }
        assert len(http.received) == 1
        reading_gateway().provider()
        assert len(http.received) == 2

    def test_an_answer_without_an_id_is_none(self, http: ScriptedHttp) -> None:
        http.answers = [answer(200, {})]

        with pytest.raises(ProviderError) as error:
            money_gateway().provider()

        assert error.value.code == "unreadable_answer"

    def test_stripe_itself_is_called_stripe(
        self, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.STRIPE_API_BASE = ""
        live = Gateway("rk_live_123")
        monkeypatch.setitem(gateway._accounts, live._fingerprint(), "acct_9")

        assert live.provider().as_claim() == {
            "kind": "stripe",
            "account": "acct_9",
            "livemode": True,
        }


class TestKeys:
    """Which key goes where."""

    @pytest.mark.parametrize("key", ["sk_live_123", "rk_live_123"])
    def test_a_live_key_goes_to_stripe_only(self, http: ScriptedHttp, key: str) -> None:
        with pytest.raises(ProviderError) as error:
            Gateway(key)

        assert (error.value.code, error.value.attempt_class) == (
            "live_key_elsewhere",
            C.CONFIGURATION,
        )

    @pytest.mark.parametrize("base", ["http://192.0.2.1:1", "https://api.example.com", "nonsense"])
    def test_another_address_is_on_this_machine(self, settings: Any, base: str) -> None:
        settings.STRIPE_API_BASE = base

        with pytest.raises(ProviderError) as error:
            Gateway("sk_test_123")

        assert error.value.code == "base_not_local"

    def test_without_the_key_no_money_moves(self, settings: Any) -> None:
        settings.STRIPE_API_KEY = ""

        with pytest.raises(ProviderError) as error:
            money_gateway()

        assert (error.value.code, error.value.attempt_class) == (
            "no_provider_key",
            C.CONFIGURATION,
        )

    @pytest.mark.parametrize(
        ("role", "has", "reads_with"),
        [
            ("web", "both", "read"),
            ("default", "both", "read"),
            ("money", "both", "money"),
            ("money", "read", "read"),
            ("web", "money", "money"),
        ],
    )
    def test_facts_are_read_with_the_key_that_the_process_should_use(
        self, settings: Any, role: str, has: str, reads_with: str
    ) -> None:
        settings.COUNTERSIGN_ROLE = role
        settings.STRIPE_API_KEY = "money" if has in ("both", "money") else ""
        settings.STRIPE_READ_KEY = "read" if has in ("both", "read") else ""

        assert reading_gateway()._api_key == reads_with

    def test_without_any_key_nothing_is_read(self, settings: Any) -> None:
        settings.STRIPE_API_KEY = settings.STRIPE_READ_KEY = ""

        with pytest.raises(ProviderError) as error:
            reading_gateway()

        assert error.value.code == "no_provider_key"


def test_reads_share_one_budget(http: ScriptedHttp, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a first slow read used up, the next one does not have."""
    timeouts: list[tuple[float, float]] = []
    original = gateway._Once.__init__

    def noting(self: Any, *, timeout: tuple[float, float]) -> None:
        timeouts.append(timeout)
        original(self, timeout=timeout)

    monkeypatch.setattr(gateway._Once, "__init__", noting)
    http.answers = [answer(200, {"id": "x"})]
    reader = reading_gateway()
    reader.get("/v1/account")
    reader._deadline -= 2.5
    reader.get("/v1/account")

    assert sum(timeouts[0]) <= 3.0
    assert sum(timeouts[1]) <= 0.5
