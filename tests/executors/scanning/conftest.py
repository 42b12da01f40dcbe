"""The stage of scanning: an account that is watched from a moment on, and what goes on there."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from audit import clock
from executors import services
from executors.enums import ExecutionStatus as S
from executors.models import Execution, Finding
from executors.stripe.sandbox.process import RunningSandbox, running_sandbox
from tests.executors.conftest import WORKER
from tests.executors.stripe.switches import press


@pytest.fixture(scope="module")
def local_stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A local Stripe of these tests alone, for they list everything and move its clock."""
    with running_sandbox(tmp_path_factory.mktemp("scanned") / "stripe.sqlite3") as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def watched(provider: RunningSandbox, later: Callable[..., None]) -> None:
    """A day of its own, from whose first moment on the account is watched."""
    there = press(provider, "clock", {"advance": 24 * 3600})["now"]
    later(days=round((there - clock.now().timestamp()) / (24 * 3600)))
    assert services.scan() == []


@pytest.fixture
def execution(pending_request: Any, approve: Callable[..., Any]) -> Execution:
    approve(pending_request)
    return Execution.objects.get()


@pytest.fixture
def succeeded(execution: Execution) -> Execution:
    services.run(execution_id=execution.pk, worker=WORKER)
    execution.refresh_from_db()
    assert execution.status == S.SUCCEEDED
    return execution


@pytest.fixture
def refund(stripe_client: Any) -> Callable[..., Any]:
    """Refund past the gate, as somebody with a key could."""

    def make(payment: Any, amount: int = 100, **metadata: str) -> Any:
        return stripe_client.v1.refunds.create(
            {"payment_intent": payment.id, "amount": amount, "metadata": metadata}
        )

    return make


def marks(stripe_client: Any, execution: Execution) -> dict[str, str]:
    """The metadata of the refund that an execution has made."""
    refund = stripe_client.v1.refunds.retrieve(execution.provider_reference)
    found: dict[str, str] = refund.metadata.to_dict()
    return found


def about(reference: str) -> list[tuple[str, Any]]:
    """What was found about one refund: kind and execution."""
    rows = Finding.objects.filter(provider_reference=reference)
    return [(row.kind, row.execution) for row in rows]


def lose_track(execution: Execution) -> None:
    """Put the row where a lost answer leaves it."""
    Execution.objects.filter(pk=execution.pk).update(
        status="UNKNOWN", ambiguous=True, finished_at=None, provider_reference="", receipt=None
    )
