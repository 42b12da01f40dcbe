"""The tree against published vectors, and against its definition word by word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import ProofError
from audit.log import merkle
from tests.audit.log import naive

# No database is needed, so one run of them is enough.
pytestmark = pytest.mark.embedded

#: The leaves, roots and proofs that the logs of Certificate Transparency are tested with.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
G = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
H = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
I = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"  # noqa: E741
J = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f"

INCLUSION = [
    (0, 1, []),
    (0, 8, [A, B, C]),
    (5, 8, [D, E, F]),
    (2, 3, [G]),
    (1, 5, [H, B, D]),
]
CONSISTENCY = [
    (1, 1, []),
    (1, 8, [A, B, C]),
    (6, 8, [I, E, F]),
    (2, 5, [B, D]),
    (6, 7, [I, J, F]),
]

sizes = st.integers(1, 300)


def test_leaves_and_nodes_are_hashed_apart_as_the_rfc_says():
    leaf, node = merkle.hash_leaf(b"L123456"), merkle.hash_children(b"N123", b"N456")

    assert leaf.hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    assert node.hex() == "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"


def test_an_entry_is_the_hash_of_its_salt_and_bytes():
    # printf '\001\002abc' | sha256sum
    expected = "bf0e4665c55d7d245e3678ba4ac7c8692ab26a4e6ccf854425757a4893351544"

    assert merkle.entry_of(b"\x01\x02", b"abc").hex() == expected


@pytest.mark.parametrize("size", range(9))
def test_each_published_root_is_found(size):
    assert merkle.root(size, naive.reader(LEAVES)) == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "expected"), INCLUSION)
def test_each_published_inclusion_proof_is_made_and_accepted(index, size, expected):
    proof = merkle.inclusion_proof(index, size, naive.reader(LEAVES))

    assert [one.hex() for one in proof] == expected
    merkle.check_inclusion(
        leaf_hash=merkle.hash_leaf(LEAVES[index]),
        index=index,
        size=size,
        proof=proof,
        root=ROOTS[size],
    )


@pytest.mark.parametrize(("old_size", "size", "expected"), CONSISTENCY)
def test_each_published_consistency_proof_is_made_and_accepted(old_size, size, expected):
    proof = merkle.consistency_proof(old_size, size, naive.reader(LEAVES))

    assert [one.hex() for one in proof] == expected
    merkle.check_consistency(
        old_size=old_size, old_root=ROOTS[old_size], size=size, root=ROOTS[size], proof=proof
    )


@given(sizes)
def test_a_root_is_that_of_the_definition(size):
    entries = naive.entries(size)

    assert merkle.root(size, naive.reader(entries)) == naive.root(entries)


@given(st.data(), sizes)
def test_an_inclusion_proof_is_that_of_the_definition_and_short(data, size):
    entries = naive.entries(size)
    index = data.draw(st.integers(0, size - 1))

    proof = merkle.inclusion_proof(index, size, naive.reader(entries))

    assert proof == naive.path(index, entries)
    assert len(proof) <= (size - 1).bit_length()
    merkle.check_inclusion(
        leaf_hash=merkle.hash_leaf(entries[index]),
        index=index,
        size=size,
        proof=proof,
        root=naive.root(entries),
    )


@given(st.data(), sizes)
def test_a_consistency_proof_is_that_of_the_definition_and_short(data, size):
    entries = naive.entries(size)
    old_size = data.draw(st.integers(1, size))

    proof = merkle.consistency_proof(old_size, size, naive.reader(entries))

    assert proof == naive.proof(old_size, entries)
    assert len(proof) <= (size - 1).bit_length() + 1
    merkle.check_consistency(
        old_size=old_size,
        old_root=naive.root(entries[:old_size]),
        size=size,
        root=naive.root(entries),
        proof=proof,
    )


@given(st.data(), st.integers(2, 300))
def test_a_leaf_that_was_changed_later_is_found_by_consistency(data, size):
    entries = naive.entries(size)
    old_size = data.draw(st.integers(1, size - 1))
    old_root = naive.root(entries[:old_size])
    entries[data.draw(st.integers(0, old_size - 1))] = b"changed"

    with pytest.raises(ProofError):
        merkle.check_consistency(
            old_size=old_size,
            old_root=old_root,
            size=size,
            root=naive.root(entries),
            proof=naive.proof(old_size, entries),
        )


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 8), (8, 8)])
def test_no_proof_is_made_of_a_leaf_that_is_not_there(index, size):
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_proof(index, size, naive.reader(LEAVES))


@pytest.mark.parametrize(("old_size", "size"), [(2, 1), (-1, 8), (9, 8)])
def test_no_proof_is_made_of_a_tree_that_shrank(old_size, size):
    with pytest.raises(ValueError, match="does not begin"):
        merkle.consistency_proof(old_size, size, naive.reader(LEAVES))


def test_every_tree_begins_with_that_without_leaves():
    assert merkle.consistency_proof(0, 8, naive.reader(LEAVES)) == []
    merkle.check_consistency(
        old_size=0, old_root=merkle.EMPTY_ROOT, size=8, root=ROOTS[8], proof=[]
    )
