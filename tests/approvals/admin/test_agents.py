"""Agents and keys: made, stopped and revoked in the admin; the secret is shown once."""

import re

import pytest
from django.urls import reverse

from approvals import agent_keys
from approvals.errors import KeyRefusedError
from approvals.models import Agent, AgentKey
from tests.approvals.admin.conftest import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(signed_in, admin_user):
    """The administrator's browser."""
    return signed_in(admin_user)


def page(name: str, *args: str) -> str:
    return reverse(f"admin:approvals_{name}", args=args)


def test_what_ran_out_is_not_counted_as_waiting_for_its_agent(desk, pending_request, later):
    address = page("agent_changelist")
    [before] = desk.get(address).context["cl"].result_list
    later(hours=2)

    [after] = desk.get(address).context["cl"].result_list

    assert (before.pending, after.pending) == (1, 0)


def test_an_agent_is_made_under_the_administrator_s_name(desk, admin_user):
    form = {"name": "new-agent", "owner": admin_user.pk, "description": "New."}

    response = desk.post(page("agent_create"), form)

    made = Agent.objects.get(name="new-agent")
    assert response["Location"] == page("agent_change", made.pk)
    assert made.history.get().actor == "person:admin"


@pytest.mark.parametrize(
    ("changes", "says", "status"),
    [
        ({"name": "Not allowed"}, "lower-case letters", 400),
        ({"name": ""}, "This field is required", 400),
        ({"name": "billing-agent"}, "already exists", 409),
        ({"owner": "9999"}, "not one of the available choices", 400),
    ],
)
def test_an_agent_that_cannot_be_made_is_said(desk, agent, changes, says, status):
    form = {"name": "new-agent", "owner": agent.owner_id, "description": "Kept."} | changes

    response = desk.post(page("agent_create"), form)

    assert response.status_code == status
    assert says in text_of(response)
    assert "Kept.</textarea>" in text_of(response)
    assert Agent.objects.count() == 1


def issue(desk, agent, **changes):
    form = {
        "actions": ["stripe.refund"],
        "owner": agent.owner_id,
        "currencies": "USD eur",
        "ceiling_minor": "5000",
        "expires_at": "",
    }
    return desk.post(page("agent_issue", agent.pk), form | changes)


def test_a_key_is_shown_once_and_works(desk, agent):
    response = issue(desk, agent)

    secret = re.search(r"data-secret>(cs_[^<]+)<", text_of(response))
    assert secret is not None
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    key = agent_keys.authenticate(secret[1])
    assert (key.currencies, key.ceiling_minor) == (["eur", "usd"], 5000)
    assert key.history.get().actor == "person:admin"
    for name in ("agent_change", "agentkey_change"):
        later = desk.get(page(name, agent.pk if name == "agent_change" else key.pk))
        assert secret[1] not in text_of(later)
    assert secret[1] not in str(dict(desk.session))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"actions": []}, "This field is required"),
        ({"actions": ["stripe.payout"]}, "not one of the available choices"),
        ({"currencies": "xxx"}, "No known currency: xxx."),
        ({"currencies": ""}, "ceiling"),
        ({"ceiling_minor": "-1"}, "greater than or equal to 1"),
        ({"expires_at": "2020-01-01T00:00"}, "must lie in the future"),
        ({"expires_at": "soon"}, "valid date"),
    ],
)
def test_a_key_that_cannot_be_issued_is_said(desk, agent, changes, says):
    response = issue(desk, agent, **changes)

    assert response.status_code in (400, 409)
    assert says in text_of(response)
    assert not AgentKey.objects.exists()


def test_looking_issues_no_key(desk, agent):
    assert desk.get(page("agent_issue", agent.pk)).status_code == 200
    assert not AgentKey.objects.exists()


def test_a_key_is_revoked_with_a_reason(desk, agent_key):
    key = agent_key.key
    without = desk.post(page("agentkey_revoke", key.pk), {"reason": ""})
    response = desk.post(
        page("agentkey_revoke", key.pk), {"reason": "Laptop lost.", "compromised": "on"}
    )

    key.refresh_from_db()
    assert without.status_code == 400
    assert response.status_code == 302
    assert (key.revoked_reason, key.compromised) == ("Laptop lost.", True)
    with pytest.raises(KeyRefusedError):
        agent_keys.authenticate(agent_key.secret)
    assert desk.post(page("agentkey_revoke", key.pk), {"reason": "Again."}).status_code == 409


def test_an_agent_is_suspended_and_resumed(desk, agent):
    desk.post(page("agent_suspend", agent.pk), {"reason": "Odd refunds."})
    agent.refresh_from_db()
    suspended = (agent.status, agent.suspended_reason)
    desk.post(page("agent_resume", agent.pk), {"reason": "Explained."})
    agent.refresh_from_db()

    assert suspended == ("SUSPENDED", "Odd refunds.")
    assert agent.status == "ACTIVE"
    assert [row.event for row in agent.history.all()] == [
        "agent:resume",
        "agent:suspend",
        "agent:create",
    ]


@pytest.mark.parametrize("who", ["reviewer", "auditor", "outsider"])
def test_nobody_else_makes_or_stops(request, signed_in, agent_key, who):
    client = signed_in(request.getfixturevalue(who))
    agent = agent_key.key.agent
    pages = [
        page("agent_create"),
        page("agent_issue", agent.pk),
        page("agent_suspend", agent.pk),
        page("agent_resume", agent.pk),
        page("agentkey_revoke", agent_key.key.pk),
    ]

    for address in pages:
        assert client.get(address).status_code == 403
        assert client.post(address, {"reason": "x"}).status_code == 403
    agent.refresh_from_db()
    assert agent.status == "ACTIVE"


def test_the_page_offers_only_what_one_may(signed_in, desk, auditor, agent_key):
    address = page("agent_change", agent_key.key.agent_id)

    assert "Issue a key" in text_of(desk.get(address))
    assert "Issue a key" not in text_of(signed_in(auditor).get(address))
