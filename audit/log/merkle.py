"""The Merkle tree of RFC 6962 and RFC 9162: its hashes, its roots, and the proofs about them.

Whoever makes a root or a proof reads a few nodes of the tree; where they are kept is the business
of the caller. Whoever checks a proof needs nothing but this.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from audit.errors import ProofError

HASH_BYTES = 32
#: The root of a tree without leaves.
EMPTY_ROOT = hashlib.sha256(b"").digest()


class Node(NamedTuple):
    """A complete subtree: the 2^level leaves from number ``position`` * 2^level on."""

    level: int
    position: int


#: Returns the hashes of the nodes, in their order; asked once for all that a root or proof needs.
Read = Callable[[Sequence[Node]], Sequence[bytes]]
#: Leaves from the first number until before the second.
_Range = tuple[int, int]


def entry_of(salt: bytes, data: bytes) -> bytes:
    """Return the entry of a history row: what the log holds of its salt and canonical bytes.

    Without the salt nobody can guess the bytes from it, so that erasing both erases them, and
    leaves every proof valid.
    """
    return hashlib.sha256(salt + data).digest()


def hash_leaf(entry: bytes) -> bytes:
    """Return the hash of an entry in the tree."""
    return hashlib.sha256(b"\x00" + entry).digest()


def hash_children(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node with two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Return the root of a complete subtree from its 2^n hashes, on whatever level these are."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=True)
        hashes = [hash_children(left, right) for left, right in pairs]
    return hashes[0]


def join(hashes: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees of falling size."""
    *rest, joined = hashes
    for left in reversed(rest):
        joined = hash_children(left, joined)
    return joined


def root(size: int, read: Read) -> bytes:
    """Return the root of the first ``size`` leaves."""
    if size == 0:
        return EMPTY_ROOT
    return _hashes([(0, size)], read)[0]


def inclusion_proof(index: int, size: int, read: Read) -> list[bytes]:
    """Return the proof that leaf ``index`` is in the tree of ``size`` leaves.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"A tree of {size} leaves has no leaf {index}.")
    ranges: list[_Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return _hashes(ranges[::-1], read)


def consistency_proof(old_size: int, size: int, read: Read) -> list[bytes]:
    """Return the proof that the tree of ``size`` leaves begins with that of ``old_size`` leaves.

    Empty when the two are the same, or the older one has no leaves: then nothing is to be proven.

    Raises:
        ValueError: the older tree is the larger one.
    """
    if not 0 <= old_size <= size:
        raise ValueError(f"A tree of {size} leaves does not begin with one of {old_size}.")
    if old_size == 0:
        return []
    ranges: list[_Range] = []
    start, end = 0, size
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    # Without a step to the right the rest is the older tree, whose root is known.
    if start > 0:
        ranges.append((start, end))
    return _hashes(ranges[::-1], read)


def check_inclusion(
    *, leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf is at this place of the tree with this size and root (RFC 9162, 2.1.3.2).

    The proof alone does not bind the size: take size and root from one signed checkpoint.

    Raises:
        ProofError: it does not show that.
    """
    _require_hashes(leaf_hash, root, *proof)
    if not 0 <= index < size:
        raise ProofError(f"A tree of {size} leaves has no leaf {index}.")
    place, last, found = index, size - 1, leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofError("The inclusion proof is too long.")
        if place & 1 or place == last:
            found = hash_children(sibling, found)
            place, last = _climb(place, last)
        else:
            found = hash_children(found, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise ProofError("The inclusion proof is too short.")
    if found != root:
        raise ProofError(f"The inclusion proof does not lead from leaf {index} to this root.")


def check_consistency(
    *, old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that one tree begins with the other (RFC 9162, 2.1.4.2).

    Take each size with its root from a signed checkpoint: the proof alone does not bind the sizes.

    Raises:
        ProofError: it does not show that: the log may have been forked or cut.
    """
    _require_hashes(old_root, root, *proof)
    if not 0 <= old_size <= size:
        raise ProofError(f"A tree of {size} leaves does not begin with one of {old_size}.")
    for leaves, its_root in ((old_size, old_root), (size, root)):
        if leaves == 0 and its_root != EMPTY_ROOT:
            raise ProofError("The root of a tree without leaves is another.")
    if old_size == size and old_root != root:
        raise ProofError(f"Two trees of {size} leaves have two roots.")
    if old_size in (0, size):
        if proof:
            raise ProofError("The consistency proof is too long.")
        return
    found = _roots_by_consistency(old_size, old_root, size, proof)
    if found != (old_root, root):
        raise ProofError(f"The trees of {old_size} and {size} leaves are not consistent.")


def _roots_by_consistency(
    old_size: int, old_root: bytes, size: int, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """Return the two roots to which the proof leads."""
    # Of a complete older tree the proof leaves the root out: the caller has it.
    path = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not path:
        raise ProofError("The consistency proof is empty.")
    place, last = old_size - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("The consistency proof is too long.")
        if place & 1 or place == last:
            old, new = hash_children(sibling, old), hash_children(sibling, new)
            place, last = _climb(place, last)
        else:
            new = hash_children(new, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise ProofError("The consistency proof is too short.")
    return old, new


def _climb(place: int, last: int) -> tuple[int, int]:
    """Pass the levels on which the last node of a row has no sibling."""
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last


def _split(count: int) -> int:
    """Return how many leaves are left of the split: the largest power of two below ``count``."""
    return 1 << ((count - 1).bit_length() - 1)


def _hashes(ranges: Sequence[_Range], read: Read) -> list[bytes]:
    """Return the hash over each range of leaves, with one reading for all of them."""
    covers = [_cover(start, end) for start, end in ranges]
    wanted = [node for cover in covers for node in cover]
    known = dict(zip(wanted, read(wanted), strict=True))
    return [join([known[node] for node in cover]) for cover in covers]


def _cover(start: int, end: int) -> list[Node]:
    """Return the complete subtrees that make up a range, from left to right, each as large as
    possible; ``start`` is a place at which the tree is split."""
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return nodes


def _require_hashes(*hashes: bytes) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise ProofError(f"A hash of this tree has {HASH_BYTES} bytes.")
