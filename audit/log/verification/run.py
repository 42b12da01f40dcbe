"""Verifies everything, one check after the other, and never stops at a finding."""

from collections.abc import Iterator

from audit import clock
from audit.log import notes
from audit.log.checkpoints import TreeHead
from audit.log.unsealed import history_models
from audit.log.verification import current, heads, registered, revoked, rows, subjects, tree
from audit.log.verification.findings import Finding, Tally
from audit.log.verification.heads import Copies, Trust
from audit.models import Checkpoint, Leaf, Subject


def verify(tally: Tally, *, since: str | None = None) -> Iterator[Finding]:
    """Yield each finding as it is made; ``tally`` says afterwards what was looked at.

    ``since`` is the text of an older checkpoint of this log, kept elsewhere, or of several, one
    after another as the file of an anchor has them.

    Raises:
        KeyFileError: the file of trusted keys cannot be read.
        NoteError: a note in ``since`` is no checkpoint of this log, or nobody who is trusted signed
            it.
    """
    trust = heads.present_trust()
    copies = None if since is None else [trust.verify(one) for one in notes.split_notes(since)]
    for finding in _checks(trust, copies, tally):
        tally.findings += 1
        yield finding


def count_steps() -> int:
    """Return about how many steps ``verify`` will tell of."""
    histories = history_models()
    tracked = [model.instance_type for model in histories]
    tables = [*histories, Leaf, Checkpoint, Subject, *tracked, *registered.models()]
    return sum(int(model._base_manager.count()) for model in tables)


def _checks(trust: Trust, copies: list[TreeHead] | None, tally: Tally) -> Iterator[Finding]:
    at = clock.now()
    for model in history_models():
        yield from rows.check_rows(model, at, tally)
    yield from rows.find_lost_rows()
    outside = Copies()
    yield from tree.check_tree(trust, copies or [], tally, outside)
    yield from revoked.check_revoked(trust, None if copies is None else outside.agreed, tally)
    yield from subjects.check_subjects(tally)
    for model in history_models():
        yield from current.check_current(model, tally)
    yield from registered.check_registered(tally)
