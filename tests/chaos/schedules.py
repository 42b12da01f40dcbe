"""A schedule: everything that will be done in one round, and what it may lead to."""

from dataclasses import dataclass

from executors.stripe.sandbox.faults import FaultKind
from tests.chaos.steps import Break, Decide, Jump, Step, Storm

#: How long a decision may be carried out, in seconds, unless it is one in a hurry.
WITHIN = 4 * 3600


@dataclass(frozen=True, kw_only=True)
class Refund:
    """What one decision is about."""

    payment: int
    amount: int


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A captured payment; ``card`` is the local Stripe's name of it."""

    amount: int
    card: str


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """One round."""

    seed: int
    payments: tuple[Payment, ...]
    refunds: tuple[Refund, ...]
    steps: tuple[Step, ...]

    def lines(self) -> list[str]:
        """Say it to a person."""
        paid = [
            f"payment {number}: {payment.amount} cents by {payment.card}"
            for number, payment in enumerate(self.payments)
        ]
        return paid + [f"{number:2}. {step}" for number, step in enumerate(self.steps, 1)]

    @property
    def time(self) -> int:
        """How many seconds pass in it."""
        return sum(step.seconds for step in self.steps if isinstance(step, Jump))

    @property
    def is_over_asked(self) -> bool:
        """Whether more is asked of some payment than was captured."""
        return any(
            sum(refund.amount for refund in self.refunds if refund.payment == number)
            > payment.amount
            for number, payment in enumerate(self.payments)
        )

    @property
    def may_run_out(self) -> bool:
        """Whether some decision may end unpaid because its time, or the provider's, was over."""
        short = any(isinstance(step, Decide) and step.within < WITHIN for step in self.steps)
        broken = any(isinstance(step, Storm) or _has_500(step) for step in self.steps)
        return short or broken or self.time > WITHIN // 2


def _has_500(step: Step) -> bool:
    """A 500 is stored under the key: the provider repeats it until we give up."""
    kinds = (FaultKind.STORED_500, FaultKind.UNAVAILABLE)
    return isinstance(step, Break) and any(line["fault"] in kinds for line in step.lines)
