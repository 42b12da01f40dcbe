"""What the front door turns away: it names what is wrong, stores nothing, and leaves a trace."""

import json
from typing import Any

import pytest
from django.test.client import FakePayload

from approvals.api import errors, views
from approvals.errors import KeyRefusedError
from approvals.models import ApprovalRequest, Refusal
from audit.canonical import digest_of, sha256_hex
from executors.errors import PayloadError
from tests.approvals.api.conftest import REQUESTS, Caller, problem_of

pytestmark = pytest.mark.django_db

BODIES = [
    pytest.param(b"", "empty_body", None, id="nothing"),
    pytest.param(b"[" * 2000, "too_deep", None, id="2,000 levels"),
    pytest.param(b'{"service":"a","service":"b"}', "duplicate_key", "/service", id="key twice"),
    pytest.param(b'{"payload":{"amount":1E400}}', "float_not_allowed", "/payload/amount", id="inf"),
    pytest.param(b'{"payload":{"amount":NaN}}', "float_not_allowed", "/payload/amount", id="NaN"),
    pytest.param(b'{"reason":"\\u0000"}', "invalid_character", "/reason", id="NUL"),
    pytest.param(b'{"reason":"\\udc00"}', "invalid_character", "/reason", id="surrogate"),
    pytest.param(b'\xff{"a":1}', "invalid_encoding", None, id="bytes"),
    pytest.param(b"[]", "not_an_object", None, id="list"),
    pytest.param(b"{,}", "invalid_json", None, id="syntax"),
]

FIELDS = [
    ("service", "", "invalid_value", "/service"),
    ("service", 1, "invalid_type", "/service"),
    ("service", None, "invalid_type", "/service"),
    ("service", "x" * 81, "too_long", "/service"),
    ("service", "support\n", "invalid_value", "/service"),
    ("service", "supp\u202eort", "invalid_value", "/service"),
    ("service", "support\u200b", "invalid_value", "/service"),
    ("service", "ѕupport", "invalid_value", "/service"),
    ("action", "stripe.payout", "unknown_action", "/action"),
    ("action", "stripe.refund\u200b", "invalid_value", "/action"),
    ("action", ["stripe.refund"], "invalid_type", "/action"),
    ("payload", [], "invalid_type", "/payload"),
    ("payload", None, "invalid_type", "/payload"),
    ("priority", "urgent", "invalid_value", "/priority"),
    ("priority", "HIGH", "invalid_value", "/priority"),
    ("priority", 1, "invalid_type", "/priority"),
    ("reason", "x" * 2001, "too_long", "/reason"),
    ("reason", None, "invalid_type", "/reason"),
    ("context", "free", "invalid_type", "/context"),
    ("metadata", {"a": 1}, "invalid_type", "/metadata/a"),
    ("metadata", {"a b": "c"}, "invalid_value", "/metadata/a b"),
    ("metadata", {"a": "x" * 501}, "too_long", "/metadata/a"),
    ("metadata", {f"k{n}": "v" for n in range(41)}, "too_long", "/metadata"),
    ("metadata", [], "invalid_type", "/metadata"),
    ("trace_id", "", "invalid_value", "/trace_id"),
    ("trace_id", "x" * 129, "too_long", "/trace_id"),
    ("trace_id", "a b", "invalid_value", "/trace_id"),
    ("expires_in", "600", "invalid_type", "/expires_in"),
    ("expires_in", True, "invalid_type", "/expires_in"),
    ("expires_in", 0, "invalid_value", "/expires_in"),
    ("expires_in", -600, "invalid_value", "/expires_in"),
    ("expires_in", 59, "invalid_value", "/expires_in"),
    ("expires_in", 2**53 - 1, "invalid_value", "/expires_in"),
    ("reverse_transfer", True, "unknown_field", "/reverse_transfer"),
    ("status", "APPROVED", "unknown_field", "/status"),
]

