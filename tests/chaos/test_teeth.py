"""An executor that is broken on purpose is caught by the same schedules within a few seeds."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.chaos import naive
from tests.chaos.scene import Place
from tests.chaos.schedules import draw

#: Schedules in which each of them has its chance several times; one that stays lucky in all of
#: these would be no news about the checker.
PATIENCE = range(40)

#: How each is broken, and what the checker must say of it.
TWINS: dict[str, tuple[Callable[[], AbstractContextManager[None]], tuple[str, ...]]] = {
    "a new key for each try": (naive.key_per_attempt, ("2 refunds of one decision",)),
    "silence is a refusal": (naive.silence_is_refusal, ("FAILED, but re_",)),
    "no fence": (naive.no_fence, ("InvalidTransitionError", "the fences of the attempts are")),
    "nobody looks again": (naive.bell_is_truth, ("stuck in RUNNING",)),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_broken_executor_is_caught_within_a_few_seeds(name: str, chaos: Place) -> None:
    broken, words = TWINS[name]
    said: list[str] = []

    with broken():
        for seed in PATIENCE:
            said += chaos.play(draw(seed))[1]
            if any(word in sentence for sentence in said for word in words):
                return

    raise AssertionError(f"Nobody noticed; the checker said only: {said}")
