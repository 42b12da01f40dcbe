"""Agents and their keys: made, rotated, stopped, revoked; and how a caller is known."""

import hmac
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from approvals import agent_keys, services
from approvals.enums import AgentStatus
from approvals.errors import AgentError, KeyRefusedError
from approvals.models import Agent, AgentKey
from audit import actors, clock
from executors.models import Hold
from tests.conftest import issue_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(admin_user):
    return actors.person(admin_user)


def test_a_key_is_known_by_its_secret_and_only_its_hash_is_stored(agent_key):
    secret = agent_key.secret.removeprefix(f"{agent_key.key.prefix}_")

    assert agent_keys.authenticate(agent_key.secret) == agent_key.key
    assert secret not in json.dumps(list(AgentKey.objects.values()), default=str)
    assert secret not in json.dumps(list(AgentKey.history.values()), default=str)
    assert agent_key.key.secret_hash == agent_keys.hash_secret(secret)
    assert agent_key.key.secret_hash not in json.dumps(list(AgentKey.history.values()), default=str)


def test_a_secret_is_hashed_under_the_pepper_and_not_the_other_way_round(settings):
    settings.COUNTERSIGN_PEPPER = "pepper"

    expected = hmac.new(b"pepper", b"secret", "sha256").hexdigest()
    assert agent_keys.hash_secret("secret") == expected


def test_another_pepper_makes_every_key_unknown(agent_key, settings):
    settings.COUNTERSIGN_PEPPER = "another"

    with pytest.raises(KeyRefusedError):
        agent_keys.authenticate(agent_key.secret)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: "",
        lambda raw: raw[:-1],
        lambda raw: raw + "x",
        lambda raw: raw[:-1] + ("A" if raw[-1] != "A" else "B"),
        lambda raw: raw.upper(),
        lambda raw: f" {raw}",
        lambda raw: f"{raw}\n",
        lambda raw: "cs_AAAAAAAA_" + "x" * 43,
        lambda raw: raw.replace("cs_", "сs_"),
    ],
)
def test_a_spoiled_key_is_refused(agent_key, spoil):
    with pytest.raises(KeyRefusedError) as caught:
        agent_keys.authenticate(spoil(agent_key.secret))

    assert caught.value.code == "invalid_key"


def test_its_use_is_kept_to_the_minute(agent_key, later):
    first = agent_keys.authenticate(agent_key.secret)
    used_at = AgentKey.objects.get(pk=first.pk).use.last_used_at
    agent_keys.authenticate(agent_key.secret)
    assert AgentKey.objects.get(pk=first.pk).use.last_used_at == used_at

    later(seconds=61)
    agent_keys.authenticate(agent_key.secret)

    assert AgentKey.objects.get(pk=first.pk).use.last_used_at > used_at


def test_an_expired_key_is_refused(agent, later):
    issued = issue_key(agent, expires_at=clock.now() + timedelta(seconds=30))
    later(seconds=31)

    with pytest.raises(KeyRefusedError) as caught:
        agent_keys.authenticate(issued.secret)

    assert caught.value.code == "expired_key"


def test_a_revoked_key_stays_revoked_for_ever(agent_key, admin):
    services.revoke_key(key_id=agent_key.key.pk, reason="rotated", compromised=False, by=admin)

    with pytest.raises(KeyRefusedError) as caught:
        agent_keys.authenticate(agent_key.secret)
    assert caught.value.code == "revoked_key"
    with pytest.raises(AgentError):
        services.revoke_key(key_id=agent_key.key.pk, reason="again", compromised=True, by=admin)


