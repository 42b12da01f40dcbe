"""``GET /api/v1/actions``."""

import pytest
from jsonschema import Draft202012Validator

from tests.approvals.api.conftest import Caller, problem_of

pytestmark = pytest.mark.django_db


def test_it_lists_the_catalogue(api: Caller) -> None:
    response = api.get("/api/v1/actions")

    assert response.status_code == 200
    refund = next(a for a in response.json()["data"] if a["name"] == "stripe.refund")
    assert refund.pop("schema")["additionalProperties"] is False
    assert refund.pop("summary")
    assert refund == {
        "object": "action",
        "name": "stripe.refund",
        "version": 1,
        "aliases": ["stripe_refund"],
        "editable": ["amount", "reason", "metadata"],
        "reversibility": "IRREVERSIBLE",
        "expires_in": {"least": 60, "most": 604800, "default": 3600},
        "execute_within": 14400,
    }


def test_every_schema_is_one(api: Caller) -> None:
    for action in api.get("/api/v1/actions").json()["data"]:
        Draft202012Validator.check_schema(action["schema"])


def test_it_takes_no_query_parameter(api: Caller) -> None:
    problem_of(api.get("/api/v1/actions?version=1"), 400, "unknown_parameter")
