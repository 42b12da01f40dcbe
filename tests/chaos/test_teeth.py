"""An executor that is broken on purpose is caught by the same schedules within a few seeds."""

import pytest

from tests.chaos import naive
from tests.chaos.drawing import draw
from tests.chaos.scene import Place

#: What the checker must say of each, and a seed that is near one in which it has its chance. How
#: its processes interleave is luck, so that each may go on for some seeds.
EXPECTED = {
    "key_per_attempt": (6, "2 refunds of one decision"),
    "silence_is_refusal": (6, "FAILED, but re_"),
    "no_fence": (21, "InvalidTransitionError|the fences of the attempts are"),
    "bell_is_truth": (4, "stuck in RUNNING"),
    "one_try": (10, ": lost: "),
}
_SEEDS = 40


@pytest.mark.parametrize("name", naive.EXECUTORS)
def test_a_broken_executor_is_caught_within_a_few_seeds(name: str, chaos: Place) -> None:
    first, words = EXPECTED[name]
    said: list[str] = []

    with naive.EXECUTORS[name]():
        for seed in range(first, first + _SEEDS):
            said += chaos.play(draw(seed))[1]
            if any(word in sentence for sentence in said for word in words.split("|")):
                return

    raise AssertionError(f"Nobody noticed; the checker said only: {said}")