PAYLOADS = [
    ("amount", "100", "invalid_payload"),
    ("amount", True, "invalid_payload"),
    ("amount", 0, "invalid_payload"),
    ("amount", -1, "invalid_payload"),
    ("amount", 100_000_000, "invalid_payload"),
    ("amount", 2**53, "integer_out_of_range"),
    ("currency", "USD", "invalid_payload"),
    ("currency", "xxx", "unknown_currency"),
    ("currency", "u\u200bsd", "invalid_payload"),
    ("payment_intent", "pi_3PqX\u202e1cLkdIwHu", "invalid_payload"),
    ("payment_intent", "pi_3PqX1cLkdIwHu\n", "invalid_payload"),
    ("reverse_transfer", True, "invalid_payload"),
    ("metadata", {"countersign_request": "x"}, "invalid_payload"),
    ("metadata", {"a": {"b": "c"}}, "invalid_payload"),
]


def assert_nothing_stored_but_a_trace(code: str) -> Refusal:
    assert not ApprovalRequest.objects.exists()
    refusal = Refusal.objects.get()
    assert (refusal.code, refusal.attempted_by) == (code, "agent:billing-agent")
    return refusal


@pytest.mark.parametrize(("data", "code", "field"), BODIES)
def test_it_refuses_a_body(api: Caller, data: bytes, code: str, field: str | None) -> None:
    response = api.submit(data)

    assert problem_of(response, 400, code).get("field") == field
    assert assert_nothing_stored_but_a_trace(code).body_sha256 == sha256_hex(data)


@pytest.mark.parametrize(("name", "value", "code", "field"), FIELDS)
def test_it_refuses_a_field(
    api: Caller, body: dict[str, Any], name: str, value: Any, code: str, field: str
) -> None:
    sent = body | {name: value}

    response = api.submit(sent)

    assert problem_of(response, 400, code)["field"] == field
    assert assert_nothing_stored_but_a_trace(code).body_sha256 == digest_of(sent)


@pytest.mark.parametrize("name", ["service", "action", "payload"])
def test_it_names_what_is_missing(api: Caller, body: dict[str, Any], name: str) -> None:
    del body[name]

    response = api.submit(body)

    assert problem_of(response, 400, "missing_field")["field"] == f"/{name}"
    assert_nothing_stored_but_a_trace("missing_field")


@pytest.mark.parametrize(("name", "value", "code"), PAYLOADS)
def test_it_refuses_a_payload(
    api: Caller, body: dict[str, Any], name: str, value: Any, code: str
) -> None:
    response = api.submit(body | {"payload": body["payload"] | {name: value}})

    assert problem_of(response, 400, code)["field"].startswith(f"/payload/{name}")
    assert_nothing_stored_but_a_trace(code)


@pytest.mark.parametrize("digits", ["１００", "1_00", "0x64", "0100"])
def test_digits_that_are_no_json_are_refused(
    api: Caller, body: dict[str, Any], digits: str
) -> None:
    data = json.dumps(body).replace("9500", digits).encode()

    problem_of(api.submit(data), 400, "invalid_json")


def test_callbacks_are_not_supported_yet(api: Caller, body: dict[str, Any]) -> None:
    response = api.submit(body | {"callback_url": "https://agent.example/done"})

    assert problem_of(response, 422, "not_supported")["field"] == "/callback_url"
    assert_nothing_stored_but_a_trace("not_supported")


def test_it_refuses_64_kib_and_one_byte(api: Caller, body: dict[str, Any]) -> None:
    data = json.dumps(body).encode()

    response = api.submit(data + b" " * (64 * 1024 + 1 - len(data)))

    problem_of(response, 413, "body_too_large")
    assert_nothing_stored_but_a_trace("body_too_large")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/json; charset=latin-1", "application/jsonp", "application/problem+json"],
)  # fmt: skip
def test_it_reads_nothing_but_json(api: Caller, body: dict[str, Any], content_type: str) -> None:
    response = api.submit(body, content_type=content_type)

    problem_of(response, 415, "unsupported_media_type")
    assert_nothing_stored_but_a_trace("unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "Application/JSON"])
def test_it_reads_json_under_its_other_names(
    api: Caller, body: dict[str, Any], content_type: str
) -> None:
    assert api.submit(body, content_type=content_type).status_code == 201


def test_it_needs_an_idempotency_key(api: Caller, body: dict[str, Any]) -> None:
    response = api.post(REQUESTS, json.dumps(body).encode())

    assert problem_of(response, 400, "idempotency_key_missing")["parameter"] == "Idempotency-Key"
    assert_nothing_stored_but_a_trace("idempotency_key_missing")


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "a\tb", "schl\u00fcssel", "a\u200bb"])
def test_it_refuses_an_idempotency_key(api: Caller, body: dict[str, Any], key: str) -> None:
    response = api.submit(body, key=key)

    problem_of(response, 400, "idempotency_key_invalid")
    assert_nothing_stored_but_a_trace("idempotency_key_invalid")


