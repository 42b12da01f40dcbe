"""Several sealers at once, while others write: one log, every row in it once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from approvals.models import Agent
from audit import actors, clock, history
from audit.history import Fact
from audit.log import checkpoints, keys, merkle, services, storage, tiles, unsealed
from audit.models import Checkpoint, Leaf
from audit.signing import rotation
from audit.signing.keys import LOG
from tests.races.harness import PATIENCE, ROUNDS, race, strange

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def log_key(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.COUNTERSIGN_LOG_KEY_FILE = tmp_path / "log.pem"
    settings.COUNTERSIGN_TRUSTED_KEYS_FILE = tmp_path / "trusted.json"
    rotation.rotate(
        private_path=settings.COUNTERSIGN_LOG_KEY_FILE,
        trusted_path=settings.COUNTERSIGN_TRUSTED_KEYS_FILE,
        use=LOG,
        at=clock.now(),
    )
    yield


def write(agent: Agent) -> None:
    with transaction.atomic():
        fact = Fact(actor=actors.system("test"), event="agent:update", at=clock.now())
        history.record_many([agent], fact)


def test_sealers_and_writers_at_once_make_one_log(agent: Agent) -> None:
    for _ in range(ROUNDS):
        results = race([services.seal] * 4 + [lambda: write(agent)] * 4)

        assert strange(results) == []
    services.seal()

    rows = sum(model.objects.count() for model in unsealed.history_models())
    entries = list(Leaf.objects.order_by("number").values_list("number", "entry"))
    assert [number for number, _ in entries] == list(range(rows))
    hashes = [merkle.hash_leaf(bytes.fromhex(entry)) for _, entry in entries]
    for checkpoint in Checkpoint.objects.all():
        head = checkpoints.verify(checkpoint.note, origin=keys.origin(), trusted=keys.note_keys())
        read = tiles.reader(head.size, storage.read_tiles)
        assert head.root == merkle.root(head.size, read) == root_of(hashes[: head.size])


def test_the_naive_sealer_seals_a_row_twice(agent: Agent) -> None:
    """It looks first and writes later, so that only the database is left to refuse."""

    def naive_seal() -> None:
        rows = unsealed.Search(thorough=True).next(services.BATCH)
        with transaction.atomic():
            if rows:
                services._extend(services._last_head(), rows)

    def is_lost() -> bool:
        write(agent)
        results = race([naive_seal] * 8)
        return any(isinstance(result, IntegrityError) for result in results)

    assert any(is_lost() for _ in range(PATIENCE))


def root_of(hashes: list[bytes]) -> bytes:
    known = {
        (tile.level, tile.index): data
        for tile, data in tiles.grow(0, hashes, lambda wanted: {}).items()
    }
    read = tiles.reader(
        len(hashes), lambda wanted: {tile: known[tile.level, tile.index] for tile in wanted}
    )
    return merkle.root(len(hashes), read)
