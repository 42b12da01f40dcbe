"""The catalogue: which actions this installation offers."""

from collections.abc import Iterator

from executors.base import Executor
from executors.errors import UnknownActionError

_by_version: dict[tuple[str, int], Executor] = {}
_latest: dict[str, Executor] = {}


def register(executor: Executor) -> None:
    """Add an action. Registering the same name and version twice is a mistake in the code."""
    key = (executor.name, executor.version)
    if key in _by_version:
        raise ValueError(f"The action {key} is registered twice.")
    _by_version[key] = executor
    for name in (executor.name, *executor.aliases):
        known = _latest.get(name)
        if known is None or known.version < executor.version:
            _latest[name] = executor


def latest(name: str) -> Executor:
    """Return the newest version of an action, by its catalogue name or an alias.

    Raises:
        UnknownActionError: there is none.
    """
    try:
        return _latest[name]
    except KeyError:
        raise UnknownActionError(f"There is no action {name!r} in the catalogue.") from None


def get(name: str, version: int) -> Executor:
    """Return one version of an action, by its catalogue name.

    Raises:
        UnknownActionError: there is none.
    """
    try:
        return _by_version[(name, version)]
    except KeyError:
        raise UnknownActionError(f"There is no action {name!r} of version {version}.") from None


def catalogue() -> Iterator[Executor]:
    """Yield the newest version of every action, by name."""
    for name in sorted({executor.name for executor in _latest.values()}):
        yield _latest[name]
