"""Who may decide on the decide page, and what everybody else gets."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from approvals.models import ApprovalRequest, Refusal
from approvals.models.people import acting_as
from approvals.permissions import SEED
from audit import actors
from tests.approvals.admin.conftest import address, text_of, vote
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


def status_of(request: ApprovalRequest) -> str:
    return ApprovalRequest.objects.get(pk=request.pk).status


@pytest.mark.parametrize("who", ["auditor", "admin_user"])
def test_who_may_not_decide_may_not_refresh(request, signed_in, pending_request, who):
    client = signed_in(request.getfixturevalue(who))

    page = text_of(client.get(address("decide", pending_request)))
    response = client.post(address("refresh", pending_request), {})

    assert "Refresh facts" not in page
    assert response.status_code == 403
    assert pending_request.facts.count() == 1


@pytest.mark.parametrize("who", ["auditor", "admin_user"])
@pytest.mark.parametrize("outcome", ["approve", "reject"])
def test_who_is_no_reviewer_looks_and_decides_nothing(
    request, signed_in, pending_request, who, outcome
):
    client = signed_in(request.getfixturevalue(who))

    page = client.get(address("decide", pending_request))
    response = client.post(
        address("decide", pending_request), vote(pending_request, outcome=outcome)
    )
    incomplete = client.post(address("decide", pending_request), {})

    assert page.status_code == 200
    assert 'value="approve"' not in text_of(page)
    assert "Only active members of a reviewing group decide" in text_of(page)
    assert (response.status_code, incomplete.status_code) == (403, 403)
    assert status_of(pending_request) == "PENDING"


def test_an_outsider_sees_nothing(signed_in, pending_request, outsider):
    client = signed_in(outsider)

    assert client.get(address("decide", pending_request)).status_code == 403
    assert client.post(address("decide", pending_request), vote(pending_request)).status_code == 403
    assert status_of(pending_request) == "PENDING"


def test_a_stranger_is_led_to_the_sign_in_page(pending_request):
    response = Client().post(address("decide", pending_request), vote(pending_request))

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")
    assert status_of(pending_request) == "PENDING"


def test_a_post_without_the_form_s_token_is_refused(reviewer, pending_request):
    client = Client(enforce_csrf_checks=True)
    client.force_login(reviewer)

    response = client.post(address("decide", pending_request), vote(pending_request))

    assert response.status_code == 403
    assert status_of(pending_request) == "PENDING"


def test_the_agent_s_owner_is_refused_and_the_attempt_is_kept(
    signed_in, submit, refund_payload, agent, pending_request
):
    owner = agent.owner
    with acting_as(SEED):
        owner.groups.add(Group.objects.get(name="Reviewers"))

    response = signed_in(owner).post(address("decide", pending_request), vote(pending_request))

    assert response.status_code == 403
    assert "somebody else has to decide" in text_of(response)
    assert Refusal.objects.get().code == "self_approval"


def test_an_account_whose_password_somebody_else_changed_has_to_wait(
    signed_in, pending_request, reviewer, later
):
    other = make_person("other", is_superuser=True)
    with acting_as(actors.person(other)):
        reviewer.set_password("something new and long")
        reviewer.save()
    later(minutes=1)

    response = signed_in(reviewer).post(address("decide", pending_request), vote(pending_request))

    assert response.status_code == 403
    assert "less than 24 hours" in text_of(response)
    assert status_of(pending_request) == "PENDING"
