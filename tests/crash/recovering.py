"""Three ways back after a death: the sweeper alone, redelivery alone, both at once."""

from collections.abc import Callable, Iterable, Sequence

import pytest

from executors.models import Execution
from tests.crash.children import Ended
from tests.crash.stage import SETTLED, Stage, fresh

Recovery = Callable[[Stage, Sequence[Execution]], None]

#: More turns than any refund needs that was interrupted once; what takes longer is stuck.
MOST_TURNS = 40


def _until_settled(stage: Stage, executions: Sequence[Execution], turn: Callable[[], None]) -> None:
    """Turn until all is over; once in any case: what was over before must not come back to life."""
    for _ in range(MOST_TURNS):
        stage.pass_time(fresh(executions))
        turn()
        if all(execution.status in SETTLED for execution in fresh(executions)):
            return


def by_sweeper(stage: Stage, executions: Sequence[Execution]) -> None:
    """Recover with every message lost: only what the sweeper finds is carried out."""

    def turn() -> None:
        due, to_read = stage.sweep()
        _all_well(stage.worker(pk).wait() for pk in due)
        _all_well(stage.reader(pk).wait() for pk in to_read)

    _until_settled(stage, executions, turn)


def by_redelivery(stage: Stage, executions: Sequence[Execution]) -> None:
    """Recover without a sweeper: the same messages come again, whether or not they are needed."""

    def turn() -> None:
        _all_well(stage.worker(execution.pk).wait() for execution in executions)
        _all_well(stage.reader(execution.pk).wait() for execution in executions)

    _until_settled(stage, executions, turn)


def by_both(stage: Stage, executions: Sequence[Execution]) -> None:
    """Recover by both at the same moment, in processes side by side."""

    def turn() -> None:
        due, to_read = stage.sweep()
        again = [execution.pk for execution in executions]
        side_by_side = [stage.worker(pk) for pk in (*due, *again)]
        side_by_side += [stage.reader(pk) for pk in (*to_read, *again)]
        _all_well(child.wait() for child in side_by_side)

    _until_settled(stage, executions, turn)


def _all_well(ends: Iterable[Ended]) -> None:
    """What recovers must not fail itself."""
    for ended in ends:
        assert (ended.signal, ended.code) == (0, 0), ended.trouble


RECOVERIES: dict[str, Recovery] = {
    "sweeper": by_sweeper,
    "redelivery": by_redelivery,
    "both": by_both,
}

#: For a crash point with many variants: the hardest way always, the others in the long run.
MOSTLY_BOTH = [
    "both",
    *(pytest.param(name, marks=pytest.mark.long) for name in ("sweeper", "redelivery")),
]
