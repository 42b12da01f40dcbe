"""Checks of the floors above: what this floor cannot know about a row, such as its token.

Each floor registers what it knows in ``AppConfig.ready``, beside the model that it is about. A
check only reads; it gets rows of its model and yields findings that name them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db.models import Max

from audit.log.verification.findings import Finding, Tally
from audit.log.verification.pages import UNREADABLE, Unreadable, pages

Check = Callable[[Sequence[Any]], Iterator[Finding]]

_checks: dict[Any, list[Check]] = {}
#: How often a row is looked at that somebody is changing just then.
_LOOKS = 5


def register(model: Any, check: Check) -> None:
    """Let a check look at all rows of a tracked model, page by page.

    Each finding of it has the row's key as ``row``, so that the row can be looked at again.
    """
    checks = _checks.setdefault(model, [])
    if check not in checks:
        checks.append(check)


def models() -> list[Any]:
    """Return the models that are looked at, in the order of their registration."""
    return list(_checks)


def check_registered(tally: Tally) -> Iterator[Finding]:
    """Let every registered check look at every row of its model."""
    for model, checks in _checks.items():
        for page in pages(model._base_manager.all()):
            # A row that no column type could hold is told by the check of current rows.
            rows = [row for row in page if not isinstance(row, Unreadable)]
            for check in checks:
                yield from _findings(model, check, rows)
            tally.tokens += len(page)
            tally.advance(len(page))


def _findings(model: Any, check: Check, rows: Sequence[Any]) -> Iterator[Finding]:
    suspects = {finding.row for finding in _ask(check, rows)}
    for row in rows:
        if str(row.pk) in suspects:
            yield from _look_again(model, check, row.pk)


def _look_again(model: Any, check: Check, key: Any) -> Iterator[Finding]:
    """Look at a row between two readings of its history, which then was still meanwhile.

    A row and what belongs to it are read one after the other: what changed between is no finding.
    """
    before = _newest(model, key)
    for _ in range(_LOOKS):
        found = _ask(check, list(model._base_manager.filter(pk=key)))
        after = _newest(model, key)
        if before == after:
            yield from found
            return
        before = after


def _ask(check: Check, rows: Sequence[Any]) -> list[Finding]:
    """Return what a check finds; what it cannot read, it finds too."""
    try:
        return list(check(rows))
    except UNREADABLE:
        if len(rows) > 1:
            return [finding for row in rows for finding in _ask(check, [row])]
        return [_unreadable(row) for row in rows]


def _unreadable(row: Any) -> Finding:
    sentence = "What belongs to it holds what it cannot hold."
    return Finding(kind="columns", table=row._meta.db_table, row=str(row.pk), sentence=sentence)


def _newest(model: Any, key: Any) -> Any:
    rows = model.history.filter(**{model._meta.pk.attname: key})
    return rows.aggregate(newest=Max("pk"))["newest"]