def test_it_takes_no_query_parameter(api: Caller, body: dict[str, Any]) -> None:
    response = api.post(f"{REQUESTS}?dry_run=1", json.dumps(body).encode())

    assert problem_of(response, 400, "unknown_parameter")["parameter"] == "dry_run"
    assert_nothing_stored_but_a_trace("unknown_parameter")


def test_a_missing_trace_is_an_alarm_and_no_crash(
    api: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(views.services, "record_refusal", fail)

    problem_of(api.submit(b"[]"), 400, "not_an_object")

    assert "a refusal was not recorded" in caplog.text


def test_a_key_that_is_revoked_at_this_moment_leaves_no_trace(
    api: Caller, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise KeyRefusedError("The agent key was revoked.", code="revoked_key")

    monkeypatch.setattr(views.services, "submit", refuse)

    problem_of(api.submit(body), 401, "revoked_key")

    assert not Refusal.objects.exists()


def test_a_flood_leaves_no_trace(api: Caller, body: dict[str, Any], settings: Any) -> None:
    settings.COUNTERSIGN_RATE_BURST, settings.COUNTERSIGN_RATE_PER_SECOND = 1, 0.001
    api.submit(body)

    response = api.submit(body)

    problem_of(response, 429, "rate_exceeded")
    assert not Refusal.objects.exists()


def test_a_body_that_is_too_large_is_not_read(
    api: Caller, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: Any) -> bytes:
        raise AssertionError("it was read")

    monkeypatch.setattr(FakePayload, "read", read)

    problem_of(api.submit(b" " * (64 * 1024 + 1)), 413, "body_too_large")


def test_half_a_body_is_refused_even_when_it_is_whole_json(
    api: Caller, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = FakePayload.read
    monkeypatch.setattr(FakePayload, "read", lambda *args: read(*args)[:-1])

    response = api.submit(json.dumps(body).encode() + b" ")

    problem_of(response, 400, "incomplete_body")
    assert_nothing_stored_but_a_trace("incomplete_body")


def test_a_connection_that_breaks_is_half_a_body(
    api: Caller, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> bytes:
        raise OSError("reset by peer")

    monkeypatch.setattr(FakePayload, "read", broken)

    problem_of(api.submit(body), 400, "incomplete_body")


def test_a_length_that_is_none_is_no_body(api: Caller, body: dict[str, Any]) -> None:
    problem_of(api.submit(body, **{"content-length": "9" * 30}), 400, "empty_body")


def test_a_payment_that_the_provider_does_not_know_is_named(
    api: Caller, body: dict[str, Any], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any) -> None:
        raise PayloadError("No such payment.", field="/payment_intent", code="unknown_payment")

    settings.COUNTERSIGN_READ_FACTS = True
    monkeypatch.setattr("executors.stripe.refunds.StripeRefund.facts", missing)

    problem = problem_of(api.submit(body), 400, "unknown_payment")

    assert problem["field"] == "/payload/payment_intent"
    assert problem["title"] == errors.PROBLEMS["unknown_payment"].title


@pytest.mark.usefixtures("provider")
def test_a_currency_other_than_the_payments_is_named(
    api: Caller, body: dict[str, Any], settings: Any, refund_payload: dict[str, Any]
) -> None:
    settings.COUNTERSIGN_READ_FACTS = True
    other = body | {"payload": refund_payload | {"currency": "eur"}}

    problem = problem_of(api.submit(other), 400, "currency_mismatch")

    assert problem["field"] == "/payload/currency"
    assert_nothing_stored_but_a_trace("currency_mismatch")
