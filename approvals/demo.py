"""The demonstration's people and agent, marked as seeded so that production refuses them."""

import secrets
from dataclasses import dataclass

from django.contrib.auth.models import Group
from django.db import transaction

from approvals import services
from approvals.models import Agent, User
from approvals.models.people import AUDITORS, REVIEWERS, acting_as
from approvals.permissions import SEED

AGENT_NAME = "billing-agent"
#: Username → the group that the person is in; the administrator is in none, and decides nothing.
PEOPLE = {
    "admin": None,
    "reviewer": REVIEWERS,
    "second_reviewer": REVIEWERS,
    "auditor": AUDITORS,
}


@dataclass(frozen=True, kw_only=True)
class Seeded:
    """What was made: passwords by username, and the agent's key. Neither is stored readably."""

    passwords: dict[str, str]
    agent_key: str


def seed() -> Seeded | None:
    """Make the demonstration's people and agent, once; None when they are there already."""
    with transaction.atomic(), acting_as(SEED):
        if Agent.objects.filter(name=AGENT_NAME).exists():
            return None
        passwords = {name: _make_person(name, group) for name, group in PEOPLE.items()}
        owner = User.objects.get(username="admin")
        agent = services.create_agent(
            name=AGENT_NAME,
            owner_id=owner.pk,
            description="Handles customers' billing questions.",
            by=SEED,
        )
        issued = services.issue_key(
            agent_id=agent.pk,
            actions=["stripe.refund"],
            owner_id=owner.pk,
            currencies=[],
            ceiling_minor=None,
            expires_at=None,
            by=SEED,
        )
    return Seeded(passwords=passwords, agent_key=issued.secret)


def _make_person(username: str, group: str | None) -> str:
    password = secrets.token_urlsafe(12)
    user = User(username=username, is_staff=True, is_superuser=username == "admin", seeded=True)
    user.set_password(password)
    user.save()
    if group is not None:
        user.groups.add(Group.objects.get(name=group))
    return password
