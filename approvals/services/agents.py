"""Agents and their keys: made, stopped, rotated, revoked."""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from approvals import agent_keys
from approvals.enums import AgentStatus, EventType
from approvals.errors import AgentError
from approvals.models import Agent, AgentKey, User
from approvals.services.locks import lock_person
from audit import clock
from audit.actors import Actor
from audit.history import Fact, record, transition
from executors import registry
from executors import services as executions
from executors.enums import HoldScope
from executors.errors import UnknownActionError
from executors.money import DECIMALS

#: Two, so that a key can be rotated without a gap; not more, so that none is forgotten.
MOST_LIVE_KEYS = 2
#: In minor units: what every JSON parser reads as the same integer.
MOST_CEILING = 2**53 - 1


@dataclass(frozen=True, kw_only=True)
class IssuedKey:
    """A new key, and its secret text: shown once, stored nowhere."""

    key: AgentKey
    secret: str


def create_agent(*, name: str, owner_id: int, description: str, by: Actor) -> Agent:
    """Make an agent. ``owner_id`` is the person who answers for it, and never decides for it.

    Raises:
        AgentError: the name is taken or malformed, or the owner is not an active person.
    """
    with transaction.atomic():
        owner = _active_person(owner_id)
        at = clock.now()
        if "\0" in description:
            raise AgentError("The description has a NUL, which is no text.", field="description")
        agent = Agent(
            name=name,
            owner=owner,
            description=description,
            status=AgentStatus.ACTIVE,
            created_at=at,
            created_by=str(by),
        )
        try:
            agent.full_clean(exclude=["suspended_at"])
        except ValidationError as error:
            raise AgentError(" ".join(error.messages), field="name") from error
        record(agent, Fact(actor=by, event=EventType.AGENT_CREATE, at=at))
    return agent


def issue_key(
    *,
    agent_id: str,
    actions: list[str],
    owner_id: int,
    currencies: list[str],
    ceiling_minor: int | None,
    expires_at: datetime | None,
    by: Actor,
) -> IssuedKey:
    """Issue a key for these actions; ``ceiling_minor`` is in minor units of ``currencies``.

    Raises:
        AgentError: unknown action or currency, a ceiling without one scale, an expiry in the
            past, or two live keys already.
    """
    with transaction.atomic():
        agent = _lock_agent(agent_id)
        owner = _active_person(owner_id)
        at = clock.now()
        secret = agent_keys.new_secret()
        key = AgentKey(
            agent=agent,
            prefix=secret.prefix,
            secret_hash=secret.secret_hash,
            actions=_known_actions(actions),
            currencies=_known_currencies(currencies, ceiling_minor),
            ceiling_minor=_positive(ceiling_minor),
            owner=owner,
            expires_at=_future(expires_at, at),
            created_at=at,
            created_by=str(by),
        )
        _check_room(agent, at)
        record(key, Fact(actor=by, event=EventType.KEY_ISSUE, at=at))
    return IssuedKey(key=key, secret=secret.raw)


def revoke_key(*, key_id: str, reason: str, compromised: bool, by: Actor) -> AgentKey:
    """Revoke a key at once and for ever.

    When it is compromised, what it asked for is held as well and can no longer be approved;
    a key that was only rotated leaves its requests as they are.

    Raises:
        AgentError: it is revoked already, or there is no reason.
    """
    with transaction.atomic():
        agent = _lock_agent(AgentKey.objects.get(pk=key_id).agent_id)
        key = agent.keys.get(pk=key_id)
        if key.revoked_at is not None:
            raise AgentError(f"The key {key.prefix} is revoked already.")
        fact = _fact(by, EventType.KEY_REVOKE, reason)
        changes = {
            "revoked_at": fact.at,
            "revoked_by": str(by),
            "revoked_reason": fact.reason,
            "compromised": compromised,
        }
        transition(key, fact, guard={"revoked_at": None}, changes=changes)
        if compromised:
            _hold(HoldScope.KEY, key.pk, fact)
    return key


