"""The pages say what else is promised of a payment, and do not offer what cannot be approved."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from approvals.admin.shares import bar_of
from approvals.models import ApprovalRequest
from approvals.reserving import Promised
from executors.base import Share

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(
    submit: Callable[..., ApprovalRequest],
    refund_payload: dict[str, Any],
    approve: Callable[..., Any],
) -> tuple[ApprovalRequest, ApprovalRequest]:
    """Of 120.00 USD, 80.00 are approved and 50.00 wait."""
    first, second = (submit(refund_payload | {"amount": amount}) for amount in (8000, 5000))
    approve(first)
    return first, second


def decide_page(client: Client, request: ApprovalRequest) -> str:
    answer = client.get(f"/admin/approvals/approvalrequest/{request.pk}/decide/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_links_what_is_promised_and_offers_no_approval(
    client: Client, reviewer: Any, pair: tuple[ApprovalRequest, ApprovalRequest]
) -> None:
    first, second = pair
    client.force_login(reviewer)

    page = decide_page(client, second)

    assert "Approved here, not yet paid" in page
    assert f"/admin/approvals/approvalrequest/{first.pk}/change/" in page
    assert "Only 40.00 USD of the payment are left" in page
    assert 'value="approve" disabled' in page


def test_a_press_all_the_same_is_told_why_not(
    client: Client, reviewer: Any, pair: tuple[ApprovalRequest, ApprovalRequest]
) -> None:
    _, second = pair
    client.force_login(reviewer)
    digest = decide_page(client, second).split('name="digest" value="')[1].split('"')[0]

    answer = client.post(
        f"/admin/approvals/approvalrequest/{second.pk}/decide/",
        {"outcome": "approve", "reason": "Checked.", "digest": digest},
    )

    assert answer.status_code == 400
    assert "Only 40.00 USD of the payment are left" in answer.content.decode()


def test_what_waits_is_linked(
    client: Client,
    reviewer: Any,
    submit: Callable[..., ApprovalRequest],
    refund_payload: dict[str, Any],
) -> None:
    waiting, second = (submit(refund_payload | {"amount": amount}) for amount in (8000, 5000))
    client.force_login(reviewer)

    page = decide_page(client, second)

    assert "Waiting here" in page
    assert f"/admin/approvals/approvalrequest/{waiting.pk}/change/" in page
    assert 'value="approve" disabled' not in page


@pytest.mark.parametrize(
    ("share", "approved", "words"),
    [
        (
            Share(of="ch_1", total=12000, gone=1000, asked=9500, currency="usd"),
            0,
            "refunded 10.00 USD, this 95.00 USD, left 15.00 USD, of 120.00 USD",
        ),
        (
            Share(of="ch_1", total=12000, gone=1000, asked=9500, currency="usd"),
            2000,
            "refunded 10.00 USD, approved here 20.00 USD, this 95.00 USD, too much by 5.00 USD, "
            "of 120.00 USD",
        ),
    ],
)
def test_the_bar_says_the_same_in_words(share: Share, approved: int, words: str) -> None:
    bar = bar_of(share, Promised(currency="usd", approved_minor=approved))

    assert bar.words == words
    assert sum(part.width for part in bar.parts) <= 1000
    assert [part.start for part in bar.parts] == [
        sum(part.width for part in bar.parts[:number]) for number in range(len(bar.parts))
    ]
