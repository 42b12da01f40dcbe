"""What was signed about the log, and whether it is what the leaves give."""

from collections.abc import Iterator
from dataclasses import dataclass

from audit.errors import NoteError
from audit.log import checkpoints, keys
from audit.log.checkpoints import TreeHead
from audit.log.notes import NoteKey
from audit.log.verification.findings import Finding, Tally
from audit.log.verification.pages import pages
from audit.models import Checkpoint

TABLE = Checkpoint._meta.db_table
#: How many checkpoints are looked at together for one that is good; the first should be.
_SOME = 100


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Whose log it is, and whose signatures count."""

    origin: str
    keys: list[NoteKey]

    def verify(self, note: str) -> TreeHead:
        """Return what a checkpoint of this log says.

        Raises:
            NoteError: it is none of this log, or nobody who is trusted signed it.
        """
        return checkpoints.verify(note, origin=self.origin, trusted=self.keys)


def present_trust() -> Trust:
    """Return what this installation trusts.

    Raises:
        KeyFileError: the file of trusted keys cannot be read.
    """
    return Trust(origin=keys.origin(), keys=keys.note_keys())


def find_limit(trust: Trust) -> int:
    """Return the largest size under a good signature: no other number bounds what is read."""
    head = newest_head(trust)
    return 0 if head is None else head.size


def newest_head(trust: Trust) -> TreeHead | None:
    """Return the newest checkpoint under a good signature; None when there is none."""
    newest_first = Checkpoint.objects.order_by("-size")
    start = 0
    while some := list(newest_first[start : start + _SOME]):
        for checkpoint in some:
            head = _head_of(checkpoint, trust)
            if isinstance(head, TreeHead):
                return head
        start += _SOME
    return None


def signed_heads(trust: Trust, end: int, tally: Tally) -> Iterator[TreeHead | Finding]:
    """Yield what each checkpoint up to ``end`` says, smallest first, or what is wrong with it."""
    for page in pages(Checkpoint.objects.filter(size__lte=end)):
        for checkpoint in page:
            yield _head_of(checkpoint, trust)
        tally.checkpoints += len(page)
        tally.advance(len(page))


def _head_of(checkpoint: Checkpoint, trust: Trust) -> TreeHead | Finding:
    try:
        head = trust.verify(checkpoint.note)
    except NoteError as error:
        return finding("signature", checkpoint.size, str(error))
    if (head.size, head.root.hex()) != (checkpoint.size, checkpoint.root):
        return finding("columns", checkpoint.size, "Its columns are not what was signed.")
    return head


def finding(kind: str, size: int, sentence: str) -> Finding:
    """Return a finding about a checkpoint."""
    return Finding(kind=kind, table=TABLE, row=str(size), sentence=sentence)


class Roots:
    """Compares what was signed with what the leaves give, and tells of what is wrong once.

    After one leaf was changed no later root is right any more: the first one says where to look.
    """

    def __init__(self) -> None:
        self._good = 0
        self._first = 0
        self._later = 0

    def compare(self, head: TreeHead, root: bytes | None) -> Iterator[Finding]:
        """Compare the root of a checkpoint; None when leaves are missing before its size."""
        if root == head.root:
            self._good = head.size
        elif self._first:
            self._later += 1
        else:
            self._first = head.size
            yield finding("root", head.size, self._why(head, root))

    def rest(self) -> Iterator[Finding]:
        """Tell how many checkpoints after the first one do not agree either."""
        if self._later:
            yield finding(
                "root", self._first, f"{self._later} later checkpoints do not agree either."
            )

    def _why(self, head: TreeHead, root: bytes | None) -> str:
        if root is None:
            return "Its root cannot be made again: leaves are missing."
        return f"Of leaves {self._good} to {head.size - 1} one at least is not what was signed."


class Copies:
    """Compares older checkpoints, kept elsewhere, with the log of now; tells of a fork once."""

    def __init__(self) -> None:
        self._first = 0
        self._later = 0
        #: Those with which the log begins.
        self.agreed: list[TreeHead] = []

    def compare(self, copy: TreeHead, root: bytes | None) -> Iterator[Finding]:
        """Compare one; None when leaves are missing before its size."""
        if root == copy.root:
            self.agreed.append(copy)
            return
        if self._first:
            self._later += 1
            return
        self._first = copy.size
        yield finding(
            "fork", copy.size, "The log does not begin with what the copy of it says was signed."
        )

    def rest(self) -> Iterator[Finding]:
        """Tell how many copies after the first one do not agree either."""
        if self._later:
            yield finding("fork", self._first, f"{self._later} later copies do not agree either.")
