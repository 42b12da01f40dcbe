"""Idempotency keys of Stripe's v1 API, as its documentation describes them.

- The answer is stored once the endpoint begins to run, whether it succeeds or fails (a 500 too),
  in the same transaction as what the endpoint wrote.
- The same key with the same method, path and parameters replays it; with others it is an
  ``idempotency_error``. A second request while the first still runs is refused with 409.
- Refused parameters and conflicts are not stored; keys count on POST only.
- A key is kept for at least 24 hours; after that the same key runs again.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from executors.stripe.sandbox.errors import idempotency_error
from executors.stripe.sandbox.form import Form

#: Seconds that a key is kept: Stripe's documentation promises "at least 24 hours".
KEPT_SECONDS = 24 * 60 * 60
MAX_LENGTH = 255


@dataclass(frozen=True, kw_only=True)
class Keyed:
    """A POST that came with a key: what must be the same when the key comes again."""

    account: str
    key: str
    method: str
    path: str
    form: Form

    @property
    def parameters(self) -> str:
        """The parameters in one spelling, so that their order does not matter."""
        return json.dumps(self.form, sort_keys=True)


@dataclass(frozen=True, kw_only=True)
class StoredAnswer:
    """An answer under a key, and the id of the request that got it first."""

    status: int
    body: bytes
    request: str


class KeysInUse:
    """The keys whose first request still runs.

    Kept in memory on purpose: when the process dies, the transaction of such a request is undone,
    and its key is fresh again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[tuple[str, str]] = set()

    @contextmanager
    def hold(self, account: str, key: str) -> Iterator[None]:
        """Hold the key while its request runs.

        Raises:
            EarlyError: another request holds it (409), or it is too long (400).
        """
        if len(key) > MAX_LENGTH:
            # The limit is documented, the answer beyond it is not.
            raise idempotency_error(f"Idempotency keys are up to {MAX_LENGTH} characters long.")
        with self._lock:
            if (account, key) in self._held:
                raise idempotency_error(
                    "There is currently another in-progress request using this Idempotent Key "
                    "(that probably means you submitted twice, and the other request is still "
                    f"going through): {key}",
                    status=409,
                    code="idempotency_key_in_use",
                )
            self._held.add((account, key))
        try:
            yield
        finally:
            with self._lock:
                self._held.discard((account, key))


def find(tx: sqlite3.Connection, request: Keyed, *, now: int) -> StoredAnswer | None:
    """Return the stored answer to this request, or None when its key is fresh.

    Raises:
        EarlyError: the key was first used for another endpoint or with other parameters (400).
    """
    tx.execute("DELETE FROM idempotency_keys WHERE created <= ?", (now - KEPT_SECONDS,))
    row = tx.execute(
        "SELECT * FROM idempotency_keys WHERE account = ? AND key = ?",
        (request.account, request.key),
    ).fetchone()
    if row is None:
        return None
    hint = (
        f"Try using a key other than '{request.key}' if you meant to execute a different request."
    )
    if (row["method"], row["path"]) != (request.method, request.path):
        raise idempotency_error(
            "Keys for idempotent requests can only be used for the same endpoint they were first "
            f"used for ('{request.path}' vs '{row['path']}'). {hint}"
        )
    if row["parameters"] != request.parameters:
        raise idempotency_error(
            "Keys for idempotent requests can only be used with the same parameters they were "
            f"first used with. {hint}"
        )
    return StoredAnswer(status=row["status"], body=row["body"], request=row["request"])


def keep(tx: sqlite3.Connection, request: Keyed, answer: StoredAnswer, *, now: int) -> None:
    """Store the answer under the key, in the transaction of what it reports."""
    tx.execute(
        "INSERT INTO idempotency_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            request.account,
            request.key,
            now,
            request.method,
            request.path,
            request.parameters,
            answer.request,
            answer.status,
            answer.body,
        ),
    )
