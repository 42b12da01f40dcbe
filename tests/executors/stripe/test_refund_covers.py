"""``StripeRefund.covers``: only what was decided is sent, whatever somebody wrote into the row."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from executors.stripe.refunds import StripeRefund

REFUNDS = StripeRefund()
DIGEST = "d" * 64
PAYLOAD: dict[str, Any] = {
    "payment_intent": "pi_1",
    "amount": 9500,
    "currency": "usd",
    "reason": "duplicate",
    "metadata": {"ticket": "T-1002"},
}
CLAIMS = {"jti": "dec_1", "sub": "req_1", "payload": PAYLOAD}


def covers(**changes: str) -> bool:
    prepared = replace(REFUNDS.prepare(CLAIMS, DIGEST), **changes)
    return REFUNDS.covers(CLAIMS, DIGEST, prepared)


def body(old: str = "", new: str = "", more: str = "") -> str:
    plain = REFUNDS.prepare(CLAIMS, DIGEST).body
    assert old in plain
    return plain.replace(old, new) + more


def test_what_was_prepared_is_covered() -> None:
    assert covers()


def test_what_an_earlier_release_prepared_is_covered() -> None:
    earlier = body(more=f"&{quote('metadata[release]')}=1")

    assert covers(body=earlier, api_version="2025-01-01.old")


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "GET"},
        {"path": "/v1/payouts"},
        {"path": "/v1/refunds/"},
        {"body": ""},
        {"body": body("amount=9500", "amount=9501")},
        {"body": body("amount=9500", "amount=09500")},
        {"body": body("amount=9500&", "")},
        {"body": body("pi_1", "pi_2")},
        {"body": body("payment_intent=", "charge=")},
        {"body": body("reason=duplicate", "reason=fraudulent")},
        {"body": body("reason=duplicate&", "")},
        {"body": body("T-1002", "T-1003")},
        {"body": body("dec_1", "dec_2")},
        {"body": body("req_1", "req_2")},
        {"body": body(DIGEST, "e" * 64)},
        {"body": body(more="&amount=9501")},
        {"body": body(more="&am%6Funt=9501")},
        {"body": body(more="&amount=9500")},
        {"body": body(more="&charge=ch_1")},
        {"body": body(more="&charge=")},
        {"body": body(more="&refund_application_fee=true")},
        {"body": body(more=f"&{quote('metadata[ticket]')}=T-1003")},
    ],
    ids=str,
)
def test_anything_else_is_not(changes: dict[str, str]) -> None:
    assert not covers(**changes)
