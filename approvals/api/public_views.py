"""Addresses that need no key: public keys, health, and the description of the API itself."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from approvals.api import documentation, errors, health, openapi
from approvals.api.views import PublicView
from audit.signing import keys

#: Seconds: a new key is used at once, so that nobody may hold on to an old list for long.
_KEYS_MAX_AGE = 60


class KeysView(PublicView):
    """``/.well-known/jwks.json``."""

    @documentation.public_keys
    def get(self, request: Request) -> Response:
        """Return the public keys that signed decisions, retired ones included.

        A key that was revoked as compromised is left out: whoever stole it could still sign.
        """
        trusted = keys.load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE).values()
        published = [
            key.public_jwk()
            for key in trusted
            if key.use == keys.DECISION and key.revoked_at is None
        ]
        headers = {"Cache-Control": f"public, max-age={_KEYS_MAX_AGE}"}
        return Response({"keys": published}, headers=headers)


class HealthView(PublicView):
    """``/healthz``."""

    @documentation.alive
    def get(self, request: Request) -> Response:
        """Say that this process answers; nothing else is asked."""
        return Response({"status": "ok"}, headers={"Cache-Control": "no-store"})


class ReadinessView(PublicView):
    """``/readyz``."""

    @documentation.ready
    def get(self, request: Request) -> Response:
        """Say whether database, broker and workers can be reached."""
        failures = health.failures()
        if not failures:
            return Response({"status": "ok"}, headers={"Cache-Control": "no-store"})
        detail = "; ".join(f"{name}: {failure}" for name, failure in failures.items())
        return Response(
            errors.problem(
                "not_ready", request_id=errors.request_id_of(request), detail=f"{detail}."
            ),
            status=503,
            headers={"Cache-Control": "no-store", "Retry-After": str(errors.RETRY_SOON)},
            content_type=errors.MEDIA_TYPE,
        )


@require_safe
def openapi_json(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI document, made once per process."""
    return HttpResponse(openapi.document_bytes(), content_type="application/json")


class DocumentationView(SpectacularSwaggerSplitView):
    """``/api/docs``: the same as a page; its script is a file of its own, as the CSP asks."""

    authentication_classes: Any = ()
    permission_classes: Any = ()
    url_name = "openapi"
    title = "Countersign: the agent's API"
