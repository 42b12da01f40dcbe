"""Which endpoint answers which method and path, with which permission and parameters."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from executors.stripe.sandbox import accepted
from executors.stripe.sandbox.calls import Call, Json
from executors.stripe.sandbox.errors import EarlyError
from executors.stripe.sandbox.objects import Kind, retrieve
from executors.stripe.sandbox.parameters import Kind as Accepts
from executors.stripe.sandbox.parameters import Parameters, text
from executors.stripe.sandbox.resources import (
    account,
    balance,
    charges,
    customers,
    events,
    payment_intents,
    payment_methods,
    refunds,
)

#: The kinds of objects, by the value of their ``object`` field.
KINDS: Mapping[str, Kind] = {
    "charge": charges.KIND,
    "customer": customers.KIND,
    "event": events.KIND,
    "payment_intent": payment_intents.KIND,
    "payment_method": payment_methods.KIND,
    "refund": refunds.KIND,
}


@dataclass(frozen=True, kw_only=True)
class Route:
    """One endpoint; ``{}`` in the path stands for an id."""

    method: str
    path: str
    endpoint: Callable[[Call], Json]
    resource: str
    kind: str | None = None
    is_list: bool = False
    #: A read that makes what it reads: a test payment method is made when it is first named.
    makes: bool = False
    accepts: Parameters = field(default_factory=Parameters)

    @property
    def level(self) -> str:
        """The permission that a restricted key needs for it."""
        return "read" if self.method == "GET" else "write"


_get = partial(Route, method="GET", accepts=accepted.READ)
_post = partial(Route, method="POST")


def _read(kind: str) -> Route:
    """Return the route that reads one object of a kind."""
    table = KINDS[kind].table
    return _get(path=f"/v1/{table}/{{}}", endpoint=retrieve(KINDS[kind]), resource=table, kind=kind)


def _list(kind: str, endpoint: Callable[[Call], Json], **filters: Accepts) -> Route:
    """Return the route that lists objects of a kind."""
    table = KINDS[kind].table
    return _get(
        path=f"/v1/{table}",
        endpoint=endpoint,
        resource=table,
        kind=kind,
        is_list=True,
        accepts=accepted.listing(**filters),
    )


def _write(path: str, kind: str, endpoint: Callable[[Call], Json], accepts: Parameters) -> Route:
    """Return a route that changes objects of a kind; the path is below the table's name."""
    table = KINDS[kind].table
    return _post(
        path=f"/v1/{table}{path}", endpoint=endpoint, resource=table, kind=kind, accepts=accepts
    )


ROUTES: tuple[Route, ...] = (
    _get(path="/v1/account", endpoint=account.retrieve, resource="account"),
    _get(path="/v1/balance", endpoint=balance.retrieve, resource="balance"),
    _list("charge", charges.list_all, payment_intent=text(), customer=text()),
    _read("charge"),
    _write("", "customer", customers.create, accepted.CUSTOMER_CREATE),
    _read("customer"),
    _list("event", events.list_all, type=text()),
    _read("event"),
    _write("", "payment_intent", payment_intents.create, accepted.INTENT_CREATE),
    _list("payment_intent", payment_intents.list_all, customer=text()),
    _read("payment_intent"),
    _write("/{}/confirm", "payment_intent", payment_intents.confirm, accepted.INTENT_CONFIRM),
    _write("", "payment_method", payment_methods.create, accepted.METHOD_CREATE),
    replace(_read("payment_method"), endpoint=payment_methods.retrieve, makes=True),
    _write("", "refund", refunds.create, accepted.REFUND_CREATE),
    _list("refund", refunds.list_all, payment_intent=text(), charge=text()),
    _read("refund"),
    _write("/{}", "refund", refunds.update, accepted.REFUND_UPDATE),
    _write("/{}/cancel", "refund", refunds.cancel, accepted.REFUND_CANCEL),
)
_PATTERNS = [
    (re.compile(re.escape(route.path).replace(r"\{\}", r"([A-Za-z0-9_]{1,255})")), route)
    for route in ROUTES
]


def match(method: str, path: str) -> tuple[Route, str]:
    """Return the route and the id in the path (empty where the path has none).

    Raises:
        EarlyError: no endpoint has this method and path (404, in Stripe's words).
    """
    for pattern, route in _PATTERNS:
        found = pattern.fullmatch(path)
        if found and route.method == method:
            return route, "".join(found.groups())
    raise EarlyError(
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we "
        "can help at https://support.stripe.com/.",
        status=404,
    )
