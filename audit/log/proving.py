"""Proves that leaves are in the tree whose root was signed, out of the tiles that are stored."""

from functools import lru_cache

from audit.log import merkle, storage, tiles
from audit.log.tiles import Tile

#: How many tiles are remembered, each of 8 KiB at most: neighbours share nearly all of theirs.
_TILES = 256


class Prover:
    """Proofs against one signed root; each tile is read once for all of them."""

    def __init__(self, *, size: int, root: bytes) -> None:
        self._size, self._root = size, root

        @lru_cache(_TILES)
        def read(tile: Tile) -> bytes:
            return storage.read_tiles([tile])[tile]

        self._read = tiles.reader(size, lambda wanted: {tile: read(tile) for tile in wanted})

    def prove(self, leaf: int, entry: bytes) -> list[bytes]:
        """Return the inclusion proof of an entry as this leaf (RFC 6962), after checking it.

        Raises:
            LogError: the entry and the stored tiles do not lead to the root that was signed.
        """
        proof = merkle.inclusion_proof(leaf, self._size, self._read)
        merkle.check_inclusion(
            leaf_hash=merkle.hash_leaf(entry),
            index=leaf,
            size=self._size,
            proof=proof,
            root=self._root,
        )
        return proof
