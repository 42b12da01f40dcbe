"""A tree that keeps one hash for each level has the roots of RFC 6962."""

import pytest

from audit.log.compact import CompactRange
from audit.log.merkle import hash_leaf
from tests.audit.log import naive

# No database is needed, so one run of them is enough.
pytestmark = pytest.mark.embedded


def test_its_root_is_right_after_every_leaf():
    entries = naive.entries(70)
    grown = CompactRange()

    assert grown.root() == naive.root([])
    for size in range(1, 71):
        grown.append(hash_leaf(entries[size - 1]))
        assert (grown.size, grown.root()) == (size, naive.root(entries[:size]))


def test_it_keeps_no_more_than_one_hash_for_each_level():
    grown = CompactRange()
    for _ in range(1023):
        grown.append(bytes(32))

    assert len(grown._roots) == 10
