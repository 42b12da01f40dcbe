"""``python -m tests.chaos.lane``: one lane of rounds; prints a line of JSON for each.

Started by ``tests.chaos``, with a directory and a database of its own in the environment.
"""

import argparse
import gc
import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import count

import django

#: Rounds in one copy of the database, and with one local Stripe.
ROUNDS_PER_WORLD = 50


def main() -> None:
    """Prepare the database, or play the rounds that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.lane", description=__doc__)
    parser.add_argument("--prepare", action="store_true", help="make the database to be copied")
    parser.add_argument("--name", default="lane", help="how copies of the database are called")
    parser.add_argument("--seeds", type=int, nargs=3, default=(0, 0, 1), help="first, end, step")
    parser.add_argument("--serial", action="store_true", help="one process after another")
    parser.add_argument("--broken", default="", help="an executor of tests/chaos/naive.py")
    arguments = parser.parse_args()
    django.setup()
    # Alarms are what is expected here; what is wrong is found by the checker.
    logging.disable(logging.CRITICAL)
    if arguments.prepare:
        from tests.chaos.worlds import prepare

        prepare()
        return
    with _broken(arguments.broken):
        for line in _played(range(*arguments.seeds), arguments.name, serial=arguments.serial):
            print(json.dumps(line), flush=True)


def _broken(name: str) -> AbstractContextManager[None]:
    from tests.chaos import naive

    return naive.EXECUTORS[name]() if name else nullcontext()


def _played(seeds: Sequence[int], name: str, *, serial: bool) -> Iterator[dict[str, object]]:
    from django.conf import settings

    from tests.chaos import tally
    from tests.chaos.drawing import draw
    from tests.chaos.worlds import make_keys, world

    make_keys()
    template = str(settings.DATABASES["default"]["NAME"])
    # What was there before a fork is not looked at, so not copied, in each child.
    gc.freeze()
    for number, first in zip(count(), range(0, len(seeds), ROUNDS_PER_WORLD), strict=False):
        with world(f"{name}_{number}", template) as place:
            for seed in seeds[first : first + ROUNDS_PER_WORLD]:
                schedule = draw(seed)
                played, problems = place.play(schedule, serial=serial)
                yield {
                    "seed": seed,
                    "problems": problems,
                    "schedule": schedule.lines() if problems else [],
                    "total": tally.count(played, problems),
                }


if __name__ == "__main__":
    main()
