"""Who did it: a person, an agent, a worker, or the system itself."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The author of a change, as history rows keep it: ``kind:name``.

    ``user_id`` is set for people only; it is a convenience for the admin and stays outside the
    canonical bytes, so that it can be erased.
    """

    kind: str
    name: str
    user_id: int | None = None

    def __post_init__(self) -> None:
        if not self.kind or not self.name:
            raise ValueError("An actor needs a kind and a name.")

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


def person(user: Any) -> Actor:
    """Return the actor for a Django user. Names are unique and never change."""
    return Actor(kind="person", name=user.get_username(), user_id=user.pk)


def agent(name: str) -> Actor:
    """Return the actor for the agent of this name."""
    return Actor(kind="agent", name=name)


def worker(name: str) -> Actor:
    """Return the actor for the worker that carries out executions."""
    return Actor(kind="worker", name=name)


def system(name: str) -> Actor:
    """Return the actor for a part of Countersign itself (``system:expiry``, ``system:seed``)."""
    return Actor(kind="system", name=name)
