"""From a request to an answer, in the order that Stripe documents.

    read the request  →  key (401)  →  route (404)  →  permission (403)  →  form (400)
      GET:   parameters  →  endpoint
      POST:  idempotency key  →  parameters  →  endpoint and stored answer, in one transaction
    →  write the answer

Reading and writing bytes is the server's; the only commit is the one of ``Store.writing``.
"""

import logging
import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from executors.stripe.sandbox import form, idempotency, keys, page, routing
from executors.stripe.sandbox.calls import Call, Json
from executors.stripe.sandbox.clock import Clock, MovableClock, wall_clock
from executors.stripe.sandbox.control import Control
from executors.stripe.sandbox.errors import ApiError, EarlyError
from executors.stripe.sandbox.faults import Faults
from executors.stripe.sandbox.form import Form
from executors.stripe.sandbox.idempotency import Keyed, KeysInUse, StoredAnswer
from executors.stripe.sandbox.ids import new_id
from executors.stripe.sandbox.messages import Answer, Request, as_bytes
from executors.stripe.sandbox.objects import Expander
from executors.stripe.sandbox.routing import KINDS, Route
from executors.stripe.sandbox.store import Store
from executors.stripe.sandbox.version import API_VERSION, read_version
from executors.stripe.sandbox.webhooks import Webhooks

_LOG = logging.getLogger(__name__)
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """A request that passed key, route, permission and form."""

    route: Route
    form: Form
    object_id: str
    request_id: str
    key: str | None
    path: str
    breaks: bool


