"""``services.refresh_facts`` and the task for missing facts."""

import pytest

from approvals import services, tasks, viewing
from approvals.errors import NotDecidableError, RequestNotFoundError
from approvals.services import facts as reading
from audit import clock
from executors.stripe.refunds import StripeRefund

pytestmark = pytest.mark.django_db


def test_reading_anew_adds_a_snapshot_and_keeps_the_old_one(
    pending_request, payment, stripe_client
):
    before = pending_request.facts.get()
    stripe_client.v1.refunds.create({"payment_intent": payment.id, "amount": 1000})

    after = services.refresh_facts(request_id=pending_request.pk)

    assert [s.number for s in pending_request.facts.order_by("number")] == [1, 2]
    assert (before.material["refunded"], after.material["refunded"]) == (0, 1000)
    assert viewing.current_view(pending_request).snapshot == after


def test_new_facts_that_forbid_the_request_say_why(pending_request, payment, stripe_client):
    stripe_client.v1.refunds.create({"payment_intent": payment.id, "amount": 3000})

    assert services.refresh_facts(request_id=pending_request.pk).problem


def test_a_provider_that_does_not_answer_changes_nothing(pending_request, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"

    assert services.refresh_facts(request_id=pending_request.pk) is None
    assert pending_request.facts.count() == 1


def test_a_decided_request_is_not_read_for(pending_request, reject, monkeypatch):
    reject(pending_request)
    monkeypatch.setattr(reading, "read", lambda *_: pytest.fail("the provider was read"))

    with pytest.raises(NotDecidableError):
        services.refresh_facts(request_id=pending_request.pk)


def test_what_was_read_for_a_request_decided_meanwhile_is_not_kept(
    pending_request, reject, monkeypatch
):
    really_read = reading.read

    def read_while_somebody_decides(*arguments):
        reject(pending_request)
        return really_read(*arguments)

    monkeypatch.setattr(reading, "read", read_while_somebody_decides)

    with pytest.raises(NotDecidableError):
        services.refresh_facts(request_id=pending_request.pk)
    assert pending_request.facts.count() == 1


def test_facts_are_as_old_as_the_question_not_as_the_answer(pending_request, later, monkeypatch):
    really_ask = StripeRefund.facts

    def answer_late(*arguments):
        later(seconds=60)
        return really_ask(*arguments)

    monkeypatch.setattr(StripeRefund, "facts", answer_late)
    asked_at = clock.now()

    snapshot = services.refresh_facts(request_id=pending_request.pk)

    assert 0 <= (snapshot.read_at - asked_at).total_seconds() < 60


def test_who_asked_first_and_is_answered_last_does_not_bring_older_facts(
    pending_request, payment, stripe_client, later, monkeypatch
):
    really_ask = StripeRefund.facts

    def answer_after_somebody_else(*arguments):
        old = really_ask(*arguments)
        monkeypatch.setattr(StripeRefund, "facts", really_ask)
        stripe_client.v1.refunds.create({"payment_intent": payment.id, "amount": 1000})
        later(seconds=1)
        services.refresh_facts(request_id=pending_request.pk)
        return old

    monkeypatch.setattr(StripeRefund, "facts", answer_after_somebody_else)

    shown = services.refresh_facts(request_id=pending_request.pk)

    assert pending_request.facts.count() == 2
    assert viewing.current_view(pending_request).snapshot == shown
    assert shown.material["refunded"] == 1000


def test_the_oldest_open_requests_without_facts_come_first(
    submit, refund_payload, settings, later, reject
):
    submit(refund_payload)
    settings.COUNTERSIGN_READ_FACTS = False
    submit(refund_payload, expires_in=60)
    reject(submit(refund_payload))
    first, second, _ = (submit(refund_payload) for _ in range(3))
    later(seconds=61)

    assert services.without_facts(limit=2) == [first.pk, second.pk]


@pytest.mark.django_db(transaction=True)
def test_an_unknown_request_is_not_found():
    with pytest.raises(RequestNotFoundError):
        services.refresh_facts(request_id="req_none")


def test_the_task_reads_for_requests_that_have_none(submit, refund_payload, settings):
    settings.COUNTERSIGN_READ_FACTS = False
    request = submit(refund_payload)
    settings.COUNTERSIGN_READ_FACTS = True

    assert tasks.read_missing_facts() == 1
    assert tasks.read_missing_facts() == 0
    assert request.facts.count() == 1


def test_the_task_goes_on_past_a_request_that_cannot_be_read_for(submit, refund_payload, settings):
    settings.COUNTERSIGN_READ_FACTS = False
    submit(refund_payload | {"payment_intent": "pi_0000000000000000"})
    good = submit(refund_payload)
    settings.COUNTERSIGN_READ_FACTS = True

    assert tasks.read_missing_facts() == 1
    assert good.facts.count() == 1