def suspend_agent(*, agent_id: str, reason: str, by: Actor) -> Agent:
    """Suspend an agent: its keys are refused, its requests unapprovable, its queued work held.

    Raises:
        AgentError: it is suspended already, or there is no reason.
    """
    with transaction.atomic():
        agent = _lock_agent(agent_id)
        if agent.status != AgentStatus.ACTIVE:
            raise AgentError(f"The agent {agent.name} is suspended already.")
        fact = _fact(by, EventType.AGENT_SUSPEND, reason)
        changes = {
            "status": AgentStatus.SUSPENDED,
            "suspended_at": fact.at,
            "suspended_by": str(by),
            "suspended_reason": fact.reason,
        }
        transition(agent, fact, guard={"status": AgentStatus.ACTIVE}, changes=changes)
        _hold(HoldScope.AGENT, agent.pk, fact)
    return agent


def resume_agent(*, agent_id: str, reason: str, by: Actor) -> Agent:
    """Let a suspended agent work again, and release what its suspension held.

    A hold on the agent that somebody set by itself stands until it is lifted by itself.

    Raises:
        AgentError: it is not suspended, or there is no reason.
    """
    with transaction.atomic():
        agent = _lock_agent(agent_id)
        if agent.status != AgentStatus.SUSPENDED:
            raise AgentError(f"The agent {agent.name} is not suspended.")
        fact = _fact(by, EventType.AGENT_RESUME, reason)
        suspended_by, suspended_at = agent.suspended_by, agent.suspended_at
        changes = {
            "status": AgentStatus.ACTIVE,
            "suspended_at": None,
            "suspended_by": "",
            "suspended_reason": "",
        }
        transition(agent, fact, guard={"status": AgentStatus.SUSPENDED}, changes=changes)
        # The suspension and its hold were written with one fact, so with one actor and instant.
        executions.lift_holds(
            scope=HoldScope.AGENT,
            value=agent.pk,
            reason=fact.reason,
            actor=by,
            at=fact.at,
            set_by=suspended_by,
            set_at=suspended_at,
        )
    return agent


def _lock_agent(agent_id: str) -> Agent:
    agent = Agent.objects.select_for_update(no_key=True).filter(pk=agent_id).first()
    if agent is None:
        raise AgentError(f"There is no agent {agent_id!r}.")
    return agent


def _active_person(user_id: int) -> User:
    user = lock_person(user_id)
    if not user.is_active:
        raise AgentError(f"The account {user.get_username()} is deactivated.", field="owner")
    return user


def _check_room(agent: Agent, at: datetime) -> None:
    if sum(key.is_live(at) for key in agent.keys.all()) >= MOST_LIVE_KEYS:
        raise AgentError(f"{agent.name} has {MOST_LIVE_KEYS} live keys; revoke one of them first.")


def _known_actions(actions: list[str]) -> list[str]:
    if not actions:
        raise AgentError("A key needs at least one action.", field="actions")
    try:
        return sorted({registry.latest(action).name for action in actions})
    except UnknownActionError as error:
        raise AgentError(error.message, field="actions") from error


def _known_currencies(currencies: list[str], ceiling_minor: int | None) -> list[str]:
    unknown = sorted(set(currencies) - set(DECIMALS))
    if unknown:
        raise AgentError(f"Unknown currency {unknown[0]!r}.", field="currencies")
    if ceiling_minor is not None and len({DECIMALS[code] for code in currencies}) != 1:
        raise AgentError(
            "A ceiling needs currencies that all have the same number of decimals.",
            field="currencies",
        )
    return sorted(set(currencies))


def _positive(ceiling_minor: int | None) -> int | None:
    if ceiling_minor is not None and not 1 <= ceiling_minor <= MOST_CEILING:
        raise AgentError(
            f"A ceiling is at least 1 minor unit and at most {MOST_CEILING}.", field="ceiling_minor"
        )
    return ceiling_minor


def _future(expires_at: datetime | None, at: datetime) -> datetime | None:
    if expires_at is not None and expires_at <= at:
        raise AgentError("The expiry must lie in the future.", field="expires_at")
    return expires_at


def _fact(by: Actor, event: EventType, reason: str) -> Fact:
    text = reason.strip()
    if not text:
        raise AgentError("Give a reason.", field="reason")
    return Fact(actor=by, event=event, at=clock.now(), reason=text)


def _hold(scope: HoldScope, value: str, fact: Fact) -> None:
    executions.set_hold(scope=scope, value=value, reason=fact.reason, actor=fact.actor, at=fact.at)
