"""The agent's API. Each view parses, makes one domain call, and translates the result."""

import logging
from typing import Any

from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from approvals import services
from approvals.api import bodies, documentation, parsing, queries, serializers
from approvals.api.authentication import AgentKeyAuthentication, HasAgentKey, key_of
from approvals.api.throttling import KeyRateThrottle
from approvals.models import AgentKey
from audit.canonical import digest_of, sha256_hex
from executors import registry

logger = logging.getLogger(__name__)

_JSON = ("application/json", "application/*", "*/*")


class JSONNegotiation(BaseContentNegotiation):
    """JSON in, JSON out; the address has no say in it (no ``?format=``)."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        """Return the one parser; it is the views that check the declared type."""
        return next(iter(parsers), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the JSON renderer.

        Raises:
            NotAcceptable: the client accepts no JSON.
        """
        accepted = str(request.META.get("HTTP_ACCEPT") or "*/*")
        ranges = [part.split(";")[0].strip().lower() for part in accepted.split(",")]
        if not any(media_range in _JSON for media_range in ranges):
            raise exceptions.NotAcceptable
        return renderers[0], parsing.MEDIA_TYPE


class MachineView(APIView):
    """An address for machines: JSON only, and nothing that describes itself."""

    content_negotiation_class = JSONNegotiation
    metadata_class = None
    #: No OPTIONS: it would describe forms that nobody fills in.
    http_method_names = ("get", "head", "post")


class PublicView(MachineView):
    """An address that needs no key."""

    authentication_classes = ()
    permission_classes = ()


class AgentView(MachineView):
    """An address for agents: key first, then rate, then everything else."""

    authentication_classes = (AgentKeyAuthentication,)
    permission_classes = (HasAgentKey,)
    throttle_classes = (KeyRateThrottle,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the key before anything that an unknown caller could learn from."""
        self.perform_authentication(request)
        self.check_permissions(request)
        self.check_throttles(request)
        self.format_kwarg = None
        negotiated = self.perform_content_negotiation(request)
        request.accepted_renderer, request.accepted_media_type = negotiated

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep answers out of every cache: they are one agent's own and change."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


def agent_key(request: Request) -> AgentKey:
    """Return the key of an authenticated call."""
    key = key_of(request)
    if key is None:
        raise exceptions.NotAuthenticated
    return key


class RequestsView(AgentView):
    """Submit, and list."""

    _body_sha256 = ""

    @documentation.list_requests
    def get(self, request: Request) -> Response:
        """Return the agent's own requests, newest first."""
        page = bodies.parse_page(request.query_params)
        stored = queries.list_requests(agent_id=agent_key(request).agent_id, page=page)
        return Response(serializers.request_list(stored))

    @documentation.submit
    def post(self, request: Request) -> Response:
        """Propose an action."""
        bodies.check_no_parameters(request.query_params)
        key, idempotency_key, submission = self._parse(request)
        submitted = services.submit(
            key=key,
            idempotency_key=idempotency_key,
            submission=submission,
            body_sha256=self._body_sha256,
        )
        stored = queries.after_submitting(submitted, submission.payload)
        return Response(
            serializers.request_object(stored),
            status=200 if submitted.replayed else 201,
            headers={"Idempotent-Replayed": "true"}
            if submitted.replayed
            else {"Location": f"/api/v1/requests/{submitted.request.pk}"},
        )

    def handle_exception(self, exc: Exception) -> Response:
        """Answer, and leave a trace when a submission with a valid key was refused."""
        response = super().handle_exception(exc)
        key = key_of(self.request)
        if self.request.method == "POST" and key is not None and _leaves_trace(response):
            self._record_refusal(key, response.data)
        return response

    def _parse(self, request: Request) -> tuple[AgentKey, str, services.Submission]:
        data = parsing.read_body(request._request)
        # Until it is parsed, the trace of a refusal names the bytes; from then on, the content.
        self._body_sha256 = sha256_hex(data)
        body = parsing.parse_object(data)
        self._body_sha256 = digest_of(body)
        idempotency_key = bodies.parse_idempotency_key(request._request)
        return agent_key(request), idempotency_key, bodies.parse_submission(body)

    def _record_refusal(self, key: AgentKey, problem: dict[str, Any]) -> None:
        try:
            services.record_refusal(
                key_id=key.pk,
                code=problem["code"],
                message=problem["detail"],
                body_sha256=self._body_sha256,
            )
        except Exception:
            # The agent's answer is a refusal either way; that its trace is missing is an alarm.
            logger.exception("%s: a refusal was not recorded", problem["request_id"])


def _leaves_trace(response: Response) -> bool:
    """A refused key was not valid, and a flood must not fill the table."""
    refused = 400 <= response.status_code < 500 and response.status_code != 401
    return refused and response.data["code"] != "rate_exceeded"


class RequestView(AgentView):
    """Read one."""

    @documentation.read_request
    def get(self, request: Request, request_id: str) -> Response:
        """Return one of the agent's requests, with its decision and its execution."""
        bodies.check_wait(request.query_params)
        stored = queries.get_request(agent_id=agent_key(request).agent_id, request_id=request_id)
        return Response(serializers.request_object(stored))


class WithdrawalView(AgentView):
    """Take one back."""

    @documentation.withdraw
    def post(self, request: Request, request_id: str) -> Response:
        """Withdraw a pending request."""
        bodies.check_no_parameters(request.query_params)
        parsing.read_no_body(request._request)
        key = agent_key(request)
        queries.check_id(request_id)
        services.withdraw(key_id=key.pk, request_id=request_id)
        stored = queries.get_request(agent_id=key.agent_id, request_id=request_id)
        return Response(serializers.request_object(stored))


class DecisionView(AgentView):
    """Read the decision."""

    @documentation.read_decision
    def get(self, request: Request, request_id: str) -> Response:
        """Return the decision on a request, with its signed token."""
        bodies.check_no_parameters(request.query_params)
        stored = queries.get_decision(agent_id=agent_key(request).agent_id, request_id=request_id)
        return Response(serializers.decision_object(stored))


class ActionsView(AgentView):
    """Read the catalogue."""

    @documentation.list_actions
    def get(self, request: Request) -> Response:
        """Return every action of this installation, each in its newest version."""
        bodies.check_no_parameters(request.query_params)
        actions = [serializers.action_object(executor) for executor in registry.catalogue()]
        return Response({"object": "list", "data": actions})
