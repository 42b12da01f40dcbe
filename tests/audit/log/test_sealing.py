"""The sealer's loop: it waits for what can be repaired, and says so once."""

import logging
from pathlib import Path

import pytest
from django.db import OperationalError

from audit.errors import DamagedLogError, KeyFileError
from audit.log import sealing, services, unsealed
from audit.log.sealing import Loop
from audit.models import Checkpoint, Leaf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("log_key")]


def run(loop: Loop, monkeypatch, *between) -> None:
    """Let it go through its rounds, with something happening in each pause."""
    steps = iter(between)

    def pause(seconds: float) -> None:
        step = next(steps, None)
        if step is None:
            loop.stopping = True
        else:
            step()

    monkeypatch.setattr(loop, "_pause", pause)
    loop.run(every=1)


def alarms(caplog) -> list[str]:
    messages = [r.getMessage() for r in caplog.records if r.levelno == logging.CRITICAL]
    return [message.split()[0].removeprefix("alarm=") for message in messages]


def test_what_is_written_between_two_rounds_is_sealed_in_the_next(change, monkeypatch):
    loop = Loop()

    run(loop, monkeypatch, lambda: change(2), lambda: None)

    assert Checkpoint.objects.count() == 2
    assert Leaf.objects.count() == max(Checkpoint.objects.values_list("size", flat=True))


def test_only_the_first_round_of_a_minute_searches_the_whole_record(monkeypatch):
    searched = []

    def seal(*, thorough, told):
        searched.append(thorough)
        return services.Sealed()

    monkeypatch.setattr(services, "seal", seal)
    clock = iter([100.0, 100.0, 101.0, 159.0, 160.0, 160.0])
    monkeypatch.setattr(sealing, "monotonic", lambda: next(clock))
    loop = Loop()
    for _ in range(4):
        loop.round()

    assert searched == [True, False, False, True]


def test_a_damaged_log_is_one_alarm_until_it_is_repaired(change, monkeypatch, caplog):
    change()
    services.seal()
    last = Leaf.objects.order_by("number").last()
    kept = {"number": last.number, "table": last.table, "row": last.row, "entry": last.entry}

    run(
        Loop(),
        monkeypatch,
        lambda: (last.delete(), change()),
        lambda: None,
        lambda: None,
        lambda: Leaf.objects.create(**kept),
        lambda: None,
    )

    assert alarms(caplog) == ["log_damaged"]
    assert Leaf.objects.count() == kept["number"] + 2


def test_the_same_damage_after_a_repair_is_an_alarm_again(monkeypatch, caplog):
    outcomes = iter(["bad", "bad", "good", "bad"])

    def seal(**_):
        if next(outcomes) == "bad":
            raise services.DamagedLogError("The log is damaged.")
        return services.Sealed()

    monkeypatch.setattr(services, "seal", seal)
    run(Loop(), monkeypatch, *[lambda: None] * 3)

    assert alarms(caplog) == ["log_damaged"] * 2


def test_a_key_that_cannot_sign_is_an_alarm_and_nothing_is_lost(
    change, settings, monkeypatch, caplog, tmp_path
):
    change()
    good = settings.COUNTERSIGN_LOG_KEY_FILE
    settings.COUNTERSIGN_LOG_KEY_FILE = tmp_path / "none.pem"

    def repair():
        settings.COUNTERSIGN_LOG_KEY_FILE = good

    run(Loop(), monkeypatch, lambda: None, repair, lambda: None)

    assert alarms(caplog) == ["key_file"]
    assert Leaf.objects.count() == Checkpoint.objects.get().size > 0


def test_a_database_that_is_away_is_waited_for(monkeypatch, caplog):
    outcomes = iter([OperationalError("no route"), None])
    closed = []

    def seal(**_):
        outcome = next(outcomes)
        if outcome is not None:
            raise outcome
        return services.Sealed()

    monkeypatch.setattr(services, "seal", seal)
    monkeypatch.setattr(sealing.connections, "close_all", lambda: closed.append(True))
    run(Loop(), monkeypatch, lambda: None)

    assert closed == [True]
    assert "The database does not answer; next look in 1 s: no route" in caplog.text


def test_a_row_that_is_not_authentic_is_told_once(agent, change, monkeypatch, caplog):
    agent.history.update(hmac="")

    run(Loop(), monkeypatch, change, change, lambda: None)

    assert alarms(caplog) == ["record_not_authentic"]


def test_the_page_tells_the_alarms_and_how_often_it_looks():
    page = " ".join((Path(__file__).parents[3] / "docs" / "log.md").read_text().split())

    for code in ("record_not_authentic", DamagedLogError.code, KeyFileError.code):
        assert f"| `{code}` |" in page
    assert (unsealed.SLACK, sealing._THOROUGH_EVERY) == (1000, 60)
    assert "last thousand numbers of each table; once a minute" in page


def test_a_pause_ends_when_it_is_told_to_stop(monkeypatch):
    loop = Loop()
    slept = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        loop.stopping = len(slept) == 3

    monkeypatch.setattr(sealing, "sleep", sleep)
    loop._pause(3600)

    assert len(slept) == 3
    assert max(slept) <= 0.1