class Application:
    """The local Stripe without its sockets: ``answer`` may be called from many threads."""

    def __init__(self, *, store: Store, account: str, clock: Clock = wall_clock) -> None:
        self._store = store
        self._account = account
        self._clock = clock
        self._in_use = KeysInUse()
        self._expander = Expander(KINDS)
        self.faults = Faults()
        self.webhooks = Webhooks(store, clock)
        self._control: Control | None = None
        if isinstance(clock, MovableClock):
            self._control = Control(
                store=store,
                account=account,
                clock=clock,
                faults=self.faults,
                webhooks=self.webhooks,
            )

    def answer(self, request: Request) -> Answer:
        """Answer any request; whatever goes wrong becomes an answer, too."""
        if not request.path.startswith("/v1/"):
            return self._answer_local(request)
        request_id = new_id("req_")
        try:
            answer = self._answer_api(request, request_id)
        except ApiError as error:
            answer = _refusal(error)
        except Exception:  # noqa: BLE001 - whoever calls gets an answer
            _LOG.exception("Request %s failed.", request_id)
            answer = _failure()
        if request.method == "POST":
            self.webhooks.collect()
        return replace(answer, headers={**_headers(request, request_id), **answer.headers})

    def _answer_local(self, request: Request) -> Answer:
        """Answer what is none of Stripe's: the page, and the switches."""
        if self._control is not None and page.is_local(request):
            try:
                answer = self._control.answer(request)
            except ApiError as error:
                answer = _refusal(error)
            if answer is not None:
                return answer
        with self._store.reading() as tx:
            return page.answer(tx, self._account, request)

    def _answer_api(self, request: Request, request_id: str) -> Answer:
        with self._store.reading() as tx:
            caller = keys.authenticate(tx, request.headers, self._account)
        read_version(request.headers)
        route, object_id = routing.match(request.method, request.path)
        keys.check_grant(caller, resource=route.resource, level=route.level)
        admitted = Admitted(
            route=route,
            form=_form(request),
            object_id=object_id,
            request_id=request_id,
            key=request.headers.get("idempotency-key") or None,
            path=request.path,
            breaks=request.breaks,
        )
        return self._read(admitted) if request.method == "GET" else self._write(admitted)

    def _read(self, admitted: Admitted) -> Answer:
        """Run a GET; an idempotency key has no effect on it."""
        route = admitted.route
        with self._store.writing() if route.makes else self._store.reading() as tx:
            call = self._call(tx, admitted)
            return Answer(status=200, body=as_bytes(self._run(route, call)))

    def _write(self, admitted: Admitted) -> Answer:
        """Run a POST once per idempotency key; its writes and its stored answer commit together."""
        keyed = self._keyed(admitted)
        with self._hold(keyed), self._store.writing() as tx:
            now = self._clock()
            stored = keyed and idempotency.find(tx, keyed, now=now)
            if stored:
                return _replayed(stored)
            answer = self._execute(tx, admitted)
            if keyed:
                kept = StoredAnswer(
                    status=answer.status, body=answer.body, request=admitted.request_id
                )
                idempotency.keep(tx, keyed, kept, now=now)
                return replace(answer, headers={"Original-Request": admitted.request_id})
            return answer

    def _execute(self, tx: sqlite3.Connection, admitted: Admitted) -> Answer:
        """Run the endpoint; what it refuses is an answer to store, and its writes are undone.

        Raises:
            EarlyError: the parameters are refused, so nothing ran and nothing is stored.
        """
        call = self._call(tx, admitted)
        tx.execute("SAVEPOINT endpoint")
        if admitted.breaks:
            return _failure()
        try:
            return Answer(status=200, body=as_bytes(self._run(admitted.route, call)))
        except EarlyError:
            raise
        except ApiError as error:
            if not error.keeps_effects:
                tx.execute("ROLLBACK TO endpoint")
            return _refusal(error)
        except Exception:  # noqa: BLE001 - whoever calls gets an answer
            # Stripe stores a 500, too: a retry under the key must not run again.
            _LOG.exception("Request %s failed.", admitted.request_id)
            tx.execute("ROLLBACK TO endpoint")
            return _failure()

    def _call(self, tx: sqlite3.Connection, admitted: Admitted) -> Call:
        """Check the parameters and return what the endpoint is given."""
        route = admitted.route
        params = route.accepts.clean(admitted.form)
        self._expander.check(params.get("expand", []), route.kind, is_list=route.is_list)
        return Call(
            tx=tx,
            account=self._account,
            now=self._clock(),
            params=params,
            object_id=admitted.object_id,
            request_id=admitted.request_id,
            idempotency_key=admitted.key,
        )

    def _run(self, route: Route, call: Call) -> Json:
        body = route.endpoint(call)
        return self._expander.expand(call.tx, body, call.params.get("expand", []))

    def _keyed(self, admitted: Admitted) -> Keyed | None:
        if admitted.key is None:
            return None
        return Keyed(
            account=self._account,
            key=admitted.key,
            method=admitted.route.method,
            path=admitted.path,
            form=admitted.form,
        )

    def _hold(self, keyed: Keyed | None) -> AbstractContextManager[None]:
        return self._in_use.hold(keyed.account, keyed.key) if keyed else nullcontext()


def _form(request: Request) -> Form:
    """Return the parameters of the query and, of a POST, the body.

    Raises:
        EarlyError: the body is no form.
    """
    text = request.query.encode("latin-1")
    if request.method == "POST" and request.body:
        kind = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
        if kind != _FORM:
            message = f"Invalid request (check that your POST content type is {_FORM})."
            raise EarlyError(message)
        text = text + b"&" + request.body
    return form.decode(text)


def _refusal(error: ApiError) -> Answer:
    return Answer(status=error.status, body=as_bytes(error.body()))


def _failure() -> Answer:
    message = "An unknown error occurred in the local Stripe; its log says more."
    return _refusal(ApiError(message, status=500, kind="api_error"))


def _replayed(stored: StoredAnswer) -> Answer:
    headers = {"Idempotent-Replayed": "true", "Original-Request": stored.request}
    return Answer(status=stored.status, body=stored.body, headers=headers)


def _headers(request: Request, request_id: str) -> Mapping[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Cache-Control": "no-cache, no-store",
        "Request-Id": request_id,
        "Stripe-Version": request.headers.get("stripe-version", API_VERSION),
    }
    key = request.headers.get("idempotency-key")
    if key and request.method == "POST":
        headers["Idempotency-Key"] = key
    return headers
