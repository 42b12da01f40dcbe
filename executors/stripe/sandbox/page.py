"""What anybody may look at without a key: ``/`` for people, ``/_local/payments`` for scripts."""

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from http import HTTPStatus
from urllib.parse import urlsplit

from executors.stripe.sandbox import money
from executors.stripe.sandbox.calls import Json
from executors.stripe.sandbox.errors import EarlyError
from executors.stripe.sandbox.messages import Answer, Request, as_bytes
from executors.stripe.sandbox.page_style import STYLE

_PAYMENTS = """
SELECT p.*, c.name AS customer_name, ch.amount_captured, ch.amount_refunded, ch.disputed
FROM payment_intents p
LEFT JOIN customers c ON c.id = p.customer
LEFT JOIN charges ch ON ch.id = p.latest_charge
ORDER BY p.sequence DESC LIMIT ?"""
_REFUNDS = "SELECT * FROM refunds ORDER BY sequence DESC LIMIT ?"
#: Rows that the page shows, so that a long run of tests does not make it endless.
_SHOWN = 100
#: Rows in the JSON for scripts.
_LISTED = 1000
#: A web page elsewhere that resolves its own name to 127.0.0.1 sends another host.
_HOSTS = ("127.0.0.1", "localhost", "")


def answer(tx: sqlite3.Connection, account: str, request: Request) -> Answer:
    """Answer a request that is none of the API's."""
    is_read = is_local(request) and request.method in ("GET", "HEAD")
    if is_read and request.path == "/":
        return _html(tx, account)
    if is_read and request.path == "/_local/payments":
        body = {"account": account, "payments": _payments(tx)}
        return Answer(status=200, body=as_bytes(body), headers=_json_headers())
    refusal = EarlyError(f"Unrecognized request URL ({request.method}: {request.path}).")
    return Answer(status=404, body=as_bytes(refusal.body()), headers=_json_headers())


def is_local(request: Request) -> bool:
    """Tell whether the request was made for this machine by its own name."""
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    return host in _HOSTS


def _json_headers() -> Mapping[str, str]:
    return {"Content-Type": "application/json", "Cache-Control": "no-store"}


def _payments(tx: sqlite3.Connection) -> list[Json]:
    return [
        {
            "id": row["id"],
            "charge": row["latest_charge"],
            "amount": row["amount"],
            "amount_refunded": row["amount_refunded"] or 0,
            "created": row["created"],
            "currency": row["currency"],
            "customer": row["customer"],
            "customer_name": row["customer_name"],
            "description": row["description"],
            "disputed": bool(row["disputed"]),
            "refunded": bool(row["amount_refunded"])
            and row["amount_refunded"] == row["amount_captured"],
            "status": row["status"],
        }
        for row in tx.execute(_PAYMENTS, (_LISTED,))
    ]


def _html(tx: sqlite3.Connection, account: str) -> Answer:
    payments = "".join(_payment(row) for row in tx.execute(_PAYMENTS, (_SHOWN,)))
    refunds = "".join(_refund(row) for row in tx.execute(_REFUNDS, (_SHOWN,)))
    document = _DOCUMENT.format(
        style=STYLE,
        account=escape(account),
        payments=payments or _EMPTY.format("No payments yet."),
        refunds=refunds or _EMPTY.format("No refunds yet."),
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "
            "base-uri 'none'; form-action 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
    }
    return Answer(status=HTTPStatus.OK, body=document.encode(), headers=headers)


def _payment(row: sqlite3.Row) -> str:
    refunded = row["amount_refunded"] or 0
    share = round(100 * refunded / row["amount"])
    return _PAYMENT.format(
        amount=_amount(row["amount"], row["currency"]),
        badge=_payment_badge(row, refunded),
        customer=escape(row["customer_name"] or "No customer"),
        description=escape(row["description"] or ""),
        refunded=_amount(refunded, row["currency"]) if refunded else "nothing",
        share=share,
        id=escape(row["id"]),
        day=_moment(row["created"]),
    )


def _payment_badge(row: sqlite3.Row, refunded: int) -> str:
    if row["disputed"]:
        return _BADGE.format("bad", "disputed")
    if row["status"] != "succeeded":
        return _BADGE.format("wait", escape(row["status"].replace("_", " ")))
    if refunded and refunded == row["amount_captured"]:
        return _BADGE.format("back", "refunded in full")
    return _BADGE.format("back", "refunded in part") if refunded else _BADGE.format("good", "paid")


def _refund(row: sqlite3.Row) -> str:
    ended = {"failed": "bad", "canceled": "bad", "succeeded": "good"}
    kind = ended.get(row["status"], "wait")
    return _REFUND.format(
        amount=_amount(row["amount"], row["currency"]),
        badge=_BADGE.format(kind, row["status"].replace("_", " ")),
        reason=escape((row["reason"] or "no reason given").replace("_", " ")),
        id=escape(row["id"]),
        payment=escape(row["payment_intent"]),
        day=_moment(row["created"]),
    )


def _amount(amount: int, currency: str) -> str:
    return f"{money.plain(amount, currency)} <small>{escape(currency.upper())}</small>"


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%-d %b %Y, %H:%M UTC")


_BADGE = '<span class="badge {}">{}</span>'
_EMPTY = '<li class="empty">{}</li>'
_PAYMENT = """
<li>
  <p class="line"><b class="amount">{amount}</b>{badge}</p>
  <p>{customer} <span class="quiet">{description}</span></p>
  <p class="bar" role="img" aria-label="{share} % refunded"><i style="width:{share}%"></i></p>
  <p class="quiet">Refunded: {refunded}</p>
  <p class="fine"><code>{id}</code> <span>{day}</span></p>
</li>"""
_REFUND = """
<li>
  <p class="line"><b class="amount">{amount}</b>{badge}</p>
  <p class="quiet">{reason}</p>
  <p class="fine"><code>{id}</code> <span>{day}</span></p>
  <p class="fine"><span>of</span> <code>{payment}</code></p>
</li>"""
_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Local Stripe - not the real one</title>
<style>{style}</style>
</head>
<body>
<header>
  <h1>Local Stripe <span class="badge wait">not the real one</span></h1>
  <p>A stand-in for Stripe's API on this machine. No money moves. Account <code>{account}</code></p>
</header>
<main>
  <section><h2>Payments</h2><ul>{payments}</ul></section>
  <section><h2>Refunds</h2><ul>{refunds}</ul></section>
</main>
</body>
</html>
"""
