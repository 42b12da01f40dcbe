"""The ``stripe`` library's own description of refunds against what the local Stripe accepts.

An upgrade of the library that adds, removes or renames something fails here first.
"""

import ast
from typing import get_args

import pytest
import stripe
from stripe import StripeClient
from stripe.params import (
    RefundCancelParams,
    RefundCreateParams,
    RefundListParams,
    RefundListParamsCreated,
    RefundUpdateParams,
)

from executors.stripe.sandbox import accepted
from executors.stripe.sandbox.errors import EarlyError
from executors.stripe.sandbox.parameters import Parameters
from executors.stripe.sandbox.routing import match
from executors.stripe.sandbox.version import API_VERSION
from tests.executors.stripe.conftest import Shop

#: What every call of the library takes besides the parameters of its endpoint.
OPTIONS = {
    "api_key",
    "content_type",
    "headers",
    "idempotency_key",
    "max_network_retries",
    "stripe_account",
    "stripe_context",
    "stripe_version",
}


def documented(params: type) -> set[str]:
    """The parameter names of one of the library's typed dictionaries."""
    return set(params.__annotations__) - OPTIONS


def known(parameters: Parameters) -> set[str]:
    return set(parameters.fields) | parameters.unsupported


@pytest.mark.parametrize(
    ("params", "method", "path"),
    [
        (RefundCreateParams, "POST", "/v1/refunds"),
        (RefundUpdateParams, "POST", "/v1/refunds/re_1"),
        (RefundCancelParams, "POST", "/v1/refunds/re_1/cancel"),
        (RefundListParams, "GET", "/v1/refunds"),
    ],
)
def test_the_parameters_are_those_of_the_library(params: type, method: str, path: str) -> None:
    route, _ = match(method, path)

    assert known(route.accepts) == documented(params)


def test_the_bounds_of_time_are_those_of_the_library() -> None:
    created = match("GET", "/v1/refunds")[0].accepts.fields["created"]

    bounds = dict.fromkeys(documented(RefundListParamsCreated), "1")

    assert created(dict(bounds), "created") == dict.fromkeys(bounds, 1)


def test_the_reasons_are_those_of_the_library() -> None:
    (annotation,) = get_args(RefundCreateParams.__annotations__["reason"])
    written = ast.walk(ast.parse(annotation.__forward_arg__))
    reasons = {node.value for node in written if isinstance(node, ast.Constant)}
    reason = accepted.REFUND_CREATE.fields["reason"]

    assert reasons == {"duplicate", "fraudulent", "requested_by_customer"}
    assert {reason(word, "reason") for word in reasons} == reasons
    with pytest.raises(EarlyError):
        reason("expired_uncaptured_charge", "reason")


def test_the_version_is_the_one_that_the_library_pins() -> None:
    assert StripeClient("sk_local_0000000000000000")._requestor._options.stripe_version == (
        API_VERSION
    )


@pytest.mark.process
def test_every_field_of_a_refund_exists_in_the_library(local_shop: Shop) -> None:
    refund = local_shop.refund(local_shop.pay(), 100)

    documented_fields = {
        name for kind in stripe.Refund.__mro__ for name in getattr(kind, "__annotations__", {})
    }

    assert set(refund.to_dict()) <= documented_fields
