"""No proof is accepted that was changed, cut, lengthened or put to another claim.

The kinds of mutation are those of the proof vectors of transparency-dev.
"""

from collections.abc import Callable, Iterator

import pytest

from audit.errors import ProofError
from audit.log import merkle
from tests.audit.log import naive

# No database is needed, so one run of them is enough.
pytestmark = pytest.mark.embedded

LARGEST = 20
ENTRIES = naive.entries(2 * LARGEST + 2)
ROOTS = [naive.root(ENTRIES[:size]) for size in range(len(ENTRIES) + 1)]
OTHER = bytes.fromhex("abacaba000000000000000000000000000000000000000000060061e00123456")

#: Every leaf, and every older tree, of each of these is tried.
SIZES = range(1, LARGEST + 1)


def claim_of_inclusion(index: int, size: int) -> dict:
    return {
        "leaf_hash": merkle.hash_leaf(ENTRIES[index]),
        "index": index,
        "size": size,
        "proof": naive.path(index, ENTRIES[:size]),
        "root": ROOTS[size],
    }


def claim_of_consistency(old_size: int, size: int) -> dict:
    return {
        "old_size": old_size,
        "old_root": ROOTS[old_size],
        "size": size,
        "root": ROOTS[size],
        "proof": naive.proof(old_size, ENTRIES[:size]),
    }


def is_accepted(check: Callable[..., None], claim: dict) -> bool:
    try:
        check(**claim)
    except ProofError:
        return False
    return True


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def mutated_proofs(proof: list[bytes], *roots: bytes) -> Iterator[tuple[str, list[bytes]]]:
    for extra in (b"", b"x", OTHER, merkle.EMPTY_ROOT, *roots, *proof[:1]):
        yield "garbage after", [*proof, extra]
        yield "garbage before", [extra, *proof]
    for position, one in enumerate(proof):
        for bit in (0, 3, 100, 255):
            yield "bit flip", [*proof[:position], flipped(one, bit), *proof[position + 1 :]]
        yield "removed", [*proof[:position], *proof[position + 1 :]]
        yield "inserted", [*proof[:position], OTHER, *proof[position:]]
        yield "hash cut", [*proof[:position], one[:-1], *proof[position + 1 :]]
        yield "hash longer", [*proof[:position], one + b"\x00", *proof[position + 1 :]]
    for position in range(len(proof) - 1):
        first, second = proof[position : position + 2]
        yield "swapped", [*proof[:position], second, first, *proof[position + 2 :]]
    if proof:
        yield "empty", []
        yield "truncated", proof[:-1]
        yield "joined", [b"".join(proof)] if len(proof) > 1 else [proof[0] * 2]


@pytest.mark.parametrize("size", SIZES)
def test_no_mutated_inclusion_proof_is_accepted(size):
    for index in range(size):
        claim = claim_of_inclusion(index, size)
        assert is_accepted(merkle.check_inclusion, claim)

        for kind, proof in mutated_proofs(claim["proof"], claim["root"], claim["leaf_hash"]):
            assert not is_accepted(merkle.check_inclusion, claim | {"proof": proof}), (index, kind)


@pytest.mark.parametrize("size", SIZES)
def test_no_other_leaf_place_or_root_is_accepted(size):
    for index in range(size):
        claim = claim_of_inclusion(index, size)
        others = [{"index": other} for other in range(-2, 2 * size) if other != index]
        others += [*wrong_hashes(claim, "leaf_hash"), *wrong_hashes(claim, "root")]
        if size > 1:
            others.append({"leaf_hash": claim["root"], "root": claim["leaf_hash"]})

        for other in others:
            assert not is_accepted(merkle.check_inclusion, claim | other), (index, other)


@pytest.mark.parametrize("size", SIZES[1:])
def test_no_mutated_consistency_proof_is_accepted(size):
    for old_size in range(1, size):
        claim = claim_of_consistency(old_size, size)
        assert is_accepted(merkle.check_consistency, claim)

        for kind, proof in mutated_proofs(claim["proof"], claim["old_root"], claim["root"]):
            other = claim | {"proof": proof}
            assert not is_accepted(merkle.check_consistency, other), (old_size, kind)


@pytest.mark.parametrize("size", SIZES[1:])
def test_no_other_roots_or_older_size_are_accepted(size):
    for old_size in range(1, size):
        claim = claim_of_consistency(old_size, size)
        others = [{"old_size": other} for other in range(-2, size + 3) if other != old_size]
        others.append({"old_root": claim["root"], "root": claim["old_root"]})
        others.append({"old_size": size, "size": old_size})
        others += [*wrong_hashes(claim, "old_root"), *wrong_hashes(claim, "root")]

        for other in others:
            assert not is_accepted(merkle.check_consistency, claim | other), (old_size, other)


