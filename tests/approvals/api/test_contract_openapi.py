"""The API keeps the contract that its OpenAPI document states, whatever is sent to it.

schemathesis reads the document and makes calls from it, right ones and wrong ones. The same calls
in every run: a failure here is never news of the day.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator
from schemathesis import checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi import checks as openapi_checks

from approvals.api import health, openapi
from approvals.models import ApprovalRequest
from approvals.services import IssuedKey
from tests.approvals.api.conftest import REQUESTS, Caller

EXAMPLES = 100

CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.negative_data_rejection,
    openapi_checks.missing_required_header,
    openapi_checks.unsupported_method,
]

schema = schemathesis.openapi.from_dict(
    json.loads(openapi.document_bytes()), config=SchemathesisConfig(seed=1)
)
schema.app = get_wsgi_application()


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Keep the test's connection, as Django's own test client does."""
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)
    yield
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.fixture
def headers(
    agent_key: IssuedKey, no_facts: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """The agent's key, no limit on how much it asks, and everything ready."""
    settings.COUNTERSIGN_RATE_PER_SECOND = settings.COUNTERSIGN_RATE_BURST = 1_000_000
    monkeypatch.setattr(health, "failures", dict)
    return {"Authorization": f"Bearer {agent_key.secret}"}


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_it_keeps_its_contract(case: Any, headers: dict[str, str]) -> None:
    case.call_and_validate(headers=headers, checks=CHECKS)


@pytest.mark.django_db
def test_real_answers_fit_their_schemas(
    api: Caller, pending_request: ApprovalRequest, approve: Callable[..., Any]
) -> None:
    address = f"{REQUESTS}/{pending_request.pk}"
    before = api.get(address).json()
    approve(pending_request)
    document = json.loads(openapi.document_bytes())

    for name, answer in (
        ("ApprovalRequest", before),
        ("ApprovalRequest", api.get(address).json()),
        ("ApprovalRequestList", api.get(REQUESTS).json()),
        ("Decision", api.get(f"{address}/decision").json()),
        ("ActionList", api.get("/api/v1/actions").json()),
        ("KeySet", api.get("/.well-known/jwks.json").json()),
        ("Problem", api.get("/api/v1/nothing").json()),
    ):
        Draft202012Validator(document | {"$ref": f"#/components/schemas/{name}"}).validate(answer)
