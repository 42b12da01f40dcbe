"""What all races have in common: a crowd of threads, and a bell that nobody hears."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from approvals.models import ApprovalRequest
from approvals.services import IssuedKey
from executors import bell
from tests.executors.conftest import (  # noqa: F401 - the stage of that floor
    enqueue,
    execution,
    executor,
    make_claims,
    sign,
)
from tests.races import harness
from tests.races.ring import Ring

HERE = Path(__file__).parent
#: Seconds that one round may take at the very most, on a busy machine.
_SLOW_ROUND = 5


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the races of the thorough profile the time that so many rounds need."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(max(300, harness.ROUNDS * _SLOW_ROUND)))


@pytest.fixture(autouse=True)
def crowd() -> Iterator[None]:
    """The threads of one test."""
    with harness.gathered():
        yield


@pytest.fixture(autouse=True)
def silent_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers of a race come by themselves; what a bell does, its tests show."""
    monkeypatch.setattr(bell, "ring", lambda execution_id: True)
    monkeypatch.setattr(bell, "ring_to_reconcile", lambda execution_id: True)


@pytest.fixture(autouse=True)
def many_may_wait(settings: Any) -> None:
    """How many requests of one agent may be pending is not what is raced for."""
    settings.COUNTERSIGN_PENDING_PER_AGENT = harness.ROUNDS * harness.THREADS


@pytest.fixture
def no_checks(settings: Any) -> None:
    """Decisions that were only signed have no agent and no reviewer for the checks to find."""
    settings.COUNTERSIGN_CHECKS = []


@pytest.fixture
def new_ring(
    submit: Callable[..., ApprovalRequest],
    refund_payload: dict[str, Any],
    make_payment: Callable[..., Any],
    reviewer: Any,
    second_reviewer: Any,
    agent_key: IssuedKey,
) -> Callable[..., Ring]:
    """A new pending refund each time, of a payment of its own: none is in another's way."""

    def _new() -> Ring:
        payload = refund_payload | {"payment_intent": make_payment().id}
        return Ring(submit(payload), [reviewer, second_reviewer], agent_key)

    return _new
