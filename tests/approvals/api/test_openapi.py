"""The OpenAPI document and its page."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rest_framework.views import APIView

from approvals.api import bodies, errors, openapi, schemas, urls


@pytest.fixture
def document(client: Any) -> dict[str, Any]:
    response = client.get("/api/v1/openapi.json")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    answer: dict[str, Any] = response.json()
    return answer


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert document["components"]["securitySchemes"]["agentKey"]["scheme"] == "bearer"


def test_it_describes_every_address_of_the_api(document: dict[str, Any]) -> None:
    assert {name for name, _ in operations(document)} == {
        "POST /api/v1/requests",
        "GET /api/v1/requests",
        "GET /api/v1/requests/{request_id}",
        "POST /api/v1/requests/{request_id}/withdrawal",
        "GET /api/v1/requests/{request_id}/decision",
        "GET /api/v1/actions",
        "GET /.well-known/jwks.json",
        "GET /healthz",
        "GET /readyz",
    }
    undescribed = {"openapi", "api-docs"}
    names = {pattern.name for pattern in (*urls.urlpatterns, *urls.root)}
    assert len(names - undescribed) == len(document["paths"])


def test_calls_that_need_a_key_say_so(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        expected = [{"agentKey": []}] if "/api/v1/" in name else [{}]
        assert operation.get("security", [{}]) == expected, name


def test_every_answer_names_its_schema_and_its_headers(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            problem = int(status) >= 400
            (media_type,) = answer["content"]
            assert (media_type == errors.MEDIA_TYPE) is problem, (name, status)
            schema = answer["content"][media_type]["schema"]["$ref"].rpartition("/")[2]
            assert schema in document["components"]["schemas"]
            assert (schema == "Problem") is problem
            assert "Request-Id" in answer["headers"]


def test_every_code_stands_at_its_status(document: dict[str, Any]) -> None:
    answers = document["paths"]["/api/v1/requests"]["post"]["responses"]
    answers |= document["paths"]["/api/v1/requests/{request_id}/decision"]["get"]["responses"]
    for code, known in errors.PROBLEMS.items():
        assert f"`{code}`" in answers[str(int(known.status))]["description"]


def test_every_schema_is_one(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    assert document["components"]["schemas"] == schemas.components()


def test_the_example_is_a_submission(document: dict[str, Any]) -> None:
    content = document["paths"]["/api/v1/requests"]["post"]["requestBody"]["content"]
    (example,) = content["application/json"]["examples"].values()

    bodies.parse_submission(example["value"])
    Draft202012Validator(bodies.SUBMISSION.schema()).validate(example["value"])


def test_it_names_the_actions_and_their_payloads(document: dict[str, Any]) -> None:
    components = document["components"]["schemas"]

    assert {"stripe.refund", "stripe_refund"} <= {
        *components["Submission"]["properties"]["action"]["enum"]
    }
    assert components["stripe.refund.v1"]["additionalProperties"] is False


def test_every_view_is_documented() -> None:
    for pattern in (*urls.urlpatterns, *urls.root):
        view = getattr(pattern.callback, "cls", None)
        if view is None or not issubclass(view, APIView) or pattern.name == "api-docs":
            continue
        for method in ("get", "post"):
            handler = getattr(view, method, None)
            assert handler is None or hasattr(handler, "kwargs"), (view, method)


def test_the_document_needs_no_database() -> None:
    openapi.document_bytes.cache_clear()

    assert openapi.document_bytes() == openapi.document_bytes()


def test_the_page_brings_its_script_as_a_file(client: Any) -> None:
    page = client.get("/api/docs")
    script = client.get("/api/docs?script=")

    assert page.status_code == 200
    assert b'<script src="/api/docs?script=' in page.content
    assert b"<script>" not in page.content
    assert b"http://" not in page.content.replace(b"http://testserver", b"")
    assert b"/api/v1/openapi.json" in script.content
