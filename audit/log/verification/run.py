"""Verifies everything, one check after the other, and never stops at a finding."""

from collections.abc import Iterator

from audit import clock
from audit.log.checkpoints import TreeHead
from audit.log.unsealed import history_models
from audit.log.verification import current, heads, registered, rows, subjects, tree
from audit.log.verification.findings import Finding, Tally
from audit.log.verification.heads import Trust
from audit.models import Checkpoint, Leaf, Subject


def verify(tally: Tally, *, since: str | None = None) -> Iterator[Finding]:
    """Yield each finding as it is made; ``tally`` says afterwards what was looked at.

    ``since`` is the text of an older checkpoint of this log, kept elsewhere.

    Raises:
        KeyFileError: the file of trusted keys cannot be read.
        NoteError: ``since`` is no checkpoint of this log, or nobody who is trusted signed it.
    """
    trust = heads.present_trust()
    copy = None if since is None else trust.verify(since)
    for finding in _checks(trust, copy, tally):
        tally.findings += 1
        yield finding


def count_steps() -> int:
    """Return about how many steps ``verify`` will tell of."""
    histories = history_models()
    tracked = [model.instance_type for model in histories]
    tables = [*histories, Leaf, Checkpoint, Subject, *tracked, *registered.models()]
    return sum(int(model._base_manager.count()) for model in tables)


def _checks(trust: Trust, copy: TreeHead | None, tally: Tally) -> Iterator[Finding]:
    at = clock.now()
    for model in history_models():
        yield from rows.check_rows(model, at, tally)
    yield from rows.find_lost_rows()
    yield from tree.check_tree(trust, copy, tally)
    yield from subjects.check_subjects(tally)
    for model in history_models():
        yield from current.check_current(model, tally)
    yield from registered.check_registered(tally)
