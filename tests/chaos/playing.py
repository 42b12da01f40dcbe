"""Plays a schedule on a stage, then lets everything go well until all of it is settled."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from audit import actors, clock
from executors import services
from executors.enums import ExecutionStatus as S
from executors.enums import HoldScope
from executors.errors import InvalidTransitionError
from executors.models import Execution
from executors.stripe import gateway
from tests.chaos import processes
from tests.chaos.drawing import PATIENCE
from tests.chaos.processes import Running
from tests.chaos.schedules import Schedule
from tests.chaos.steps import (
    Brake,
    Break,
    Decide,
    Jump,
    Release,
    Revoke,
    Settle,
    Step,
    Storm,
    Sweep,
    Wake,
    Work,
)
from tests.crash.stage import SETTLED, Stage, fresh
from tests.flows.polling import wait_until

#: More turns than anything needs that is not stuck: an hour or two of tries and readings.
MOST_TURNS = 80
_HOUR = 3600
_CAME_BACK = ("failed", "canceled")
_OPERATOR = actors.system("chaos")


@dataclass(kw_only=True)
class Round:
    """A schedule that is being played. ``person`` may steer.

    ``serial``: each process is started when the one before it has ended or is frozen.
    """

    schedule: Schedule
    stage: Stage
    person: Any
    is_quiet: Callable[[], bool]
    serial: bool = False
    payments: list[str] = field(default_factory=list)
    executions: dict[int, Execution] = field(default_factory=dict)
    frozen: list[Running] = field(default_factory=list)
    ended: list[Running] = field(default_factory=list)

    def play(self) -> None:
        """Do every step."""
        gateway.MONEY_TIMEOUT = (5.0, PATIENCE)
        for payment in self.schedule.payments:
            self.payments.append(self.stage.pay_by(payment.card, payment.amount))
        for step in self.schedule.steps:
            _HOW[type(step)](self, step)

    def recover(self) -> None:
        """End the faults and the holds, and let time pass until everything is settled.

        What is not settled after many turns stays as it is: the checker calls it stuck.
        """
        gateway.MONEY_TIMEOUT = (5.0, 30.0)
        self._wake(Wake())
        self.stage.clear_faults()
        self._release(Release(refund=None))
        for execution in self.present():
            # Also what is RUNNING under a hold: it would wait for a person until its time is over.
            self._let_go(execution)
        for _ in range(MOST_TURNS):
            present = self.present()
            for execution in present:
                if execution.status == S.HELD:
                    self._let_go(execution)
            if all(execution.status in SETTLED for execution in present):
                break
            self.stage.pass_time(present)
            self._sweep(Sweep())
        self._follow()

    def present(self) -> list[Execution]:
        """The executions of this round as they are now."""
        return fresh(self.executions.values())

    def close(self) -> None:
        """End what still stands after a failure."""
        for one in self.frozen:
            one.child.kill()
            one.wait()

    def _follow(self) -> None:
        """Let what came back be noticed: a success is read again after an hour, a day, ..."""
        for _ in range(5):
            came_back = {
                refund["id"] for refund in self.refunds() if refund["status"] in _CAME_BACK
            }
            told = (e for e in self.present() if e.status == S.SUCCEEDED)
            if not any(e.provider_reference in came_back for e in told):
                return
            self.stage.advance(25 * _HOUR)
            self._sweep(Sweep())

    def refunds(self) -> list[dict[str, Any]]:
        """What the local Stripe has of this round's payments."""
        return [r for payment in self.stage.ledger()["payments"] for r in payment["refunds"]]

    def _decide(self, step: Decide) -> None:
        payment = self.payments[step.payment]
        expires = {"exp": int(clock.now().timestamp()) + step.within}
        self.executions[step.refund] = self.stage.decide(payment, step.amount, **expires)

    def _work(self, step: Work) -> None:
        together = [[job] for job in step.jobs] if self.serial else [list(step.jobs)]
        for jobs in together:
            running = [processes.start(job, self.executions[job.refund].pk) for job in jobs]
            self.ended += running
            self.frozen += processes.look_after(running)

    def _break(self, step: Break) -> None:
        self.stage.script(*step.lines)

    def _storm(self, step: Storm) -> None:
        self.stage.storm(seed=step.seed, rate=step.rate, kinds=step.kinds)

    def _jump(self, step: Jump) -> None:
        if step.seconds < 0:
            self.stage.put_back(-step.seconds)
        else:
            self.stage.advance(step.seconds)

    def _wake(self, _: Wake) -> None:
        processes.wake(self.frozen)
        self.frozen.clear()
        wait_until(self.is_quiet, "the requests under way")

    def _sweep(self, _: Sweep) -> None:
        ours = {execution.pk for execution in self.executions.values()}
        due, to_read = self.stage.sweep()
        for pk in _among(due, ours):
            services.run(execution_id=pk, worker="chaos:sweep")
        for pk in _among(to_read, ours):
            services.reconcile(execution_id=pk, worker="chaos:sweep")

    def _brake(self, step: Brake) -> None:
        if step.refund is None:
            services.set_hold(
                scope=HoldScope.EVERYTHING,
                value="",
                reason="A storm.",
                actor=_OPERATOR,
                at=clock.now(),
            )
            return
        with suppress(InvalidTransitionError):
            pk = self.executions[step.refund].pk
            services.hold(execution_id=pk, user=self.person, reason="Wait.")

    def _release(self, step: Release) -> None:
        if step.refund is None:
            services.lift_holds(
                scope=HoldScope.EVERYTHING,
                value="",
                reason="It is over.",
                actor=_OPERATOR,
                at=clock.now(),
            )
            return
        self._let_go(self.executions[step.refund])

    def _let_go(self, execution: Execution) -> None:
        with suppress(InvalidTransitionError):
            services.release(execution_id=execution.pk, user=self.person, reason="Go on.")

    def _revoke(self, step: Revoke) -> None:
        with suppress(InvalidTransitionError):
            pk = self.executions[step.refund].pk
            services.revoke(execution_id=pk, user=self.person, reason="A mistake.")

    def _settle(self, step: Settle) -> None:
        jti = self.executions[step.refund].jti
        for refund in self.refunds():
            ours = refund["metadata"].get("countersign_decision") == jti
            if ours and refund["status"] != "failed":
                self.stage.settle(refund["id"], step.outcome)


_HOW: dict[type[Step], Callable[[Round, Any], None]] = {
    Decide: Round._decide,
    Work: Round._work,
    Break: Round._break,
    Storm: Round._storm,
    Jump: Round._jump,
    Wake: Round._wake,
    Sweep: Round._sweep,
    Brake: Round._brake,
    Release: Round._release,
    Revoke: Round._revoke,
    Settle: Round._settle,
}


def _among(rung: Iterable[str], ours: set[str]) -> list[str]:
    return [pk for pk in dict.fromkeys(rung) if pk in ours]
