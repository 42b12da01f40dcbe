"""The queue: what waits, in the order in which it would be lost."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals import services
from approvals.models import ApprovalRequest
from approvals.services import Submission
from tests.approvals.admin.conftest import QUEUE, address, text_of

pytestmark = pytest.mark.django_db


def rows_of(browser, query: str = "") -> list[str]:
    response = browser.get(reverse(QUEUE) + query)
    assert response.status_code == 200
    return [row.pk for row in response.context["cl"].result_list]


@pytest.fixture
def two(submit, refund_payload):
    """Two pending requests; the one that was asked for later runs out first."""
    first = submit(refund_payload, expires_in=7200, reason="First.")
    second = submit(refund_payload | {"amount": 100}, expires_in=900, reason="Second.")
    return first, second


def test_what_would_be_lost_first_stands_on_top(browser, two):
    first, second = two

    assert rows_of(browser) == [second.pk, first.pk]


def test_the_queue_shows_only_what_waits(browser, two, reject):
    first, second = two
    reject(first)

    page = text_of(browser.get(reverse(QUEUE)))

    assert rows_of(browser) == [second.pk]
    assert rows_of(browser, "?status=REJECTED") == [first.pk]
    assert rows_of(browser, "?status=all") == [second.pk, first.pk]
    assert "Waiting for a person (1)" in page
    assert "Rejected (1)" in page
    assert "All (2)" in page


def test_what_ran_out_is_listed_as_expired_although_nobody_swept(browser, two, later):
    first, second = two
    later(minutes=20)

    page = text_of(browser.get(reverse(QUEUE)))
    expired = text_of(browser.get(reverse(QUEUE) + "?status=EXPIRED"))

    assert rows_of(browser) == [first.pk]
    assert rows_of(browser, "?status=EXPIRED") == [second.pk]
    assert rows_of(browser, "?status=all") == [second.pk, first.pk]
    assert "Waiting for a person (1)" in page
    assert "Expired (1)" in page
    assert "All (2)" in page
    assert f'href="{address("change", second)}' in expired
    assert address("decide", second) not in expired


def test_a_row_says_what_would_happen(browser, pending_request):
    page = text_of(browser.get(reverse(QUEUE)))

    assert "Refund 95.00 USD" in page
    assert "billing-agent" in page
    assert "seconds ago" in page
    assert "59 minutes" in page


def test_a_reviewer_is_led_to_the_page_that_decides(browser, signed_in, auditor, pending_request):
    for_reviewer = text_of(browser.get(reverse(QUEUE)))
    for_auditor = text_of(signed_in(auditor).get(reverse(QUEUE)))

    assert f'href="{address("decide", pending_request)}"' in for_reviewer
    assert f'href="{address("decide", pending_request)}"' not in for_auditor
    assert f'href="{address("change", pending_request)}"' in for_auditor


@pytest.mark.parametrize("kind", ["id", "payment", "agent", "service", "reason"])
def test_the_search_finds_it_in_every_status(browser, two, reject, refund_payload, kind):
    first, _ = two
    reject(first)
    terms = {
        "id": first.pk,
        "payment": refund_payload["payment_intent"],
        "agent": "billing",
        "service": "support",
        "reason": "first.",
    }

    assert first.pk in rows_of(browser, f"?q={terms[kind]}")


def test_the_search_finds_a_customer(browser, submit, stripe_client, refund_payload):
    customer = stripe_client.v1.customers.create({"name": "Ada"})
    payment = stripe_client.v1.payment_intents.create(
        {
            "amount": 5000,
            "currency": "usd",
            "customer": customer.id,
            "payment_method": "pm_card_visa",
            "payment_method_types": ["card"],
            "confirm": True,
        }
    )
    request = submit({"payment_intent": payment.id, "amount": 100, "currency": "usd"})

    assert rows_of(browser, f"?q={customer.id}") == [request.pk]


def test_nothing_is_found_where_nothing_is(browser, two):
    assert rows_of(browser, "?q=nobody-has-this") == []


@pytest.fixture
def different(two, make_payment, other_agent_key):
    """A third request, that differs from the two in everything that can be filtered by."""
    payment = make_payment(currency="eur")
    submission = Submission(
        service="billing",
        action="stripe.refund",
        payload={"payment_intent": payment.id, "amount": 100, "currency": "eur"},
        priority="high",
    )
    request = services.submit(
        key=other_agent_key.key, idempotency_key="1", submission=submission, body_sha256="0" * 64
    ).request
    # Refunds are the only action there is.
    ApprovalRequest.objects.filter(pk=request.pk).update(action="stripe.payout")
    return ApprovalRequest.objects.get(pk=request.pk)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("priority__exact", "priority"),
        ("action", "action"),
        ("currency", "currency"),
        ("agent__id__exact", "agent_id"),
    ],
)
def test_a_filter_shows_what_it_names_and_nothing_else(browser, two, different, name, field):
    first, second = two
    its, theirs = getattr(different, field), getattr(first, field)

    assert rows_of(browser, f"?{name}={its}") == [different.pk]
    assert rows_of(browser, f"?{name}={theirs}") == [second.pk, first.pk]
    for value in (its, theirs):
        assert f"?{name}={value}" in text_of(browser.get(reverse(QUEUE)))


def test_the_list_costs_as_many_queries_for_many_rows_as_for_one(browser, submit, refund_payload):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            rows_of(browser)
        return len(queries)

    submit(refund_payload)
    browser.get(reverse(QUEUE))
    one = count()
    for number in range(5):
        submit(refund_payload | {"amount": 100 + number})

    assert count() == one


def test_the_list_takes_no_posts(browser, pending_request):
    assert browser.post(reverse(QUEUE), {"action": "delete_selected"}).status_code == 405
