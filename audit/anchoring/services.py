"""Copies checkpoints outside, in their order, and keeps what was copied where and when.

Each is copied at least once: after a crash between the copy and its row, twice. Nothing is skipped:
what is next follows from the rows, not from what a process remembers.
"""

from collections.abc import Iterator

from django.db.models import Max

from audit import clock
from audit.anchoring.targets import Target
from audit.models import Anchored, Checkpoint

#: How many are read at once; each is a query's row, and behind a day's outage there are thousands.
_SOME = 100


def copy_new(target: Target) -> int:
    """Copy what was signed since the last copy there; return how many copies were made.

    A place that has none yet begins with the newest checkpoint: it covers all that came before.

    Raises:
        AnchorError: the place did not take one. Those before it are copied; it is next.
    """
    copied = 0
    for checkpoint in _due(target):
        target.copy(checkpoint.note)
        row = {"anchor": target.name, "size": checkpoint.size}
        # Two sealers may copy the same: the copies are alike, and one row is enough.
        Anchored.objects.get_or_create(**row, defaults={"copied_at": clock.now()})
        copied += 1
    return copied


def last_copy() -> Anchored | None:
    """Return what was copied last, wherever to; None when nothing was."""
    return Anchored.objects.order_by("-copied_at", "-size").first()


def _due(target: Target) -> Iterator[Checkpoint]:
    known = Anchored.objects.filter(anchor=target.name).aggregate(Max("size"), Max("copied_at"))
    position, at = known["size__max"], known["copied_at__max"]
    newest = Checkpoint.objects.order_by("-size").first()
    if newest is None or (position is not None and newest.size <= position):
        return
    if position is None or target.pace:
        if at is None or clock.now() >= at + target.pace:
            yield newest
        return
    while some := list(Checkpoint.objects.filter(size__gt=position).order_by("size")[:_SOME]):
        yield from some
        position = some[-1].size
