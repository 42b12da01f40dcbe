"""The scenarios have teeth: each broken executor is caught, for what is wrong with it."""

import pytest

from tests.crash import broken, scenarios
from tests.crash.broken import Break
from tests.crash.scenarios import SCENARIOS, Scenario
from tests.crash.stage import Stage


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_nothing_is_wrong_afterwards(scenario: Scenario, stage: Stage) -> None:
    assert scenario(stage) == []


@pytest.mark.parametrize(
    ("break_it", "scenario", "told"),
    [
        (broken.new_key_per_retry, scenarios.answer_lost, "2 refunds of one decision"),
        (broken.no_fence, scenarios.woken_while_another_has_it, "by a worker that had lost it"),
        (
            broken.no_look_at_the_status,
            scenarios.revoked_while_a_worker_slept,
            "REFUSED, but",
        ),
        (
            broken.result_before_intent,
            scenarios.killed_with_the_answer_and_late,
            "REFUSED, but",
        ),
        (
            broken.acknowledgement_as_truth,
            scenarios.killed_at_every_place,
            "stuck in RUNNING",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_executor_is_caught(
    break_it: Break, scenario: Scenario, told: str, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it(monkeypatch)

    assert told in " ".join(scenario(stage))
