"""What Stripe answers is written down, however long it is and whatever is in it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from audit.canonical import digest_of
from executors import services
from executors.base import Prepared
from executors.enums import AttemptClass, ExecutionStatus
from executors.errors import FactsUnavailableError, ProviderError
from executors.models import Attempt, Execution, Finding, Intent, Scan
from executors.stripe import cleaning
from executors.stripe.gateway import money_gateway
from executors.stripe.refunds import StripeRefund
from tests.executors.conftest import run
from tests.executors.stripe.scripted_http import ScriptedHttp, answer

REFUNDS = StripeRefund()
PREPARED = Prepared(method="POST", path="/v1/refunds", body="amount=1", api_version="1")
HERE = {"kind": "stripe-local", "account": "acct_1", "livemode": False}
REFUND = {"id": "re_1", "object": "refund", "amount": 9500, "currency": "usd"} | {
    "status": "succeeded"
}
CHARGE = {"id": "ch_1", "amount_captured": 12000, "amount_refunded": 0, "disputed": False}
PAYMENT = {"id": "pi_1234", "amount": 12000, "currency": "usd", "latest_charge": CHARGE}
ACCOUNT = answer(200, {"id": "acct_1"})
LONG = {"Request-Id": "req_" + "x" * 300}


@pytest.fixture
def queued(enqueue: Callable[..., Execution]) -> Execution:
    payload = {"payment_intent": "pi_1234", "amount": 9500, "currency": "usd"}
    return enqueue(
        action="stripe.refund", payload=payload, payload_sha256=digest_of(payload), provider=HERE
    )


def refusal(status: int, **error: str) -> bytes:
    return answer(status, {"error": {"message": "Scripted."} | error}, headers=LONG)


@pytest.mark.django_db
class TestWrittenDown:
    """Every answer to a request about money ends its attempt."""

    def carried_out(self, http: ScriptedHttp, queued: Execution, *answers: bytes) -> Attempt:
        # The account is asked for once per key: the worker's, and the one that reads facts.
        http.answers = [ACCOUNT, answer(200, PAYMENT), ACCOUNT, *answers]
        run(queued)
        queued.refresh_from_db()
        return queued.attempts.get()

    def test_a_success_with_a_long_request_id(self, http: ScriptedHttp, queued: Execution) -> None:
        attempt = self.carried_out(http, queued, answer(200, REFUND, headers=LONG))

        assert queued.status == ExecutionStatus.SUCCEEDED
        assert attempt.request_id == LONG["Request-Id"][:120]
        assert queued.receipt["request_id"] == attempt.request_id

    def test_a_refusal_with_a_long_code(self, http: ScriptedHttp, queued: Execution) -> None:
        kind = "invalid_request_error"
        attempt = self.carried_out(http, queued, refusal(400, type=kind, code="c" * 300))

        assert queued.status == ExecutionStatus.FAILED
        assert attempt.error_code == queued.error_code == "c" * 80

    def test_a_refusal_with_what_no_store_keeps(
        self, http: ScriptedHttp, queued: Execution
    ) -> None:
        error = {"type": "card_error", "code": "no\x00pe", "message": "No\x00pe \ud800."}
        attempt = self.carried_out(http, queued, refusal(402, **error))

        assert (attempt.error_code, attempt.error_message) == ("no\ufffdpe", "No\ufffdpe \ufffd.")

    def test_a_refund_that_failed_for_a_long_reason(
        self, http: ScriptedHttp, queued: Execution
    ) -> None:
        failed = REFUND | {"status": "failed", "failure_reason": "f" * 300}
        self.carried_out(http, queued, answer(200, failed))

        assert (queued.status, queued.error_code) == (ExecutionStatus.FAILED, "f" * 80)

    @pytest.mark.parametrize(
        "changes",
        [
            {"id": "re_" + "1" * 253},
            {"id": "re_\x00"},
            {"status": "s" * 61},
            {"currency": "dollars"},
        ],
    )
    def test_a_refund_whose_names_cannot_be_kept_proves_nothing(
        self, http: ScriptedHttp, queued: Execution, changes: dict[str, Any]
    ) -> None:
        attempt = self.carried_out(http, queued, answer(200, REFUND | changes, headers=LONG))

        assert queued.ambiguous
        assert attempt.outcome == AttemptClass.AMBIGUOUS
        assert (attempt.error_code, attempt.http_status) == ("unreadable_answer", 200)

    def test_an_account_that_cannot_be_kept_is_none(
        self, http: ScriptedHttp, queued: Execution
    ) -> None:
        http.answers = [answer(200, {"id": "acct_" + "1" * 76})]

        with pytest.raises(ProviderError, match="not an account"):
            REFUNDS.provider()


class TestRead:
    """Facts and listings."""

    def test_facts_are_clean(self, http: ScriptedHttp) -> None:
        billing = {"name": "Ann\x00a \ud800", "email": "a\udfff@example.com"}
        charge = CHARGE | {"billing_details": billing}
        payment = PAYMENT | {"latest_charge": charge, "description": "\x00"}
        http.answers = [answer(200, payment), ACCOUNT]

        display = REFUNDS.facts({"payment_intent": "pi_1234"}).display

        assert display["customer_name"] == "Ann\ufffda \ufffd"
        assert display["customer_email"] == "a\ufffd@example.com"
        assert display["description"] == "\ufffd"

    @pytest.mark.parametrize(
        "changes",
        [
            {"latest_charge": CHARGE | {"id": "ch_" + "1" * 253}},
            {"customer": "cus_\x00"},
            {"currency": 1},
        ],
    )
    def test_a_payment_whose_names_cannot_be_kept_is_none(
        self, http: ScriptedHttp, changes: dict[str, Any]
    ) -> None:
        http.answers = [answer(200, PAYMENT | changes)]

        with pytest.raises(FactsUnavailableError, match="not a payment"):
            REFUNDS.facts({"payment_intent": "pi_1234"})

    @pytest.mark.parametrize("metadata", [{"countersign_decision": "a b"}, {}, [], None])
    def test_a_listed_refund_names_no_decision(self, http: ScriptedHttp, metadata: Any) -> None:
        http.answers = [answer(200, {"data": [REFUND | {"metadata": metadata}]})]
        moment = datetime(2026, 1, 1, tzinfo=UTC)

        [found] = REFUNDS.listed(moment, moment)

        assert found.decision == ""

    def test_what_is_too_deep_to_be_read_is_ambiguous(self, http: ScriptedHttp) -> None:
        http.answers = [answer(200, b'{"a":' + b"[" * 900 + b"]" * 900 + b"}")]

        with pytest.raises(ProviderError) as error:
            money_gateway().post(PREPARED, "cs_1")

        assert (error.value.attempt_class, error.value.code) == (
            AttemptClass.AMBIGUOUS,
            "unexpected",
        )


@pytest.mark.django_db
def test_a_mark_that_no_store_keeps_does_not_stop_the_listing(
    http: ScriptedHttp, later: Callable[..., None]
) -> None:
    refund = REFUND | {"metadata": {"countersign_decision": "dec_\x00"}}
    http.answers = [ACCOUNT, answer(200, {"data": [refund]})]
    services.scan()
    later(minutes=5)

    services.scan()

    assert [finding.provider_reference for finding in Finding.objects.all()] == ["re_1"]
    assert list(Scan.objects.order_by("pk").values_list("listed", flat=True)) == [0, 1]


@pytest.mark.parametrize(
    ("model", "column", "most"),
    [
        (Attempt, "error_code", cleaning.MOST_CODE),
        (Execution, "error_code", cleaning.MOST_CODE),
        (Attempt, "request_id", cleaning.MOST_REQUEST_ID),
        (Execution, "provider_reference", cleaning.MOST_ID),
        (Execution, "provider_status", cleaning.MOST_STATUS),
        (Intent, "account", cleaning.MOST_ACCOUNT),
    ],
)
def test_the_lengths_are_those_of_the_columns(model: Any, column: str, most: int) -> None:
    assert model._meta.get_field(column).max_length == most
