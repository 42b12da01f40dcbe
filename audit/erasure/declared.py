"""Which columns may hold personal data, and which must not: each floor declares its models.

A test walks every model: a text or JSON column that is in neither list fails it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

#: Columns that every history table has beside the copy of its row: what an erasure takes, and what
#: it leaves (``actor`` is an account, an agent or a process, by a name that is an identifier).
HISTORY_ERASED = ("canonical", "salt", "history_change_reason")
HISTORY_KEPT = ("actor", "event", "subject", "hmac", "history_type")


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What a model's text and JSON columns hold.

    ``erased`` may hold personal data; ``kept`` must not. ``of`` finds the rows that belong to a
    target, such as ``req_…``; a model without it has nothing that is ever erased.
    """

    model: Any
    erased: tuple[str, ...]
    kept: tuple[str, ...]
    of: Callable[[str], Q] | None

    @property
    def history(self) -> Any:
        """Return the model of its history table; None when it has none."""
        return self.model.history.model if hasattr(self.model, "history") else None

    def erased_in(self, model: Any) -> tuple[str, ...]:
        """Return which columns are erased in its table, or in that of its history."""
        names = {field.attname for field in model._meta.concrete_fields}
        own = tuple(name for name in self.erased if name in names)
        return own if model is self.model else (*own, *HISTORY_ERASED)


#: Says why the data of a target cannot be erased now; nothing when it can.
Obstacle = Callable[[str], Iterator[str]]

_declared: dict[Any, Declaration] = {}
_obstacles: list[Obstacle] = []


def declare(
    model: Any,
    *,
    erased: tuple[str, ...] = (),
    kept: tuple[str, ...] = (),
    of: Callable[[str], Q] | None = None,
) -> None:
    """Declare a model's columns."""
    _declared[model] = Declaration(model=model, erased=erased, kept=kept, of=of)


def register_obstacle(obstacle: Obstacle) -> None:
    """Let a floor say what is not settled yet."""
    if obstacle not in _obstacles:
        _obstacles.append(obstacle)


def all_declared() -> list[Declaration]:
    """Return every declaration."""
    return list(_declared.values())


def of_history(model: Any) -> Declaration | None:
    """Return the declaration for the rows of a history table."""
    return _declared.get(model.instance_type)


def obstacles(target: str) -> list[str]:
    """Return, as sentences, why the data of a target cannot be erased now."""
    return [sentence for obstacle in _obstacles for sentence in obstacle(target)]
