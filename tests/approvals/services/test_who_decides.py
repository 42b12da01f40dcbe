"""Who may decide, and for which agents: the people's half of ``services.approve``."""

import pytest

from approvals import permissions, services
from approvals.enums import Outcome
from approvals.errors import NotDecidableError, NotPermittedError, SelfApprovalError
from approvals.models import Refusal
from audit import actors
from tests.approvals.services.outcomes import nothing_was_decided

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("who", ["admin_user", "auditor", "outsider"])
def test_only_reviewers_decide_not_even_superusers(pending_request, approve, who, request):
    person = request.getfixturevalue(who)

    with pytest.raises(NotPermittedError):
        approve(pending_request, reviewer_id=person.pk)

    assert nothing_was_decided(pending_request)


def test_a_deactivated_reviewer_decides_nothing(pending_request, approve, reviewer):
    reviewer.is_active = False
    reviewer.save()

    with pytest.raises(NotPermittedError):
        approve(pending_request)


def test_an_account_that_is_gone_decides_nothing(pending_request, approve):
    with pytest.raises(NotPermittedError):
        approve(pending_request, reviewer_id=10**9)


def test_the_owner_of_the_agent_does_not_decide_and_the_attempt_is_kept(
    pending_request, approve, reviewer, agent
):
    agent.owner = reviewer
    agent.save_without_historical_record()

    with pytest.raises(SelfApprovalError):
        approve(pending_request)

    assert nothing_was_decided(pending_request)
    refusal = Refusal.objects.get()
    assert (refusal.attempted_by, refusal.code) == ("person:reviewer", "self_approval")
    assert refusal.about == pending_request.pk


@pytest.mark.parametrize(("who", "can"), [("reviewer", True), ("outsider", False)])
def test_a_template_is_told_the_same(pending_request, who, can, request):
    person = request.getfixturevalue(who)

    assert permissions.can_decide(pending_request, person) is can


def test_what_a_suspended_agent_asked_for_is_not_approved(
    pending_request, approve, reject, agent, admin_user
):
    services.suspend_agent(agent_id=agent.pk, reason="odd", by=actors.person(admin_user))

    with pytest.raises(NotDecidableError):
        approve(pending_request)
    assert reject(pending_request).outcome == Outcome.REJECTED


def test_what_a_compromised_key_asked_for_is_not_approved(
    pending_request, approve, agent_key, admin_user
):
    services.revoke_key(
        key_id=agent_key.key.pk, reason="leak", compromised=True, by=actors.person(admin_user)
    )

    with pytest.raises(NotDecidableError):
        approve(pending_request)


def test_what_a_rotated_key_asked_for_stays_approvable(
    pending_request, approve, agent_key, admin_user
):
    services.revoke_key(
        key_id=agent_key.key.pk, reason="rotated", compromised=False, by=actors.person(admin_user)
    )

    assert approve(pending_request).outcome == Outcome.APPROVED
