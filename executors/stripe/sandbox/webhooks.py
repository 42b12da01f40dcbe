"""Delivers events to one webhook endpoint: signed, repeated until they are taken, or as told.

A thread of its own sends; whoever answers requests only says that something new is committed.
What is waiting is kept in memory, so that a stop forgets it, as an outage of the network might.
"""

import hashlib
import hmac
import http.client
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from executors.stripe.sandbox.calls import Json
from executors.stripe.sandbox.clock import Clock
from executors.stripe.sandbox.messages import as_bytes
from executors.stripe.sandbox.resources import events
from executors.stripe.sandbox.store import Store


class Mode(StrEnum):
    """How events travel."""

    #: Once each, as soon as they are committed, in their order.
    NORMAL = "normal"
    #: As before, and the answer to the request that caused them waits until they were sent.
    BEFORE_ANSWER = "before_answer"
    #: Held until they are released, then in their order.
    LATE = "late"
    #: Held until they are released, then the newest first.
    OUT_OF_ORDER = "out_of_order"
    #: Each of them two times.
    TWICE = "twice"
    #: Lost.
    NEVER = "never"


_HELD = (Mode.LATE, Mode.OUT_OF_ORDER)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: Seconds until an endpoint that does not answer counts as gone.
_PATIENCE = 10.0
#: Seconds before the first repetition; doubled for each further one, up to the longest.
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 30.0
_MOST_TRIES = 20
#: How many deliveries the switch still tells about.
_REMEMBERED = 500


@dataclass(eq=False)
class Delivery:
    """One event on its way; ``due`` is on the machine's monotonic clock."""

    event: str
    type: str
    body: bytes
    due: float
    tries: int = 0
    held: bool = False


class Webhooks:
    """The endpoint, how events get there, and what became of each."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._changed = threading.Condition()
        self._url = ""
        self._secret = ""
        self._mode = Mode.NORMAL
        self._seen = 0
        self._waiting: list[Delivery] = []
        self._told: deque[Json] = deque(maxlen=_REMEMBERED)
        self._thread: threading.Thread | None = None

    def configure(self, *, url: str | None = None, secret: str | None = None) -> None:
        """Name the endpoint and its secret; events from now on go there. An empty URL ends it.

        Raises:
            ValueError: an address that is not of this machine, or no secret of an endpoint.
        """
        if url and (urlsplit(url).scheme, urlsplit(url).hostname in _LOOPBACK) != ("http", True):
            raise ValueError("Webhooks are delivered to http://127.0.0.1 only.")
        if secret is not None and not secret.startswith("whsec_"):
            raise ValueError("The secret of an endpoint starts with whsec_.")
        with self._changed:
            self._secret = self._secret if secret is None else secret
            if url is not None and url != self._url:
                self._url, self._waiting, self._seen = url, [], self._newest()
        if url and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
            self._thread.start()

    def travel(self, mode: Mode) -> None:
        """Set how later events travel; those that are held stay held."""
        with self._changed:
            self._mode = mode

    def release(self) -> int:
        """Send what is held, and return how many."""
        with self._changed:
            held = [delivery for delivery in self._waiting if delivery.held]
            for delivery in held:
                delivery.held = False
            if self._mode == Mode.OUT_OF_ORDER:
                self._waiting.reverse()
            self._changed.notify_all()
            return len(held)

    def collect(self) -> None:
        """Take up what was committed since the last time; called after each commit."""
        if not self._url:
            return
        with self._changed:
            new = [delivery for row in self._unseen() for delivery in self._deliveries(row)]
            self._waiting += new
            self._changed.notify_all()
            if self._mode == Mode.BEFORE_ANSWER:
                self._changed.wait_for(lambda: all(each.tries for each in new), timeout=_PATIENCE)

    def status(self) -> Json:
        """Return what is on its way and what became of the rest; never the secret."""
        with self._changed:
            return {
                "url": self._url,
                "mode": self._mode.value,
                "held": sum(delivery.held for delivery in self._waiting),
                "waiting": sum(not delivery.held for delivery in self._waiting),
                "deliveries": list(self._told),
            }

    def _unseen(self) -> list[Mapping[str, object]]:
        with self._store.reading() as tx:
            query = "SELECT * FROM events WHERE sequence > ? ORDER BY sequence"
            rows = tx.execute(query, (self._seen,)).fetchall()
        self._seen = rows[-1]["sequence"] if rows else self._seen
        return [events.serialise(row) for row in rows]

    def _newest(self) -> int:
        with self._store.reading() as tx:
            row = tx.execute("SELECT coalesce(max(sequence), 0) AS newest FROM events").fetchone()
        return int(row["newest"])

    def _deliveries(self, event: Mapping[str, object]) -> list[Delivery]:
        copies = {Mode.NEVER: 0, Mode.TWICE: 2}.get(self._mode, 1)
        return [
            Delivery(
                event=str(event["id"]),
                type=str(event["type"]),
                body=as_bytes(dict(event)),
                due=time.monotonic(),
                held=self._mode in _HELD,
            )
            for _ in range(copies)
        ]

    def _run(self) -> None:
        while True:
            with self._changed:
                delivery = self._next()
                url, secret = self._url, self._secret
            outcome = _send(url, secret, delivery.body, at=self._clock())
            with self._changed:
                self._note(delivery, outcome)
                self._changed.notify_all()

    def _next(self) -> Delivery:
        """Wait for the first delivery that is due; it stays in the list until it was taken."""
        while True:
            now = time.monotonic()
            open_ones = [delivery for delivery in self._waiting if not delivery.held]
            for delivery in open_ones:
                if delivery.due <= now:
                    return delivery
            first = min((delivery.due for delivery in open_ones), default=None)
            self._changed.wait(None if first is None else first - now)

    def _note(self, delivery: Delivery, outcome: int | str) -> None:
        delivery.tries += 1
        self._told.append({"event": delivery.event, "type": delivery.type, "answer": outcome})
        taken = isinstance(outcome, int) and 200 <= outcome < 300
        if delivery not in self._waiting:
            return
        if taken or delivery.tries >= _MOST_TRIES:
            self._waiting.remove(delivery)
        else:
            pause = min(_FIRST_PAUSE * 2 ** (delivery.tries - 1), _LONGEST_PAUSE)
            delivery.due = time.monotonic() + pause


def signature(secret: str, body: bytes, *, at: int) -> str:
    """Return the header ``Stripe-Signature`` of a delivery at this second."""
    signed = f"{at}.".encode() + body
    return f"t={at},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


def _send(url: str, secret: str, body: bytes, *, at: int) -> int | str:
    """Send once; return the status of the answer, or why there was none."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=_PATIENCE)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature(secret, body, at=at),
        "User-Agent": "Stripe/1.0 (local)",
    }
    try:
        connection.request("POST", parts.path or "/", body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