def wrong_hashes(claim: dict, name: str) -> list[dict]:
    good = claim[name]
    wrong = [b"", b"wrong", OTHER, merkle.EMPTY_ROOT, good[:-1], good + b"\x00"]
    return [{name: one} for one in [*wrong, *(flipped(good, bit) for bit in (0, 77, 255))]]


def directions(index: int, size: int) -> str:
    """On which side each sibling of an inclusion proof is, from the leaf up."""
    if size == 1:
        return ""
    k = naive.split(size)
    if index < k:
        return directions(index, k) + "right "
    return directions(index - k, size - k) + "left "


def shape(old_size: int, size: int, complete: bool = True) -> str:
    """The same of a consistency proof, and whether it begins with the older root."""
    if old_size == size:
        return "root " if complete else "hash "
    k = naive.split(size)
    if old_size <= k:
        return shape(old_size, k, complete) + "right "
    return shape(old_size - k, size - k, False) + "left "


@pytest.mark.parametrize("size", SIZES)
def test_another_size_is_accepted_only_where_its_proof_would_be_the_same(size):
    """Hence a size counts only together with its root, as a signed checkpoint has them."""
    for index in range(size):
        claim = claim_of_inclusion(index, size)
        for other in range(-1, 2 * size + 2):
            same = index < other and directions(index, other) == directions(index, size)
            assert is_accepted(merkle.check_inclusion, claim | {"size": other}) == same, other


@pytest.mark.parametrize("size", SIZES[1:])
def test_another_newer_size_is_accepted_only_where_its_proof_would_be_the_same(size):
    for old_size in range(1, size):
        claim = claim_of_consistency(old_size, size)
        for other in range(-1, 2 * size + 2):
            same = old_size < other and shape(old_size, other) == shape(old_size, size)
            assert is_accepted(merkle.check_consistency, claim | {"size": other}) == same, other


@pytest.mark.parametrize("size", [0, 1, 5])
def test_two_trees_of_one_size_are_consistent_only_without_a_difference(size):
    claim = {
        "old_size": size,
        "old_root": ROOTS[size],
        "size": size,
        "root": ROOTS[size],
        "proof": [],
    }
    assert is_accepted(merkle.check_consistency, claim)

    for other in ({"root": OTHER}, {"old_root": OTHER}, {"proof": [ROOTS[size]]}):
        assert not is_accepted(merkle.check_consistency, claim | other)


def test_a_tree_without_leaves_has_one_root_and_needs_no_proof():
    claim = {
        "old_size": 0,
        "old_root": merkle.EMPTY_ROOT,
        "size": 5,
        "root": ROOTS[5],
        "proof": [],
    }
    assert is_accepted(merkle.check_consistency, claim)

    wrong = [{"old_root": OTHER}, {"proof": [ROOTS[5]]}, {"size": -1}, {"old_size": -1}]
    wrong.append({"size": 0, "old_root": OTHER, "root": OTHER})
    for other in wrong:
        assert not is_accepted(merkle.check_consistency, claim | other), other


def test_a_proof_that_leads_beyond_the_root_is_too_long():
    """Whoever chooses the root too must not be able to climb past the top of the tree."""
    claim = claim_of_inclusion(2, 5)
    for root in (merkle.hash_children(OTHER, ROOTS[5]), merkle.hash_children(ROOTS[5], OTHER)):
        longer = claim | {"proof": [*claim["proof"], OTHER], "root": root}
        assert not is_accepted(merkle.check_inclusion, longer)

    claim = claim_of_consistency(3, 5)
    for place in ("before", "after"):
        pairs = [(OTHER, ROOTS[size]) for size in (3, 5)]
        roots = [
            merkle.hash_children(*(pair if place == "before" else pair[::-1])) for pair in pairs
        ]
        longer = claim | {"proof": [*claim["proof"], OTHER], "root": roots[1]}
        assert not is_accepted(merkle.check_consistency, longer)
        assert not is_accepted(merkle.check_consistency, longer | {"old_root": roots[0]})


def test_what_is_not_as_long_as_a_hash_is_no_hash():
    """A byte moved from one hash to its sibling leaves what is hashed together the same."""
    claim = claim_of_inclusion(0, 2)
    leaf, sibling = claim["leaf_hash"], claim["proof"][0]
    moved = {"leaf_hash": leaf[:-1], "proof": [leaf[-1:] + sibling]}
    assert merkle.hash_children(moved["leaf_hash"], moved["proof"][0]) == claim["root"]

    assert not is_accepted(merkle.check_inclusion, claim | moved)
    nothing = {"leaf_hash": b"", "index": 0, "size": 1, "proof": [], "root": b""}
    assert not is_accepted(merkle.check_inclusion, nothing)

    claim = claim_of_consistency(1, 2)
    moved = {"old_root": leaf[:-1], "proof": [leaf[-1:] + sibling]}
    assert not is_accepted(merkle.check_consistency, claim | moved)
    nothing = {"old_size": 1, "old_root": b"", "size": 1, "root": b"", "proof": []}
    assert not is_accepted(merkle.check_consistency, nothing)
