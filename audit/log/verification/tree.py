"""The tree made again from its leaves, in one pass: their numbers, the tiles, what was signed."""

import heapq
from collections.abc import Iterator
from typing import Any

from django.db.models import Max

from audit.log.checkpoints import TreeHead
from audit.log.compact import CompactRange
from audit.log.merkle import HASH_BYTES, hash_leaf
from audit.log.verification import heads, shelf
from audit.log.verification.findings import Finding, Tally
from audit.log.verification.heads import Copies, Roots, Trust
from audit.log.verification.pages import pages
from audit.log.verification.shelf import Shelf
from audit.models import Checkpoint, Leaf, LogTile

TABLE = Leaf._meta.db_table


def check_tree(
    trust: Trust, copies: list[TreeHead], tally: Tally, outside: Copies
) -> Iterator[Finding]:
    """Check the log up to the newest checkpoint, and that nothing is beyond it.

    ``copies`` is what older checkpoints say that were kept elsewhere; ``outside`` knows afterwards
    with which of them the log begins.
    """
    # What is sealed meanwhile is not of this run: ends first, and then the checkpoint over them.
    ends = dict(LogTile.objects.values_list("level").annotate(Max("index")))
    last = Leaf.objects.aggregate(last=Max("number"))["last"]
    claimed = Checkpoint.objects.aggregate(last=Max("size"))["last"] or 0
    tally.size = heads.find_limit(trust)
    longest = max((copy.size for copy in copies), default=0)
    if longest > tally.size:
        yield heads.finding("fork", longest, "The log is shorter than the copy of it.")
    known = sorted(
        {copy for copy in copies if copy.size <= tally.size},
        key=lambda copy: (copy.size, copy.root),
    )
    growth = _Growth(tally)
    roots = Roots()
    marks = _marks(trust, max(claimed, tally.size), known, tally)
    yield from _grow(growth, roots, outside, marks)
    yield from growth.until(tally.size)
    yield from roots.rest()
    yield from outside.rest()
    yield from _find_unsigned_leaves(tally.size, -1 if last is None else last)
    yield from shelf.find_unsigned(ends, tally.size)


#: A head with whether it is the copy from outside, in the order of their sizes.
_Mark = tuple[int, bool, TreeHead]


def _marks(
    trust: Trust, end: int, known: list[TreeHead], tally: Tally
) -> Iterator[_Mark | Finding]:
    found: list[Finding] = []

    def ours() -> Iterator[_Mark]:
        for head in heads.signed_heads(trust, end, tally):
            if isinstance(head, Finding):
                found.append(head)
            else:
                yield head.size, False, head

    copies: list[_Mark] = [(copy.size, True, copy) for copy in known]
    for mark in heapq.merge(ours(), copies, key=lambda mark: mark[:2]):
        yield from found
        found.clear()
        yield mark
    yield from found


def _grow(
    growth: "_Growth", roots: Roots, outside: Copies, marks: Iterator[_Mark | Finding]
) -> Iterator[Finding]:
    for mark in marks:
        if isinstance(mark, Finding):
            yield mark
            continue
        size, is_copy, head = mark
        yield from growth.until(size)
        compared = outside if is_copy else roots
        yield from compared.compare(head, growth.root())


def _find_unsigned_leaves(size: int, last: int) -> Iterator[Finding]:
    for page in pages(Leaf.objects.filter(number__gte=size, number__lte=last)):
        for leaf in page:
            yield _finding("unsigned", leaf.number, "It is beyond what was signed.")


class _Growth:
    """The tree up to some size. From a missing leaf on there are no roots any more."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._range = CompactRange()
        self._shelf = Shelf()
        self._reached = 0
        self._leaves = _leaves()
        self._ahead = next(self._leaves, None)

    def root(self) -> bytes | None:
        """Return the root of what was reached; None when leaves were missing."""
        return self._range.root() if self._range.size == self._reached else None

    def until(self, size: int) -> Iterator[Finding]:
        """Take all leaves before this number."""
        while self._ahead is not None and self._ahead.number < size:
            leaf = self._ahead
            if leaf.number > self._reached:
                yield _gap(self._reached, leaf.number)
                yield from self._skip_to(leaf.number)
            yield from self._add(leaf)
            self._ahead = next(self._leaves, None)
        if self._reached < size:
            yield _gap(self._reached, size)
            self._reached = size

    def _add(self, leaf: Any) -> Iterator[Finding]:
        value = _hash_of(leaf.entry)
        if value is None:
            yield _finding("leaf", leaf.number, "Its entry is no digest.")
        elif self._range.size == self._reached:
            self._range.append(value)
        self._reached += 1
        self._tally.leaves += 1
        self._tally.advance(1)
        yield from self._shelf.put(value)

    def _skip_to(self, number: int) -> Iterator[Finding]:
        for _ in range(self._reached, number):
            yield from self._shelf.put(None)
        self._reached = number


def _leaves() -> Iterator[Any]:
    rows = Leaf.objects.values_list("number", "entry", named=True)
    for page in pages(rows, key="number", size=5000):
        yield from page


def _hash_of(entry: str) -> bytes | None:
    try:
        data = bytes.fromhex(entry)
    except ValueError:
        return None
    return hash_leaf(data) if len(data) == HASH_BYTES else None


def _gap(first: int, end: int) -> Finding:
    which = f"Leaf {first} is" if end == first + 1 else f"Leaves {first} to {end - 1} are"
    return _finding("gap", first, f"{which} missing.")


def _finding(kind: str, number: int, sentence: str) -> Finding:
    return Finding(kind=kind, table=TABLE, row=str(number), sentence=sentence)
