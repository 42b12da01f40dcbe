"""Who may come in: every address, every way to come without a good key."""

from datetime import timedelta
from typing import Any

import pytest

from approvals import services
from approvals.models import Agent, ApprovalRequest, Refusal
from approvals.permissions import SEED
from approvals.services import IssuedKey
from audit import clock
from tests.approvals.api.conftest import REQUESTS, UNKNOWN_ID, Caller, problem_of
from tests.conftest import issue_key

pytestmark = pytest.mark.django_db

ADDRESSES = [
    ("GET", REQUESTS),
    ("POST", REQUESTS),
    ("GET", f"{REQUESTS}/{UNKNOWN_ID}"),
    ("POST", f"{REQUESTS}/{UNKNOWN_ID}/withdrawal"),
    ("GET", f"{REQUESTS}/{UNKNOWN_ID}/decision"),
    ("GET", "/api/v1/actions"),
]


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_every_address_needs_a_key(stranger: Caller, method: str, path: str) -> None:
    response = stranger.request(method, path)

    problem_of(response, 401, "missing_key")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="countersign"'
    assert not Refusal.objects.exists()


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer cs_short",
        "Bearer " + "x" * 5000,
        "Bearer cs_AAAAAAAA_" + "A" * 43,
        "Bearer cs_AAAAAAAA_" + "\u00e4" * 43,
    ],
)
def test_a_key_that_is_none_is_refused(stranger: Caller, header: str) -> None:
    response = stranger.get(REQUESTS, authorization=header)

    problem_of(response, 401, "invalid_key")
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("scheme", ["Basic", "Token", "Digest"])
def test_other_schemes_are_no_key(stranger: Caller, agent_key: IssuedKey, scheme: str) -> None:
    response = stranger.get(REQUESTS, authorization=f"{scheme} {agent_key.secret}")

    problem_of(response, 401, "missing_key")


def test_the_secret_of_another_key_is_refused(
    stranger: Caller, agent_key: IssuedKey, other_agent_key: IssuedKey
) -> None:
    prefix, secret = agent_key.key.prefix, other_agent_key.secret[12:]

    response = stranger.get(REQUESTS, authorization=f"Bearer {prefix}_{secret}")

    problem_of(response, 401, "invalid_key")


def test_a_revoked_key_is_refused(api: Caller, agent_key: IssuedKey, body: dict[str, Any]) -> None:
    services.revoke_key(key_id=agent_key.key.pk, reason="Lost.", compromised=False, by=SEED)

    problem_of(api.submit(body), 401, "revoked_key")

    assert not ApprovalRequest.objects.exists()
    assert not Refusal.objects.exists()


def test_an_expired_key_is_refused(agent: Agent, later: Any) -> None:
    key = issue_key(agent, expires_at=clock.now() + timedelta(hours=1))
    later(hours=1)

    problem_of(Caller(key.secret).get(REQUESTS), 401, "expired_key")


def test_a_suspended_agent_is_refused(api: Caller, agent: Agent) -> None:
    services.suspend_agent(agent_id=agent.pk, reason="It went wild.", by=SEED)

    problem_of(api.get(REQUESTS), 401, "agent_suspended")


def test_the_scheme_may_be_written_in_any_case(stranger: Caller, agent_key: IssuedKey) -> None:
    response = stranger.get(REQUESTS, authorization=f"bearer {agent_key.secret}")

    assert response.status_code == 200


def test_a_person_who_is_signed_in_is_no_agent(admin_client: Any) -> None:
    assert admin_client.get(REQUESTS).status_code == 401


def test_a_key_costs_one_query_beside_the_clock(
    api: Caller, django_assert_num_queries: Any
) -> None:
    api.get("/api/v1/actions")

    with django_assert_num_queries(2):
        api.get("/api/v1/actions")
