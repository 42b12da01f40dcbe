"""The only door to Stripe: what goes over the wire, and what each answer proves."""

import time
from typing import Any

import pytest
import stripe

from executors.base import Prepared
from executors.enums import AttemptClass as C
from executors.errors import ProviderError
from executors.stripe import gateway
from executors.stripe.gateway import API_VERSION, money_gateway, reading_gateway
from tests.executors.stripe.scripted_http import (
    RESET,
    ScriptedHttp,
    answer,
    scripted_http,
    stripe_error,
)

# An order and an encoding that the library itself would never produce.
BODY = "metadata%5Bb%5D=%C3%A4&amount=0100&payment_intent=pi_1234&metadata[a]=x+y"
PREPARED = Prepared(method="POST", path="/v1/refunds", body=BODY, api_version="2024-06-20")
KEY = "cs_dec_1"
REFUND = {
    "id": "re_1",
    "object": "refund",
    "amount": 100,
    "currency": "usd",
    "status": "succeeded",
}


def post(server: ScriptedHttp, *answers: bytes) -> Any:
    server.answers = list(answers)
    return money_gateway().post(PREPARED, KEY)


def refused(server: ScriptedHttp, *answers: bytes) -> ProviderError:
    with pytest.raises(ProviderError) as error:
        post(server, *answers)
    return error.value


