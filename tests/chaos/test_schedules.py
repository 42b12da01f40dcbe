"""Random faults, kills and clock jumps over concurrent refunds: no money twice, none lost."""

import pytest
from django.db import connection

from tests.chaos.drawing import draw
from tests.chaos.scene import Place

#: The schedules of the suite; `make chaos` begins elsewhere, and prints where.
FEW = range(20)
MANY = range(20, 220)
_BATCH = 5


def batches(seeds: range) -> list[range]:
    return [seeds[first : first + _BATCH] for first in range(0, len(seeds), _BATCH)]


def failures(place: Place, seeds: range) -> list[str]:
    """Play all of them, and tell of each that failed how to see it again."""
    told: list[str] = []
    for seed in seeds:
        schedule = draw(seed)
        _, problems = place.play(schedule)
        if problems:
            told += [*schedule.lines(), *problems, again(seed)]
    return told


def again(seed: int) -> str:
    return (
        f".venv/bin/python -m tests.chaos --seed {seed} --rounds 1 --database {connection.vendor}"
    )


@pytest.mark.parametrize("seeds", batches(FEW), ids=str)
def test_no_schedule_pays_twice_or_loses_a_refund(seeds: range, chaos: Place) -> None:
    assert not (told := failures(chaos, seeds)), "\n".join(told)


@pytest.mark.long
@pytest.mark.parametrize("seeds", batches(MANY), ids=str)
def test_none_of_many_schedules_pays_twice_or_loses_a_refund(seeds: range, chaos: Place) -> None:
    assert not (told := failures(chaos, seeds)), "\n".join(told)
