"""PostgreSQL stops at once, at each point of an execution (E17): one refund, nothing stuck."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from executors.enums import ExecutionStatus as S
from tests.crash.immediate_stop import CALLS
from tests.crash.recovering import RECOVERIES
from tests.crash.test_executing import BOUNDARIES

ROOT = Path(__file__).resolve().parents[2]

#: It starts a PostgreSQL of its own, so that once is enough.
pytestmark = [pytest.mark.process, pytest.mark.embedded]


def test_a_database_that_stops_under_its_workers_costs_no_refund() -> None:
    ours = ("COUNTERSIGN_", "STRIPE_", "TEST_", "DJANGO_")
    environment = {n: value for n, value in os.environ.items() if not n.startswith(ours)}

    played = subprocess.run(
        [sys.executable, "-m", "tests.crash.immediate_stop"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )

    assert played.returncode == 0, played.stderr[-3000:]
    right = {"lost its session": True, "status": S.SUCCEEDED.value, "problems": []}
    assert json.loads(played.stdout) == {
        recovery: dict.fromkeys([*BOUNDARIES, *CALLS], right) for recovery in RECOVERIES
    }
