"""What is not sealed: a row that is not authentic, and anything into a damaged log."""

import json
import logging

import pytest

from audit.errors import DamagedLogError, KeyFileError
from audit.log import services
from audit.models import Checkpoint, Leaf, LogTile
from tests.audit.log.conftest import rotate
from tests.audit.log.test_seal import count_rows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("log_key")]


def alarms(caplog) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.CRITICAL]


FORGERIES = {
    "other bytes": {"canonical": '{"number":1,"subject":"x","table":"y"}'},
    "other hmac": {"hmac": "0" * 64},
    "no hmac": {"hmac": ""},
    "foreign letters": {"hmac": "é"},
    "other salt": {"salt": "00" * 32},
    "no bytes": {"canonical": None},
    "no salt": {"salt": None},
    "another subject": {"subject": "agt_other"},
    "another number": {"number": 77},
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_row_that_is_not_authentic_is_an_alarm_and_gets_no_leaf(agent, change, caplog, forgery):
    change(2)
    forged = agent.history.order_by("pk")[1]
    agent.history.filter(pk=forged.pk).update(**forgery)

    done = services.seal()

    name = f"{forged._meta.db_table}:{forged.pk}"
    assert done.refused == [name]
    assert done.leaves == count_rows() - 1
    assert not Leaf.objects.filter(table=forged._meta.db_table, row=forged.pk).exists()
    [alarm] = alarms(caplog)
    assert alarm.startswith(f"alarm=record_not_authentic subject={name} 1 rows")


def test_the_alarm_about_a_row_is_raised_once_and_it_keeps_no_other_from_its_turn(
    agent, change, caplog, monkeypatch
):
    monkeypatch.setattr(services, "BATCH", 2)
    change(3)
    agent.history.update(hmac="")
    told: set[str] = set()
    services.seal(told=told)

    change(2)
    done = services.seal(told=told)

    assert (done.leaves, len(done.refused)) == (2, 4)
    assert len(alarms(caplog)) == 1


DAMAGES = {
    "a leaf is gone from the end": lambda: Leaf.objects.order_by("number").last().delete(),
    "a leaf is gone from the middle": lambda: Leaf.objects.filter(number=15).delete(),
    "a leaf was changed": lambda: Leaf.objects.filter(number=15).update(entry="00" * 32),
    "a tile is gone": lambda: LogTile.objects.all().delete(),
    "the root of a tile was changed": lambda: LogTile.objects.update(root="00" * 32),
    "the last checkpoint is gone": lambda: Checkpoint.objects.order_by("size").last().delete(),
    "all checkpoints are gone": lambda: Checkpoint.objects.all().delete(),
    "a checkpoint was changed": lambda: Checkpoint.objects.update(note="x"),
    "a leaf was added": lambda: Leaf.objects.create(
        number=10_000, table="t", row=1, entry="0" * 64
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_log_that_is_not_what_was_signed_is_not_continued(change, name):
    # A log with a full tile, only where that is what is damaged.
    change(280 if "tile" in name else 10)
    services.seal()
    DAMAGES[name]()
    before = (Leaf.objects.count(), Checkpoint.objects.count())
    change()

    with pytest.raises(DamagedLogError):
        services.seal()

    assert (Leaf.objects.count(), Checkpoint.objects.count()) == before


def test_a_log_key_that_nobody_trusts_signs_nothing(change, settings, tmp_path):
    change()
    settings.COUNTERSIGN_TRUSTED_KEYS_FILE = tmp_path / "others.json"
    settings.COUNTERSIGN_LOG_KEY_FILE, own = tmp_path / "other.pem", tmp_path / "log.pem"
    rotate(settings)
    settings.COUNTERSIGN_LOG_KEY_FILE = own

    with pytest.raises(KeyFileError, match="rotate_signing_key --use log"):
        services.seal()

    assert not Leaf.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"revoked_at": "2026-01-01T00:00:00+00:00"},
        {"not_before": "9000-01-01T00:00:00+00:00"},
        {"not_after": "2020-01-01T00:00:00+00:00"},
        {"use": "decision"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_log_key_that_is_revoked_or_outside_its_time_signs_nothing(change, settings, changed):
    change()
    trusted = settings.COUNTERSIGN_TRUSTED_KEYS_FILE
    entries = [entry | changed for entry in json.loads(trusted.read_text())["keys"]]
    trusted.write_text(json.dumps({"keys": entries}))

    with pytest.raises(KeyFileError, match="does not trust"):
        services.seal()

    assert not Leaf.objects.exists()


def test_the_key_that_signs_decisions_signs_no_checkpoint(change, own_keys, settings):
    settings.COUNTERSIGN_LOG_KEY_FILE = settings.COUNTERSIGN_SIGNING_KEY_FILE
    change()

    with pytest.raises(KeyFileError, match="does not trust"):
        services.seal()
