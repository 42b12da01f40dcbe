"""`make chaos` itself: what a seed promises, and what a failure prints."""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.chaos.drawing import MOST_UNDER_WAY, draw
from tests.chaos.steps import Jump, Step, Sweep, Wake, Work
from tests.flows.parts import ROOT


def test_a_seed_gives_the_same_schedule_again_and_another_gives_another() -> None:
    drawn = [draw(seed).lines() for seed in range(50)]

    assert [draw(seed).lines() for seed in range(50)] == drawn
    assert len(set(map(tuple, drawn))) == 50


def test_what_is_under_way_is_waited_for_before_half_an_hour_passes() -> None:
    assert max(longest_under_way(draw(seed).steps) for seed in range(1000)) <= MOST_UNDER_WAY


def longest_under_way(steps: Iterable[Step]) -> int:
    """For how many seconds of the clocks a request, or a frozen process, may be on its way."""
    since: int | None = None
    longest = 0
    for step in steps:
        if isinstance(step, Wake):
            since = None
        elif isinstance(step, Jump) and since is not None:
            since += max(step.seconds, 0)
            longest = max(longest, since)
        elif isinstance(step, Work | Sweep) and since is None:
            since = 0
    return longest


@pytest.mark.process
@pytest.mark.embedded
def test_a_failure_prints_its_seed_its_schedule_and_how_to_play_it_again(tmp_path: Path) -> None:
    command = ["-m", "tests.chaos", "--seed", "6", "--rounds", "1", "--database", "sqlite"]
    first = chaos(*command, "--broken", "key_per_attempt")

    [again] = re.findall(r"^Again: .venv/bin/python (.*)$", first.stdout, re.MULTILINE)
    second = chaos(*again.split())

    assert (first.returncode, second.returncode) == (1, 1)
    for said in (first.stdout, second.stdout):
        assert "== FAILED: seed 6" in said
        assert " 1. decide refund 0" in said
        assert "was made under the key cs_dec_" in said


def chaos(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
