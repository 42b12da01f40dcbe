"""``POST /webhooks/stripe``: only what Stripe signed now is taken, and only as a bell."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import UnreadablePostError
from django.test import Client, RequestFactory
from stripe import WebhookSignature

from executors import services, views
from executors.errors import UntrustedEventError
from executors.models import Execution, ProviderEvent
from executors.stripe import webhooks
from tests.executors.webhooks import ADDRESS, SECRET, deliver, event_about, signature

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def secret(settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRET = SECRET


def problem(response: Any) -> tuple[int, str]:
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert not ProviderEvent.objects.exists(), "a refusal changes nothing"
    return response.status_code, body["code"]


class TestTaken:
    """What is stored, and what is answered."""

    def test_an_event_about_a_refund_is_stored(self) -> None:
        response = deliver(event_about())

        assert (response.status_code, response.json()) == (200, {"event": "stored"})
        event = ProviderEvent.objects.get()
        assert (event.pk, event.type, event.execution) == ("evt_1", "refund.updated", None)

    def test_the_second_time_it_is_known(self, later: Callable[..., None]) -> None:
        deliver(event_about())
        first = ProviderEvent.objects.get()
        later(minutes=1)
        response = deliver(event_about(type="refund.failed"))

        assert (response.status_code, response.json()) == (200, {"event": "known"})
        kept = ProviderEvent.objects.get()
        assert (kept.type, kept.received_at) == (first.type, first.received_at)

    @pytest.mark.parametrize("name", webhooks._ABOUT_REFUNDS)
    def test_every_kind_about_refunds(self, name: str) -> None:
        assert deliver(event_about(type=name)).json() == {"event": "stored"}

    def test_any_other_kind_is_ignored(self) -> None:
        response = deliver(event_about(type="invoice.paid"))

        assert (response.status_code, response.json()) == (200, {"event": "ignored"})
        assert not ProviderEvent.objects.exists()

    def test_no_session_and_no_csrf_token_are_needed(self) -> None:
        response = deliver(event_about(), client=Client(enforce_csrf_checks=True))

        assert response.status_code == 200
        assert not response.cookies

    @pytest.mark.parametrize("ahead", [-290, 290])
    def test_a_clock_may_be_five_minutes_off(self, ahead: int) -> None:
        text = json.dumps(event_about())

        assert deliver(text, header=signature(text, ahead=ahead)).status_code == 200

    def test_one_good_signature_of_two_is_enough(self) -> None:
        text = json.dumps(event_about())
        header = f"{signature(text)},v1={'0' * 64},v0={'0' * 64}"

        assert deliver(text, header=header).status_code == 200

    @pytest.mark.parametrize("name", ["id", "metadata"])
    @pytest.mark.parametrize("value", [None, 1, [], {"countersign_decision": ["x"]}, "a\x00b", ""])
    def test_an_object_without_names_is_about_nothing(self, name: str, value: Any) -> None:
        assert deliver(event_about({name: value})).status_code == 200
        assert ProviderEvent.objects.get().execution is None


class TestRefused:
    """A clear 4xx that changes nothing."""

    @pytest.mark.parametrize("ahead", [-310, 310, 10_000_000])
    def test_what_was_not_signed_now(self, ahead: int) -> None:
        text = json.dumps(event_about())

        response = deliver(text, header=signature(text, ahead=ahead))

        assert problem(response) == (400, "signature_not_of_now")

    @pytest.mark.parametrize(("off", "is_taken"), [(-301, False), (-300, True), (301, False)])
    def test_five_minutes_are_five_minutes(self, off: int, is_taken: bool) -> None:
        text = json.dumps(event_about())
        at = datetime(2026, 11, 25, 12, tzinfo=UTC)
        header = WebhookSignature.generate_signature_header(text, SECRET, int(at.timestamp()) + off)

        with nullcontext() if is_taken else pytest.raises(UntrustedEventError, match="from now"):
            webhooks.read(text.encode(), header, secret=SECRET, at=at)

    def test_what_another_secret_signed(self) -> None:
        text = json.dumps(event_about())

        assert problem(deliver(text, header=signature(text, secret="whsec_other"))) == (
            400,
            "bad_signature",
        )

    def test_one_byte_more(self) -> None:
        text = json.dumps(event_about())

        assert problem(deliver(text + " ", header=signature(text))) == (400, "bad_signature")

    @pytest.mark.parametrize(
        "header",
        ["", "t=1", "v1=aa", "t=,v1=aa", "t=-5,v1=aa", "t=1_0,v1=aa", "t=١,v1=aa", "t=x,v1=aa"],
    )
    def test_a_header_that_is_none(self, header: str) -> None:
        assert problem(deliver(event_about(), header=header)) == (400, "bad_signature")

    def test_two_times_in_one_header(self) -> None:
        text = json.dumps(event_about())
        old = signature(text, ahead=-10_000)
        now = signature(text).split(",")[0]

        for header in (f"{old},{now}", f"{now},{old}"):
            assert problem(deliver(text, header=header)) == (400, "bad_signature")

    def test_a_time_beyond_all_calendars(self) -> None:
        text = json.dumps(event_about())

        response = deliver(text, header=signature(text, ahead=90_000_000_000))

        assert problem(response) == (400, "signature_not_of_now")

    @pytest.mark.parametrize(
        "body",
        [
            "",
            "{",
            "[]",
            "null",
            "1e999",
            "[" * 100_000,
            json.dumps(event_about(object="refund")),
            json.dumps(event_about(id="re_1")),
            json.dumps(event_about(id=None)),
            json.dumps(event_about(id="evt_1\n")),
            json.dumps(event_about(type=7)),
            json.dumps(event_about(type="")),
            json.dumps(event_about(data=None)),
            json.dumps(event_about(data={"object": "re_1"})),
        ],
    )
    def test_what_is_no_event(self, body: str) -> None:
        assert problem(deliver(body)) == (400, "malformed_event")

    def test_bytes_that_are_no_text(self) -> None:
        response = Client().post(
            ADDRESS,
            data=b"\xff",
            content_type="application/json",
            headers={"Stripe-Signature": signature("x")},
        )

        assert problem(response) == (400, "bad_signature")

    def test_what_is_too_large(self) -> None:
        text = " " * (webhooks.MOST_BYTES + 1)

        assert problem(deliver(text)) == (413, "body_too_large")

    def test_what_ends_too_early(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(_size: int) -> bytes:
            raise UnreadablePostError("gone")

        request = RequestFactory().post(ADDRESS)
        monkeypatch.setattr(request, "read", broken)

        assert problem(_with_json(views.stripe_webhook(request))) == (400, "malformed_event")

    @pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
    def test_any_other_method(self, method: str) -> None:
        response = getattr(Client(), method)(ADDRESS)

        assert response.status_code == 405
        assert response["Allow"] == "POST"
        assert response["Content-Type"] == "application/problem+json"

    def test_everything_while_there_is_no_secret(self, settings: Any) -> None:
        settings.STRIPE_WEBHOOK_SECRET = ""
        text = json.dumps(event_about())

        for header in (signature(text), signature(text, secret="")):
            assert problem(deliver(text, header=header)) == (404, "webhooks_off")


@pytest.mark.parametrize(
    "error", [OperationalError("gone"), DatabaseError("full"), InterfaceError("closed")]
)
def test_what_could_not_be_stored_is_asked_for_again(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> bool:
        raise error

    monkeypatch.setattr(services, "note_event", fail)

    assert problem(deliver(event_about())) == (503, "unavailable")


class TestFound:
    """Which execution an event is about, and for whom it rings."""

    def test_the_one_with_this_reference(
        self, execution: Execution, rung_to_read: list[str], django_capture_on_commit_callbacks: Any
    ) -> None:
        Execution.objects.filter(pk=execution.pk).update(provider_reference="re_1")
        with django_capture_on_commit_callbacks(execute=True):
            deliver(event_about())

        assert ProviderEvent.objects.get().execution == execution
        assert rung_to_read == [execution.pk]

    def test_else_the_one_that_the_metadata_name(
        self, execution: Execution, rung_to_read: list[str], django_capture_on_commit_callbacks: Any
    ) -> None:
        marks = {"countersign_decision": execution.jti}
        with django_capture_on_commit_callbacks(execute=True):
            deliver(event_about({"metadata": marks}))

        assert ProviderEvent.objects.get().execution == execution
        assert rung_to_read == [execution.pk]

    def test_the_reference_counts_more(self, enqueue: Any) -> None:
        first, second = enqueue(), enqueue()
        Execution.objects.filter(pk=first.pk).update(provider_reference="re_1")
        deliver(event_about({"metadata": {"countersign_decision": second.jti}}))

        assert ProviderEvent.objects.get().execution == first

    def test_the_bell_rings_once_and_after_the_commit(
        self, execution: Execution, rung_to_read: list[str], django_capture_on_commit_callbacks: Any
    ) -> None:
        marks = {"countersign_decision": execution.jti}
        with django_capture_on_commit_callbacks(execute=True):
            deliver(event_about({"metadata": marks}))
            before = list(rung_to_read)
            deliver(event_about({"metadata": marks}))

        assert (before, rung_to_read) == ([], [execution.pk])

    def test_what_the_event_says_is_not_believed(self, execution: Execution) -> None:
        marks = {"countersign_decision": execution.jti}
        deliver(event_about({"metadata": marks, "status": "failed", "amount": 1}))

        execution.refresh_from_db()
        assert (execution.status, execution.provider_reference) == ("QUEUED", "")


def _with_json(response: Any) -> Any:
    response.json = lambda: json.loads(response.content)
    return response
