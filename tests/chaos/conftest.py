"""The place of the schedules: a local Stripe of their own, whose clock they may move."""

from collections.abc import Iterator

import pytest

from approvals.models import User
from executors.stripe.sandbox.process import RunningSandbox, running_sandbox
from tests.chaos.scene import Place, place


@pytest.fixture(scope="session")
def chaos_stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """It lives on, whoever dies. Its clock only moves forward, so other tests have their own."""
    with running_sandbox(tmp_path_factory.mktemp("chaos") / "stripe.sqlite3") as sandbox:
        yield sandbox


@pytest.fixture
def chaos(transactional_db: None, chaos_stripe: RunningSandbox, reviewer: User) -> Iterator[Place]:
    """An empty world: what its processes write is committed, and seen by all of them."""
    with place(chaos_stripe, reviewer) as ready:
        yield ready
