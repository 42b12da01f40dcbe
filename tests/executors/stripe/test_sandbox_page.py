"""What the local Stripe shows without a key, and the demonstration's payments."""

import json

import pytest

from executors.stripe.sandbox import seed
from executors.stripe.sandbox.calls import Call
from executors.stripe.sandbox.messages import Answer, Request
from executors.stripe.sandbox.resources import refunds
from tests.executors.stripe.conftest import Stage


@pytest.fixture
def seeded(stage: Stage) -> Stage:
    with stage.store.writing() as tx:
        assert seed.seed_once(tx, account="acct_local_stage", now=stage.clock())
    return stage


def look(stage: Stage, path: str, *, method: str = "GET", host: str = "127.0.0.1:12111") -> Answer:
    request = Request(method=method, target=path, headers={"host": host})
    return stage.application.answer(request)


def payments(stage: Stage) -> dict[str, dict[str, object]]:
    body = json.loads(look(stage, "/_local/payments").body)
    assert body["account"] == "acct_local_stage"
    return {payment["customer_name"]: payment for payment in body["payments"]}


def test_the_demonstration_has_every_difficulty(seeded: Stage) -> None:
    made = payments(seeded)

    assert len(made) == len(seed.PAYMENTS) == 8
    assert {payment["currency"] for payment in made.values()} == {"eur", "gbp", "jpy", "kwd", "usd"}
    ada = made["Ada Byron"]
    assert (ada["amount"], ada["amount_refunded"], ada["refunded"]) == (12000, 1000, False)
    assert made["Tomás Herrera"]["refunded"] is True
    assert made["Priya Nair"]["disputed"] is True
    assert ada["created"] == seeded.clock.now - 24 * 60 * 60


def test_the_demonstration_is_made_once(seeded: Stage) -> None:
    with seeded.store.writing() as tx:
        assert not seed.seed_once(tx, account="acct_local_stage", now=seeded.clock())

    assert len(payments(seeded)) == 8


def test_the_page_shows_payments_and_refunds(seeded: Stage) -> None:
    answer = look(seeded, "/")

    page = answer.body.decode()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    for text in ("not the real one", "acct_local_stage", "Ada Byron", "24.750", "disputed"):
        assert text in page
    assert "refunded in full" in page
    assert "10.00 <small>USD</small>" in page
    assert "<script" not in page
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_page_shows_what_is_not_settled(stage: Stage) -> None:
    payment = stage.pay(card="pm_card_pendingRefund", description="<b>bold</b>")
    stage.read("POST", "/v1/refunds", {"payment_intent": payment["id"], "reason": "duplicate"})
    stage.pay(confirm="false")

    page = look(stage, "/").body.decode()

    assert "requires confirmation" in page
    assert ">pending<" in page
    assert "duplicate" in page
    assert "&lt;b&gt;bold" in page
    assert "<b>bold" not in page


@pytest.mark.parametrize(
    ("status", "badge"),
    [
        ("requires_action", "wait"),
        ("succeeded", "good"),
        ("failed", "bad"),
        ("canceled", "bad"),
    ],
)
def test_the_page_shows_what_became_of_a_refund(stage: Stage, status: str, badge: str) -> None:
    payment = stage.pay(card="pm_card_pendingRefund")
    made = stage.read("POST", "/v1/refunds", {"payment_intent": payment["id"]})
    with stage.store.writing() as tx:
        call = Call(tx=tx, account="acct_local_stage", now=stage.clock())
        refunds.settle(call, made["id"], outcome=status)

    shown = f'badge {badge}">{status.replace("_", " ")}<'
    assert shown in look(stage, "/").body.decode()


def test_an_empty_page_says_so(stage: Stage) -> None:
    assert b"No payments yet." in look(stage, "/").body


@pytest.mark.parametrize("path", ["/", "/_local/payments"])
def test_other_hosts_and_methods_see_nothing(seeded: Stage, path: str) -> None:
    assert look(seeded, path, host="evil.example:12111").status == 404
    assert look(seeded, path, method="POST").status == 404
    assert look(seeded, path, host="localhost:12111").status == 200


def test_other_addresses_are_unknown(stage: Stage) -> None:
    assert look(stage, "/favicon.ico").status == 404
