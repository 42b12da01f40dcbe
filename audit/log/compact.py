"""A tree that grows leaf by leaf and keeps only the roots of its complete subtrees."""

from audit.log.merkle import EMPTY_ROOT, hash_children, join


class CompactRange:
    """The first leaves of a log: any root on the way, with one hash for each level."""

    def __init__(self) -> None:
        self.size = 0
        #: From left to right, of falling size: one for each bit of the size that is set.
        self._roots: list[bytes] = []

    def append(self, leaf_hash: bytes) -> None:
        """Add the next leaf."""
        roots, count = self._roots, self.size
        while count & 1:
            leaf_hash = hash_children(roots.pop(), leaf_hash)
            count >>= 1
        roots.append(leaf_hash)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of the leaves so far."""
        return join(self._roots) if self._roots else EMPTY_ROOT
