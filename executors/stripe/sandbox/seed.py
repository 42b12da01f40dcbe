"""Payments for a demonstration: several currencies, and one of each difficulty."""

import sqlite3
from dataclasses import dataclass

from executors.stripe.sandbox.calls import Call
from executors.stripe.sandbox.resources import customers, payment_intents, refunds

_DAY = 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class DemoPayment:
    """A payment to make, and how much of it to give back at once (minor units)."""

    customer: str
    description: str
    amount: int
    currency: str
    days_ago: int
    card: str = "pm_card_visa"
    refunded: int = 0


PAYMENTS: tuple[DemoPayment, ...] = (
    DemoPayment(
        customer="Henrik Lund",
        description="Yearly plan, 40 seats",
        amount=4_800_000,
        currency="usd",
        days_ago=30,
        card="pm_card_amex",
    ),
    DemoPayment(
        customer="Priya Nair",
        description="Espresso machine",
        amount=64_900,
        currency="usd",
        days_ago=21,
        card="pm_card_createDispute",
    ),
    DemoPayment(
        customer="Tomás Herrera",
        description="Concert tickets",
        amount=18_000,
        currency="eur",
        days_ago=14,
        card="pm_card_mastercard",
        refunded=18_000,
    ),
    DemoPayment(
        customer="Noor Al-Sabah",
        description="Desk lamp",
        amount=24_750,
        currency="kwd",
        days_ago=9,
    ),
    DemoPayment(
        customer="Haruka Mori",
        description="Ceramic tea set",
        amount=12_800,
        currency="jpy",
        days_ago=6,
    ),
    DemoPayment(
        customer="Marta Kowalska",
        description="Running shoes",
        amount=8_990,
        currency="eur",
        days_ago=4,
        card="pm_card_mastercard",
    ),
    DemoPayment(
        customer="Sam Whitfield",
        description="Monthly plan",
        amount=2_900,
        currency="gbp",
        days_ago=2,
    ),
    DemoPayment(
        customer="Ada Byron",
        description="Order 1042, headphones",
        amount=12_000,
        currency="usd",
        days_ago=1,
        refunded=1_000,
    ),
)


def seed_once(tx: sqlite3.Connection, *, account: str, now: int) -> bool:
    """Make the payments unless they were made before; say whether they were made now."""
    if tx.execute("SELECT 1 FROM settings WHERE name = 'seeded'").fetchone():
        return False
    for payment in PAYMENTS:
        _make(tx, payment, account=account, now=now - payment.days_ago * _DAY)
    tx.execute("INSERT INTO settings (name, value) VALUES ('seeded', ?)", (str(now),))
    return True


def _make(tx: sqlite3.Connection, payment: DemoPayment, *, account: str, now: int) -> None:
    email = f"{payment.customer.split()[0].lower()}@example.com"
    person = {"name": payment.customer, "email": email}
    customer = customers.create(Call(tx=tx, account=account, now=now, params=person))
    params = {
        "amount": payment.amount,
        "confirm": True,
        "currency": payment.currency,
        "customer": customer["id"],
        "description": payment.description,
        "payment_method": payment.card,
    }
    intent = payment_intents.create(Call(tx=tx, account=account, now=now, params=params))
    if payment.refunded:
        refund = {"payment_intent": intent["id"], "amount": payment.refunded}
        refunds.create(Call(tx=tx, account=account, now=now, params=refund))
