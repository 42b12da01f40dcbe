"""The switches of the local Stripe, for tests: faults, clock, late refunds, webhooks, ledger.

Reached on the loopback address only, without a key. JSON is demanded, so that no web page can
press a switch by a plain form: a browser asks first, and is refused.
"""

import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from executors.stripe.sandbox.calls import Call, Json
from executors.stripe.sandbox.clock import MovableClock
from executors.stripe.sandbox.errors import EarlyError
from executors.stripe.sandbox.faults import PASSING, FaultKind, Faults, read_lines
from executors.stripe.sandbox.messages import Answer, Request, as_bytes
from executors.stripe.sandbox.objects import metadata_of
from executors.stripe.sandbox.resources import refunds
from executors.stripe.sandbox.store import Store
from executors.stripe.sandbox.webhooks import Mode, Webhooks

_SETTLE = re.compile(r"/_local/refunds/(?P<id>\w+)/settle")
_REFUNDS = "SELECT * FROM refunds ORDER BY sequence"
#: Which key made which refund.
_KEYS = """
SELECT json_extract(object, '$.id'), idempotency_key FROM events WHERE type = 'refund.created'"""
_PAYMENTS = """
SELECT p.id, p.currency, c.amount_captured, c.amount_refunded FROM payment_intents p
JOIN charges c ON c.id = p.latest_charge ORDER BY p.sequence"""


class Control:
    """Answers ``/_local/…``; only a process that was given a movable clock can be moved."""

    def __init__(
        self, *, store: Store, account: str, clock: MovableClock, faults: Faults, webhooks: Webhooks
    ) -> None:
        self._store = store
        self._account = account
        self._clock = clock
        self._faults = faults
        self._webhooks = webhooks

    def answer(self, request: Request) -> Answer | None:
        """Answer a request to a switch; None when there is no such switch."""
        settled = _SETTLE.fullmatch(request.path)
        switches: Mapping[tuple[str, str], Callable[[Any], Json]] = {
            ("POST", "/_local/faults"): self._script,
            ("GET", "/_local/faults"): self._left,
            ("DELETE", "/_local/faults"): self._clear,
            ("POST", "/_local/faults/random"): self._random,
            ("POST", "/_local/clock"): self._advance,
            ("GET", "/_local/ledger"): self._ledger,
            ("GET", "/_local/webhooks"): lambda _: self._webhooks.status(),
            ("POST", "/_local/webhooks"): self._deliver,
        }
        switch = switches.get((request.method, request.path))
        if request.method == "POST" and settled:
            refund_id = settled["id"]
            switch = lambda body: self._settle(refund_id, body)  # noqa: E731
        if switch is None:
            return None
        body = _json(request) if request.method == "POST" else None
        try:
            return Answer(status=200, body=as_bytes(switch(body)), headers=_HEADERS)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise EarlyError(f"The switch does not understand that: {error!r}") from error

    def _script(self, body: Any) -> Json:
        lines = read_lines(body)
        self._faults.add(lines)
        return {"lines": len(lines)}

    def _left(self, _: Any) -> Json:
        return {"left": self._faults.left()}

    def _clear(self, _: Any) -> Json:
        self._faults.clear()
        return {"lines": 0}

    def _random(self, body: Any) -> Json:
        kinds = [FaultKind(kind) for kind in body.get("kinds", PASSING)]
        rate = float(body["rate"])
        if not 0 <= rate <= 1:
            raise ValueError("The rate is between 0 and 1.")
        self._faults.at_random(seed=int(body["seed"]), rate=rate, kinds=kinds)
        return {"seed": int(body["seed"]), "rate": rate}

    def _advance(self, body: Any) -> Json:
        return {"now": self._clock.advance(int(body["advance"]))}

    def _settle(self, refund_id: str, body: Any) -> Json:
        with self._store.writing() as tx:
            call = Call(tx=tx, account=self._account, now=self._clock())
            settled = refunds.settle(call, refund_id, outcome=body.get("status"))
        self._webhooks.collect()
        return settled

    def _deliver(self, body: Any) -> Json:
        """Change where events go (``url``, ``secret``), how (``mode``), or ``release`` them."""
        if set(body) - {"url", "secret", "mode", "release"}:
            raise ValueError("It has only url, secret, mode and release.")
        self._webhooks.configure(url=body.get("url"), secret=body.get("secret"))
        if body.get("release"):
            self._webhooks.release()
        if "mode" in body:
            self._webhooks.travel(Mode(body["mode"]))
        return self._webhooks.status()

    def _ledger(self, _: Any) -> Json:
        with self._store.reading() as tx:
            keys = dict(map(tuple, tx.execute(_KEYS)))
            payments = {row["id"]: _payment(row) for row in tx.execute(_PAYMENTS)}
            for row in tx.execute(_REFUNDS):
                refund = {**_refund(row), "idempotency_key": keys.get(row["id"])}
                payments[row["payment_intent"]]["refunds"].append(refund)
        whole = {"account": self._account, "now": self._clock()}
        return {**whole, "payments": list(payments.values())}


_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


def _payment(row: sqlite3.Row) -> Json:
    names = ("id", "currency", "amount_captured", "amount_refunded")
    return {**{name: row[name] for name in names}, "refunds": []}


def _refund(row: sqlite3.Row) -> Json:
    names = ("id", "created", "payment_intent", "amount", "currency", "status")
    return {**{name: row[name] for name in names}, "metadata": metadata_of(row)}


def _json(request: Request) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise EarlyError("Send the switch its JSON as application/json.")
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise EarlyError("The body is no JSON.") from error
