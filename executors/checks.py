"""Checks that upper floors register: may this run now?

They are asked at claim and again before the request leaves. A check can only stop, never permit;
one that raises, or that is expected and missing, holds the execution.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A check's objection: hold (may pass later) or refuse (never), with code and sentence."""

    code: str
    message: str
    final: bool = False


Check = Callable[[Mapping[str, Any], datetime], Stop | None]

_checks: dict[str, Check] = {}


def register(name: str, check: Check) -> None:
    """Register a check under a name that ``COUNTERSIGN_CHECKS`` lists."""
    _checks[name] = check


def objection(claims: Mapping[str, Any], at: datetime) -> Stop | None:
    """Return the first objection to running these claims at this instant, or None."""
    for name in settings.COUNTERSIGN_CHECKS:
        stop = _ask(name, claims, at)
        if stop is not None:
            return stop
    return None


def _ask(name: str, claims: Mapping[str, Any], at: datetime) -> Stop | None:
    check = _checks.get(name)
    if check is None:
        return Stop(code="check_missing", message=f"The check {name!r} is not registered.")
    try:
        # A savepoint, so that a query that fails in the check leaves the transaction usable.
        with transaction.atomic():
            return check(claims, at)
    except Exception as error:  # noqa: BLE001 - whatever it is, nothing runs without an answer
        return Stop(code="check_failed", message=f"The check {name!r} failed: {error!r}")
