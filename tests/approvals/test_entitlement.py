"""What executions ask of this floor before they run: may these people's decision still run?"""

from collections.abc import Callable
from typing import Any

import pytest

from approvals import services
from approvals.models import User
from approvals.permissions import SEED
from audit import clock
from audit.signing.tokens import unverified_claims
from executors import checks
from executors.checks import Stop

pytestmark = pytest.mark.django_db

WHY = {"reason": "Odd.", "by": SEED}


@pytest.fixture
def claims(pending_request: Any, approve: Any) -> dict[str, Any]:
    """What was signed when the reviewer approved."""
    return unverified_claims(approve(pending_request).token)


def objection(claims: dict[str, Any]) -> Stop | None:
    """Ask as an execution does, by the check's registered name."""
    return checks.objection(claims, clock.now())


def deactivate(user: User) -> None:
    user.is_active = False
    user.save()


def test_nothing_speaks_against_a_fresh_decision(claims: dict[str, Any]) -> None:
    assert objection(claims) is None


def test_a_key_that_is_not_there_stops_it(claims: dict[str, Any]) -> None:
    stop = objection(claims | {"agent": claims["agent"] | {"key": "key_none"}})

    assert stop is not None
    assert (stop.code, stop.final) == ("agent_unknown", False)


@pytest.mark.parametrize(("compromised", "code"), [(True, "key_compromised"), (False, None)])
def test_a_compromised_key_stops_it_and_a_rotated_one_does_not(
    claims: dict[str, Any], compromised: bool, code: str | None
) -> None:
    services.revoke_key(key_id=claims["agent"]["key"], compromised=compromised, **WHY)

    stop = objection(claims)

    assert (stop and stop.code) == code


def test_a_suspended_agent_stops_it(claims: dict[str, Any]) -> None:
    services.suspend_agent(agent_id=claims["agent"]["id"], **WHY)

    stop = objection(claims)

    assert stop is not None
    assert (stop.code, stop.final) == ("agent_suspended", False)


@pytest.mark.parametrize(
    "lose", [deactivate, lambda user: user.groups.clear()], ids=["deactivated", "left the group"]
)
def test_a_reviewer_who_lost_the_right_stops_it(
    claims: dict[str, Any], reviewer: User, lose: Callable[[User], None]
) -> None:
    lose(reviewer)

    stop = objection(claims)

    assert stop is not None
    assert (stop.code, stop.final) == ("reviewer_not_entitled", False)
    assert "reviewer" in stop.message


@pytest.mark.parametrize("place", [0, 1])
def test_every_one_of_the_reviewers_counts(
    claims: dict[str, Any], second_reviewer: User, place: int
) -> None:
    people = claims["reviewers"]
    people.insert(place, people[0] | {"id": second_reviewer.pk, "username": "second_reviewer"})
    assert objection(claims) is None

    deactivate(second_reviewer)

    assert objection(claims) is not None


def test_a_reviewer_who_is_not_there_stops_it(claims: dict[str, Any]) -> None:
    claims["reviewers"][0]["id"] = 10**9

    stop = objection(claims)

    assert stop is not None
    assert stop.code == "reviewer_not_entitled"
