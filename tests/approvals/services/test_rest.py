"""An account that was changed, or that was given the right to decide, rests for a day."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission

from approvals import permissions
from approvals.enums import Outcome
from approvals.errors import NotPermittedError
from approvals.models import ApprovalRequest, User
from approvals.models.people import AUDITORS, DECIDE, REVIEWERS, acting_as
from audit import actors
from tests.approvals.services.outcomes import nothing_was_decided
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("change", ["password", "groups"])
def test_an_account_changed_by_somebody_else_rests_for_a_day(
    submit, refund_payload, approve, reviewer, later, change
):
    if change == "password":
        reviewer.set_password("another long password")
        reviewer.save()
    else:
        groups = list(reviewer.groups.all())
        reviewer.groups.clear()
        reviewer.groups.add(*groups)

    with pytest.raises(NotPermittedError) as caught:
        approve(submit(refund_payload))
    assert caught.value.code == "account_changed"
    later(hours=24, seconds=1)
    assert approve(submit(refund_payload)).outcome == Outcome.APPROVED


def test_the_account_rests_exactly_a_day(pending_request, reviewer):
    reviewer.groups.add(*reviewer.groups.all(), Group.objects.get(name=AUDITORS))
    changed_at = reviewer.history.first().history_date

    permissions.check_may_decide(pending_request, reviewer, changed_at + timedelta(hours=24))
    with pytest.raises(NotPermittedError):
        early = changed_at + timedelta(hours=24, microseconds=-1)
        permissions.check_may_decide(pending_request, reviewer, early)


def test_other_changes_by_somebody_else_do_not_matter(pending_request, approve, reviewer):
    reviewer.first_name = "Ann"
    reviewer.save()

    assert reviewer.history.first().actor != "person:reviewer"
    assert approve(pending_request).outcome == Outcome.APPROVED


def test_a_person_who_changed_their_own_password_decides(pending_request, approve, reviewer):
    with acting_as(actors.person(reviewer)):
        reviewer.set_password("another long password")
        reviewer.save()

    assert approve(pending_request).outcome == Outcome.APPROVED


def test_a_superuser_who_put_themselves_among_the_reviewers_rests(
    pending_request: ApprovalRequest, approve: Callable[..., Any]
) -> None:
    boss = make_person("boss", is_superuser=True)
    with acting_as(actors.person(boss)):
        boss.groups.add(Group.objects.get(name=REVIEWERS))

    with pytest.raises(NotPermittedError, match="The groups of your account were changed"):
        approve(pending_request, reviewer_id=boss.pk)

    assert nothing_was_decided(pending_request)


def give(name: str, by: User, codename: str = DECIDE) -> Group:
    """Give a group a permission, as the admin does."""
    group = Group.objects.get(name=name)
    with acting_as(actors.person(by)):
        group.permissions.add(Permission.objects.get(codename=codename))
    return group


def test_whose_group_was_given_the_right_to_decide_rests_for_a_day(
    submit: Callable[..., ApprovalRequest],
    refund_payload: dict[str, Any],
    approve: Callable[..., Any],
    auditor: User,
    admin_user: User,
    later: Callable[..., None],
) -> None:
    give(AUDITORS, admin_user)

    with pytest.raises(NotPermittedError, match="Your group was given the right") as caught:
        approve(submit(refund_payload), reviewer_id=auditor.pk)
    assert caught.value.code == "account_changed"
    later(hours=24, seconds=1)
    assert approve(submit(refund_payload), reviewer_id=auditor.pk).outcome == Outcome.APPROVED


def test_who_gave_it_to_their_own_group_rests_too(
    pending_request: ApprovalRequest, approve: Callable[..., Any]
) -> None:
    boss = make_person("boss", AUDITORS, is_superuser=True)
    give(AUDITORS, boss)

    with pytest.raises(NotPermittedError, match="Your group was given the right"):
        approve(pending_request, reviewer_id=boss.pk)


def test_a_right_that_was_away_is_new(
    pending_request: ApprovalRequest, reviewer: User, admin_user: User, later: Callable[..., None]
) -> None:
    later(days=2)
    Group.objects.get(name=REVIEWERS).permissions.clear()
    later(days=2)
    group = give(REVIEWERS, admin_user)
    given_at = group.history.first().history_date

    permissions.check_may_decide(pending_request, reviewer, given_at + timedelta(hours=24))
    with pytest.raises(NotPermittedError):
        early = given_at + timedelta(hours=24, microseconds=-1)
        permissions.check_may_decide(pending_request, reviewer, early)


def test_another_right_of_the_group_does_not_matter(
    pending_request: ApprovalRequest, approve: Callable[..., Any], admin_user: User
) -> None:
    give(REVIEWERS, admin_user, "steer_agent")

    assert approve(pending_request).outcome == Outcome.APPROVED


def test_who_could_decide_before_goes_on_deciding(
    pending_request: ApprovalRequest, approve: Callable[..., Any], reviewer: User, admin_user: User
) -> None:
    with acting_as(permissions.SEED):
        reviewer.groups.add(Group.objects.get(name=AUDITORS))
    give(AUDITORS, admin_user)

    assert approve(pending_request).outcome == Outcome.APPROVED
