"""A schedule: everything that will be done in one round, and what it may lead to."""

from dataclasses import dataclass

from tests.chaos.steps import Decide, Jump, Revoke, Step

#: How long a decision may be carried out, in seconds, unless it is one in a hurry.
WITHIN = 4 * 3600
#: When all goes well, what was interrupted is settled within so many seconds: a lease, the longest
#: pause between two tries, what a provider may ask us to wait, and the turns of the others.
MOST_TO_SETTLE = 1800


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

    def seconds_left(self, refund: int) -> int:
        """How long a decision may still be carried out when the last step has been done."""
        [at] = [
            number
            for number, step in enumerate(self.steps)
            if isinstance(step, Decide) and step.refund == refund
        ]
        decide = self.steps[at]
        assert isinstance(decide, Decide)
        passed = sum(step.seconds for step in self.steps[at:] if isinstance(step, Jump))
        return decide.within - passed

    def may_run_out(self, refund: int) -> bool:
        """Whether a decision may end unpaid because its time is over before it is settled."""
        return self.seconds_left(refund) < MOST_TO_SETTLE

    def is_revoked(self, refund: int) -> bool:
        """Whether a person says no to it."""
        return any(isinstance(step, Revoke) and step.refund == refund for step in self.steps)
