"""Makes the OpenAPI 3.1 document."""

import functools
import json
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator

from approvals.api import schemas

_REQUEST_ID = {
    "description": "The id of this HTTP call; name it when you ask for help.",
    "required": True,
    "schema": {"type": "string"},
}
_RETRY_AFTER = {
    "description": "Seconds to wait before trying again.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}
_CHALLENGE = {
    "description": "Says that an agent key is asked for.",
    "required": True,
    "schema": {"type": "string"},
}
_HEADERS = {"401": ("WWW-Authenticate", _CHALLENGE), "429": ("Retry-After", _RETRY_AFTER)}


class AgentKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Names the agent key as the one way to authenticate."""

    target_class = "approvals.api.authentication.AgentKeyAuthentication"
    name = "agentKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme as OpenAPI writes it."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An agent key: `Authorization: Bearer cs_…`.",
        }


class Generator(SchemaGenerator):
    """Adds our own schemas, and the headers that every answer carries."""

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        """Return the whole document."""
        document: dict[str, Any] = super().get_schema(request, public)  # type: ignore[no-untyped-call]
        document["components"]["schemas"] = schemas.components()
        for operations in document["paths"].values():
            for operation in operations.values():
                _add_headers(operation["responses"])
        return document


@functools.cache
def document_bytes() -> bytes:
    """Return the document as JSON; it cannot change while the process lives."""
    document = Generator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _add_headers(responses: dict[str, dict[str, Any]]) -> None:
    for status, response in responses.items():
        headers = response.setdefault("headers", {})
        headers["Request-Id"] = _REQUEST_ID
        if status in _HEADERS:
            name, header = _HEADERS[status]
            headers[name] = header