class TestWire:
    """What Stripe receives is what was stored."""

    def test_the_stored_bytes_are_sent(self, http: ScriptedHttp) -> None:
        reply = post(http, answer(200, REFUND))

        assert http.line() == "POST /v1/refunds HTTP/1.1"
        assert http.body() == BODY.encode()
        assert http.headers()["content-length"] == str(len(BODY))
        assert http.headers()["content-type"] == "application/x-www-form-urlencoded"
        assert (reply.data["id"], reply.http_status, reply.request_id) == (
            "re_1",
            200,
            "req_scripted",
        )

    def test_a_retry_sends_the_same_bytes(self, http: ScriptedHttp) -> None:
        refused(http, RESET)
        post(http, answer(200, REFUND))

        assert len(http.received) == 2
        assert http.body(0) == http.body(1) == BODY.encode()
        for name in ("idempotency-key", "stripe-version", "authorization"):
            assert http.headers(0)[name] == http.headers(1)[name]

    def test_key_version_and_authorisation_are_ours(self, http: ScriptedHttp) -> None:
        post(http, answer(200, REFUND))

        headers = http.headers()
        assert headers["idempotency-key"] == KEY
        assert headers["stripe-version"] == PREPARED.api_version
        assert headers["authorization"] == "Bearer rk_local_money12345"
        assert "x-stripe-client-telemetry" not in headers
        assert "platform" not in headers["x-stripe-client-user-agent"]

    def test_a_library_that_changes_the_key_sends_nothing(
        self, http: ScriptedHttp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        requestor = stripe._api_requestor._APIRequestor
        original = requestor.request_headers

        def with_another_key(self: Any, *args: Any, **kwargs: Any) -> Any:
            return original(self, *args, **kwargs) | {"Idempotency-Key": "random"}

        monkeypatch.setattr(requestor, "request_headers", with_another_key)

        assert refused(http, answer(200, REFUND)).attempt_class is C.AMBIGUOUS
        assert http.received == []

    def test_what_comes_too_late_does_not_leave(self, http: ScriptedHttp) -> None:
        with pytest.raises(ProviderError) as error:
            money_gateway().post(PREPARED, KEY, not_after=time.monotonic())

        assert (error.value.attempt_class, error.value.code) == (C.NOT_EXECUTED, "too_late")
        assert http.received == []

    @pytest.mark.parametrize("status", [409, 429, 500, 503])
    def test_the_library_does_not_retry_by_itself(self, http: ScriptedHttp, status: int) -> None:
        retry = {"Stripe-Should-Retry": "true"}
        refused(http, stripe_error(status, "api_error", headers=retry))

        assert len(http.received) == 1

    def test_a_redirect_is_not_followed(self, http: ScriptedHttp) -> None:
        there = {"Location": f"{http.base_url}/elsewhere"}
        error = refused(http, answer(307, {}, headers=there), answer(200, REFUND))

        assert error.attempt_class is C.AMBIGUOUS
        assert len(http.received) == 1

    def test_reads_are_pinned_to_the_version(self, http: ScriptedHttp) -> None:
        http.answers = [answer(200, {"id": "ch_1"})]
        reading_gateway().get("/v1/charges/ch_1", expand=["customer"])

        assert http.line() == "GET /v1/charges/ch_1?expand%5B0%5D=customer HTTP/1.1"
        assert http.headers()["stripe-version"] == API_VERSION
        assert http.headers()["authorization"] == "Bearer rk_local_read123456"


class TestErrorTable:
    """Each answer proves one thing; what is not on the closed list proves nothing."""

    @pytest.mark.parametrize(
        ("raw", "attempt_class", "code"),
        [
            # ambiguous: the connection, or an answer that is none
            (RESET, C.AMBIGUOUS, "connection_error"),
            (answer(200, b'{"id": "re_1", "obj', length=400), C.AMBIGUOUS, "connection_error"),
            (answer(200, b'{"id": "re_1", "obj'), C.AMBIGUOUS, "unreadable_answer"),
            (answer(200, b"<html>"), C.AMBIGUOUS, "unreadable_answer"),
            (answer(200, b"\xff\xfe"), C.AMBIGUOUS, "unexpected"),
            (answer(200, b""), C.AMBIGUOUS, "unreadable_answer"),
            (answer(200, b"[]"), C.AMBIGUOUS, "unreadable_answer"),
            (answer(200, b'"re_1"'), C.AMBIGUOUS, "unreadable_answer"),
            (b"no http at all\r\n\r\n", C.AMBIGUOUS, "connection_error"),
            # ambiguous: conflicts
            (
                stripe_error(409, "idempotency_error", "idempotency_key_in_use"),
                C.AMBIGUOUS,
                "idempotency_key_in_use",
            ),
            (
                stripe_error(409, "invalid_request_error", "lock_timeout"),
                C.AMBIGUOUS,
                "lock_timeout",
            ),
            (
                stripe_error(429, "invalid_request_error", "lock_timeout"),
                C.AMBIGUOUS,
                "lock_timeout",
            ),
            # ambiguous: the server's own trouble
            (stripe_error(500, "api_error"), C.AMBIGUOUS, "api_error"),
            (stripe_error(503, "api_error"), C.AMBIGUOUS, "api_error"),
            (answer(502, b"<html>"), C.AMBIGUOUS, "unreadable_answer"),
            # ambiguous: nobody listed it
            (stripe_error(400, "api_error"), C.AMBIGUOUS, "api_error"),
            (stripe_error(418, "invalid_request_error"), C.AMBIGUOUS, "invalid_request_error"),
            (stripe_error(400, "new_error"), C.AMBIGUOUS, "new_error"),
            # ambiguous: a refusal that is not in Stripe's form comes from somebody in between
            (answer(400, {"error": "bad"}), C.AMBIGUOUS, "unexpected"),
            (answer(401, b"<html>"), C.AMBIGUOUS, "unreadable_answer"),
            (answer(403, {"message": "blocked"}), C.AMBIGUOUS, "unreadable_answer"),
            (answer(404, {"error": {"message": "?"}}), C.AMBIGUOUS, "unreadable_answer"),
            (answer(429, {}), C.AMBIGUOUS, "unreadable_answer"),
            # not executed
            (
                stripe_error(429, "invalid_request_error", "rate_limit"),
                C.NOT_EXECUTED,
                "rate_limit",
            ),
            # final
            (
                stripe_error(400, "invalid_request_error", "charge_already_refunded"),
                C.FINAL,
                "charge_already_refunded",
            ),
            (
                stripe_error(400, "invalid_request_error", "charge_disputed"),
                C.FINAL,
                "charge_disputed",
            ),
            (
                stripe_error(404, "invalid_request_error", "resource_missing"),
                C.FINAL,
                "resource_missing",
            ),
            (stripe_error(400, "invalid_request_error"), C.FINAL, "invalid_request_error"),
            (stripe_error(402, "card_error", "insufficient_funds"), C.FINAL, "insufficient_funds"),
            # our bug
            (stripe_error(400, "idempotency_error"), C.OUR_BUG, "idempotency_error"),
            (stripe_error(404, "idempotency_error"), C.OUR_BUG, "idempotency_error"),
            # configuration
            (stripe_error(401, "invalid_request_error"), C.CONFIGURATION, "invalid_request_error"),
            (
                stripe_error(403, "invalid_request_error", "more_permissions_required"),
                C.CONFIGURATION,
                "more_permissions_required",
            ),
        ],
    )
    def test_what_it_proves(
        self, http: ScriptedHttp, raw: bytes, attempt_class: C, code: str
    ) -> None:
        error = refused(http, raw)

        assert (error.attempt_class, error.code) == (attempt_class, code)

    def test_a_refusal_keeps_what_support_asks_for(self, http: ScriptedHttp) -> None:
        error = refused(http, stripe_error(404, "invalid_request_error", "resource_missing"))

        assert (error.http_status, error.request_id) == (404, "req_scripted")
        assert error.message == "Scripted resource_missing."

    def test_nobody_listening_is_ambiguous(self, http: ScriptedHttp, settings: Any) -> None:
        with scripted_http() as gone:
            settings.STRIPE_API_BASE = gone.base_url

        assert refused(http, RESET).attempt_class is C.AMBIGUOUS
        assert http.received == []

    def test_a_hanging_server_is_ambiguous(
        self, http: ScriptedHttp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gateway, "MONEY_TIMEOUT", (1.0, 0.05))
        unfinished = answer(200, b'{"id"', length=400).replace(b"Connection: close\r\n", b"")

        assert refused(http, unfinished).code == "connection_error"

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("7", 7),
            ("7200", 7200),
            ("999999", 86400),
            ("9" * 5000, 86400),
            ("-1", None),
            ("soon", None),
            ("７", None),
        ],
    )
    def test_retry_after(self, http: ScriptedHttp, header: str, seconds: int | None) -> None:
        headers = {"Retry-After": header}
        raw = stripe_error(429, "invalid_request_error", "rate_limit", headers=headers)

        assert refused(http, raw).retry_after == seconds

    def test_no_retry_after(self, http: ScriptedHttp) -> None:
        assert refused(http, stripe_error(500, "api_error")).retry_after is None
