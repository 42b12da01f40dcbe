"""The stage of the crash tests: a local Stripe of their own, whose clock they may move."""

from collections.abc import Iterator
from typing import Any

import pytest

from approvals.models import User
from approvals.services import IssuedKey
from audit import clock
from executors import bell
from executors.stripe.sandbox.process import RunningSandbox, running_sandbox
from tests.crash.children import end_all
from tests.crash.office import Office
from tests.crash.shared_clock import SharedOffset
from tests.crash.stage import Stage


@pytest.fixture(scope="session")
def crash_stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """It lives on, whoever dies. Its clock only moves forward, so other tests have their own."""
    with running_sandbox(tmp_path_factory.mktemp("crash") / "stripe.sqlite3") as sandbox:
        yield sandbox


@pytest.fixture
def stage(
    transactional_db: None,
    crash_stripe: RunningSandbox,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stage]:
    """An empty world: what its processes write is committed, and seen by all of them."""
    settings.STRIPE_API_BASE = crash_stripe.base_url
    settings.STRIPE_API_KEY = settings.STRIPE_READ_KEY = crash_stripe.worker_key
    # The upper floor's checks are its own business, and have their own tests.
    settings.COUNTERSIGN_CHECKS = []
    stage = Stage(sandbox=crash_stripe)
    monkeypatch.setattr(clock, "offset", SharedOffset(clock.offset))
    monkeypatch.setattr(bell, "ring", _into(stage.rung))
    monkeypatch.setattr(bell, "ring_to_reconcile", _into(stage.rung_to_read))
    stage.clear_faults()
    yield stage
    end_all()
    stage.clear_faults()


def _into(heard: list[str]) -> Any:
    def ring(execution_id: str) -> bool:
        heard.append(execution_id)
        return True

    return ring


@pytest.fixture
def office(stage: Stage, settings: Any, agent_key: IssuedKey, reviewer: User) -> Office:
    """The upper floor, with its own checks in force."""
    settings.COUNTERSIGN_CHECKS = ["entitlement"]
    return Office(stage=stage, key=agent_key.key, reviewer_id=reviewer.pk)
