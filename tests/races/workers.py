"""Workers in the state in which another one meets them."""

from dataclasses import dataclass
from math import inf

from audit import actors, clock
from executors import services, verification
from executors.models import Attempt, Execution
from executors.services import running
from executors.services.sending import begin_attempt, obtain_intent, send
from executors.services.settling import settle
from tests.executors.scripted import done
from tests.races.harness import Contestant


def work(execution: Execution) -> Contestant:
    """Carry it out as a worker does."""
    return lambda: services.run(execution_id=execution.pk, worker="host:1")


def read(execution: Execution) -> Contestant:
    """Read the provider about it, as a worker does when that is due."""
    return lambda: services.reconcile(execution_id=execution.pk, worker="host:2")


def lapse(execution: Execution) -> None:
    """Let the lease end now, as it does when its worker is silent for long enough."""
    Execution.objects.filter(pk=execution.pk).update(lease_expires_at=clock.now())


@dataclass(frozen=True, kw_only=True)
class Asleep:
    """A worker that stopped right after its claim; its lease lapsed meanwhile."""

    claimed: Execution

    @classmethod
    def on(cls, execution: Execution) -> "Asleep":
        claimed = services.claim(execution_id=execution.pk, worker="asleep")
        assert claimed is not None
        lapse(execution)
        return cls(claimed=claimed)

    def wake(self) -> None:
        """Go on as if nothing had happened."""
        running._carry_out(self.claimed, actors.worker("asleep"))


def leave(execution: Execution, *, worker: str) -> tuple[Execution, Attempt]:
    """Let a worker's request leave; nobody has read its answer yet."""
    claimed = services.claim(execution_id=execution.pk, worker=worker)
    assert claimed is not None
    verified = verification.verify(claimed, at=clock.now())
    intent = obtain_intent(claimed, verified, actor=actors.worker(worker))
    attempt = begin_attempt(claimed)
    send(verified.executor, intent, not_after=inf)
    return claimed, attempt


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A worker whose request has left, and whose answer has not come yet."""

    claimed: Execution
    attempt: Attempt

    @classmethod
    def on(cls, execution: Execution) -> "Waiting":
        claimed, attempt = leave(execution, worker="waiting")
        lapse(execution)
        return cls(claimed=claimed, attempt=attempt)

    def answer(self, reference: str) -> None:
        """The answer comes after all: the provider made ``reference``."""
        outcome = done(reference=reference)
        settle(self.claimed, self.attempt, outcome, actor=actors.worker("waiting"))
