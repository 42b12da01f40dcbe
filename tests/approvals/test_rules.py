"""May this request: the limits to the second, the unit and the microsecond."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings

from approvals import rules
from approvals.enums import RequestStatus as S
from approvals.errors import InvalidInputError, OutOfScopeError, StaleViewError
from approvals.models import AgentKey, ApprovalRequest, FactsSnapshot
from executors.money import Money
from tests.executors.scripted import ScriptedExecutor

AT = datetime(2026, 1, 1, tzinfo=UTC)
A_MOMENT = timedelta(microseconds=1)
EXECUTOR = ScriptedExecutor()
DOLLARS = Money(amount_minor=100, currency="usd")


def scope(money: Money | None, **limits: Any) -> None:
    key = AgentKey(**({"actions": ["test.transfer"], "currencies": []} | limits))
    rules.check_scope(key, ScriptedExecutor(), money)


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"actions": []}, "/action"),
        ({"actions": ["test.transfer.other"]}, "/action"),
        ({"currencies": ["eur"]}, "/payload/currency"),
        ({"currencies": ["usd"], "ceiling_minor": 99}, "/payload/amount"),
    ],
)
def test_what_a_key_does_not_allow_is_refused(limits: dict[str, Any], field: str) -> None:
    with pytest.raises(OutOfScopeError) as caught:
        scope(DOLLARS, **limits)

    assert caught.value.field == field


@pytest.mark.parametrize(
    "limits", [{}, {"currencies": ["eur", "usd"]}, {"currencies": ["usd"], "ceiling_minor": 100}]
)
def test_what_a_key_allows_passes(limits: dict[str, Any]) -> None:
    scope(DOLLARS, **limits)


def test_an_action_that_moves_no_money_has_no_currency_to_refuse() -> None:
    scope(None, currencies=["usd"], ceiling_minor=1)


@pytest.mark.parametrize("limit", ["LEAST", "MOST"])
def test_both_limits_of_a_deadline_are_allowed(limit: str) -> None:
    seconds = getattr(django_settings, f"COUNTERSIGN_EXPIRES_IN_{limit}")

    assert rules.deadline(EXECUTOR, AT, seconds) == AT + timedelta(seconds=seconds)


def test_a_deadline_that_nobody_asked_for_is_the_installations(settings: Any) -> None:
    settings.COUNTERSIGN_EXPIRES_IN_DEFAULT = 120

    assert rules.deadline(EXECUTOR, AT, None) == AT + timedelta(seconds=120)


def test_zero_seconds_are_not_taken_for_no_wish() -> None:
    with pytest.raises(InvalidInputError):
        rules.deadline(EXECUTOR, AT, 0)


@pytest.mark.parametrize(
    ("status", "at", "expected"),
    [
        (S.PENDING, AT - A_MOMENT, S.PENDING),
        (S.PENDING, AT, S.EXPIRED),
        (S.APPROVED, AT - A_MOMENT, S.APPROVED),
        (S.APPROVED, AT, S.APPROVED),
        (S.WITHDRAWN, AT + A_MOMENT, S.WITHDRAWN),
    ],
)
def test_at_its_deadline_a_pending_request_has_expired(
    status: S, at: datetime, expected: S
) -> None:
    request = ApprovalRequest(status=status, expires_at=AT)

    assert rules.present_status(request, at) == expected


def test_facts_are_good_until_their_age_and_not_a_moment_longer() -> None:
    snapshot = FactsSnapshot(read_at=AT)
    last = AT + timedelta(seconds=django_settings.COUNTERSIGN_FACTS_MAX_AGE)

    assert rules.check_facts_fresh(snapshot, last) is snapshot
    with pytest.raises(StaleViewError):
        rules.check_facts_fresh(snapshot, last + A_MOMENT)


def test_every_part_of_an_actions_limits_is_in_their_digest(monkeypatch: Any) -> None:
    executor = ScriptedExecutor()
    digests = [rules.rules_digest(executor)]
    for name, value in [
        ("name", "test.other"),
        ("version", 2),
        ("schema", {"type": "array"}),
        ("editable", ()),
        ("reversibility", "IRREVERSIBLE"),
        ("expires_in_least", 61),
        ("expires_in_most", 3601),
        ("expires_in_default", 601),
        ("execute_within", 60),
    ]:
        with monkeypatch.context() as patched:
            patched.setattr(executor, name, value)
            digests.append(rules.rules_digest(executor))

    assert len(set(digests)) == len(digests)
