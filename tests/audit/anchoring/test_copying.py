"""Which checkpoints are copied, in which order, and what happens when the place takes none."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError

from audit import clock
from audit.anchoring import copying, services
from audit.anchoring.copying import Copying
from audit.errors import AnchorError
from audit.models import Anchored, Checkpoint
from tests.audit.log.conftest import change, log_key  # noqa: F401 - the stage of the log
from tests.audit.log.verification.conftest import sealed  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sealed")]


class Place:
    """A place that may be away."""

    name = "test:place"

    def __init__(self, pace: timedelta = timedelta(0)) -> None:
        self.pace = pace
        self.notes: list[str] = []
        self.away = ""

    def check(self) -> None:
        pass

    def copy(self, note: str) -> None:
        if self.away:
            raise AnchorError(self.away)
        self.notes.append(note)


def all_notes() -> list[str]:
    return list(Checkpoint.objects.order_by("size").values_list("note", flat=True))


def alarms(caplog) -> int:
    return len([r for r in caplog.records if "alarm=anchor_failed" in r.getMessage()])


def test_a_new_place_begins_with_the_newest_and_misses_none_after_it(sealed, monkeypatch):  # noqa: F811
    monkeypatch.setattr(services, "_SOME", 2)
    sealed()
    place = Place()
    assert services.copy_new(place) == 1
    for _ in range(5):
        sealed()
    assert services.copy_new(place) == 5
    assert services.copy_new(place) == 0

    assert place.notes == all_notes()[1:]
    kept = Anchored.objects.order_by("size").values_list("anchor", "size")
    sizes = Checkpoint.objects.order_by("size").values_list("size", flat=True)
    assert list(kept) == [("test:place", size) for size in sizes[1:]]


def test_after_a_place_was_away_it_gets_all_that_was_signed_meanwhile(sealed):  # noqa: F811
    place = Place()
    services.copy_new(place)
    place.away = "It is away."
    for _ in range(3):
        sealed()
        with pytest.raises(AnchorError):
            services.copy_new(place)

    place.away = ""
    services.copy_new(place)

    assert place.notes == all_notes()


def test_each_place_has_a_position_of_its_own(sealed):  # noqa: F811
    first, second = Place(), Place()
    second.name = "test:another"
    services.copy_new(first)
    sealed()
    services.copy_new(first)
    services.copy_new(second)

    assert (first.notes, second.notes) == (all_notes(), all_notes()[1:])


def test_between_two_e_mails_is_an_hour_and_the_newest_goes(sealed, monkeypatch):  # noqa: F811
    place = Place(pace=timedelta(hours=1))
    services.copy_new(place)
    for _ in range(2):
        sealed()
        assert services.copy_new(place) == 0

    monkeypatch.setattr(clock, "offset", timedelta(hours=1, seconds=1))
    assert services.copy_new(place) == 1
    monkeypatch.setattr(clock, "offset", timedelta(hours=3))
    assert services.copy_new(place) == 0, "nothing was sealed since"
    assert place.notes == [all_notes()[0], all_notes()[2]]


def test_a_place_that_is_away_is_one_alarm_and_tried_less_and_less_often(caplog):
    place = Place()
    place.away = "It is away."
    loop = Copying(place)
    waits = []
    for _ in range(9):
        loop.round()
        waits.append(loop._wait)

    assert alarms(caplog) == 1
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60, 60]
    place.away = ""
    loop.round()
    assert loop._wait == copying.EVERY
    place.away = "It is away."
    Anchored.objects.all().delete()
    loop.round()
    assert alarms(caplog) == 2, "the same trouble after a good copy is told again"


def test_a_fault_of_ours_or_a_database_that_is_away_does_not_end_it(monkeypatch, caplog):
    loop = Copying(Place())
    outcomes = iter([ZeroDivisionError("ours"), OperationalError("no route")])
    closed = []

    def fail(_):
        raise next(outcomes)

    monkeypatch.setattr(services, "copy_new", fail)
    monkeypatch.setattr(copying.connections, "close_all", lambda: closed.append(True))
    loop.round()
    loop.round()

    assert alarms(caplog) == 1
    assert closed == [True]
    assert "ZeroDivisionError: ours" in caplog.text


def test_a_place_that_hangs_holds_up_neither_sealing_nor_the_end(sealed, monkeypatch):  # noqa: F811
    hangs, released = threading.Event(), threading.Event()

    def hang(_):
        hangs.set()
        released.wait(60)

    monkeypatch.setattr(services, "copy_new", hang)
    monkeypatch.setattr(copying, "_LAST", 0.1)
    loop = Copying(Place())
    loop.start()
    assert hangs.wait(60)

    sealed()
    loop.stop()

    assert loop._thread.is_alive() and loop._thread.daemon
    assert Checkpoint.objects.count() == 2
    released.set()
    loop._thread.join(60)
    assert not loop._thread.is_alive()