def test_two_keys_live_at_once_and_no_third(agent, agent_key, admin):
    issue_key(agent)
    with pytest.raises(AgentError):
        issue_key(agent)

    services.revoke_key(key_id=agent_key.key.pk, reason="rotated", compromised=False, by=admin)

    assert issue_key(agent).key.is_live(clock.now())


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"actions": []}, "actions"),
        ({"actions": ["stripe.payday"]}, "actions"),
        ({"currencies": ["xxx"]}, "currencies"),
        ({"ceiling_minor": 100}, "currencies"),
        ({"currencies": ["usd", "jpy"], "ceiling_minor": 100}, "currencies"),
        ({"currencies": ["usd"], "ceiling_minor": 0}, "ceiling_minor"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_issued(agent, wrong, field):
    with pytest.raises(AgentError) as caught:
        issue_key(agent, **wrong)

    assert caught.value.field == field
    assert not AgentKey.objects.exists()


def test_the_smallest_ceiling_is_one_minor_unit(agent):
    assert issue_key(agent, currencies=["usd"], ceiling_minor=1).key.ceiling_minor == 1


def test_a_key_that_expires_at_this_moment_is_not_issued(agent, monkeypatch):
    at = clock.now()
    monkeypatch.setattr(clock, "now", lambda: at)

    with pytest.raises(AgentError) as caught:
        issue_key(agent, expires_at=at)

    assert caught.value.field == "expires_at"


def test_a_key_for_an_agent_that_does_not_exist_is_not_issued(agent):
    with pytest.raises(AgentError):
        issue_key(Agent(pk="agt_none", owner_id=agent.owner_id))


@pytest.mark.parametrize("name", ["", "Upper", "spa ce", "x" * 61, "-a", "a\n"])
def test_an_agents_name_is_plain(admin_user, admin, name):
    with pytest.raises(AgentError) as caught:
        services.create_agent(name=name, owner_id=admin_user.pk, description="", by=admin)

    assert caught.value.field == "name"


def test_two_agents_have_two_names(agent, admin_user, admin):
    with pytest.raises(AgentError):
        services.create_agent(name=agent.name, owner_id=admin_user.pk, description="", by=admin)


def test_a_deactivated_person_owns_no_new_agent(outsider, admin):
    outsider.is_active = False
    outsider.save()

    with pytest.raises(AgentError) as caught:
        services.create_agent(name="new", owner_id=outsider.pk, description="", by=admin)

    assert caught.value.field == "owner"


def test_suspending_refuses_its_keys_and_holds_its_work_until_resumed(agent, agent_key, admin):
    services.suspend_agent(agent_id=agent.pk, reason="odd", by=admin)

    with pytest.raises(KeyRefusedError) as caught:
        agent_keys.authenticate(agent_key.secret)
    assert caught.value.code == "agent_suspended"
    assert Hold.objects.get().lifted_at is None

    services.resume_agent(agent_id=agent.pk, reason="explained", by=admin)

    assert agent_keys.authenticate(agent_key.secret) == agent_key.key
    assert Hold.objects.get().lifted_by == "person:admin"
    events = list(agent.history.order_by("number").values_list("event", flat=True))
    assert events == ["agent:create", "agent:suspend", "agent:resume"]


def test_suspending_twice_or_resuming_an_active_agent_is_refused(agent, admin):
    with pytest.raises(AgentError):
        services.resume_agent(agent_id=agent.pk, reason="why", by=admin)
    services.suspend_agent(agent_id=agent.pk, reason="odd", by=admin)

    with pytest.raises(AgentError):
        services.suspend_agent(agent_id=agent.pk, reason="odd", by=admin)


def test_stopping_an_agent_needs_a_reason(agent, agent_key, admin):
    with pytest.raises(AgentError):
        services.suspend_agent(agent_id=agent.pk, reason=" ", by=admin)
    with pytest.raises(AgentError):
        services.revoke_key(key_id=agent_key.key.pk, reason="", compromised=False, by=admin)

    agent.refresh_from_db()
    assert agent.status == AgentStatus.ACTIVE


def test_the_command_makes_an_agent_with_a_working_key(admin_user, capsys):
    call_command(
        "create_agent",
        "new-agent",
        "--owner=admin",
        "--action=stripe.refund",
        "--currency=usd",
        "--ceiling=5000",
        "--expires-in-days=30",
        "--json",
    )

    key = agent_keys.authenticate(json.loads(capsys.readouterr().out)["agent_key"])
    assert (key.agent.name, key.currencies, key.ceiling_minor) == ("new-agent", ["usd"], 5000)


def test_the_command_says_the_key_in_words(admin_user, capsys):
    call_command("create_agent", "new-agent", "--owner=admin", "--action=stripe.refund")

    assert "Agent key (shown this once): cs_" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["x", "--owner=nobody", "--action=stripe.refund"],
        ["x", "--owner=admin", "--action=no"],
        ["x", "--owner=admin", "--action=stripe.refund", "--expires-in-days=99999999999"],
        ["x", "--owner=admin", "--action=stripe.refund", "--expires-in-days=0"],
        ["x", "--owner=admin", "--action=stripe.refund", "--currency=usd", f"--ceiling={10**20}"],
        ["x", "--owner=admin", "--action=stripe.refund", "--description=\0"],
    ],
)
def test_the_command_fails_whole(admin_user, arguments):
    with pytest.raises(CommandError):
        call_command("create_agent", *arguments)

    assert not Agent.objects.exists()
