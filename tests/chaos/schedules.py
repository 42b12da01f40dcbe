"""A schedule: everything that will be done in one round, and what it may lead to."""

from dataclasses import dataclass

from executors.stripe.sandbox.faults import FaultKind
from tests.chaos.steps import Break, Decide, Jump, Revoke, Settle, Step, Storm

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

    def is_over_asked(self, payment: int) -> bool:
        """Whether more is asked of a payment than was captured."""
        asked = sum(refund.amount for refund in self.refunds if refund.payment == payment)
        return asked > self.payments[payment].amount

    def may_run_out(self, refund: int) -> bool:
        """Whether a decision may end unpaid because its time, or the provider's, was over."""
        [within] = [
            step.within for step in self.steps if isinstance(step, Decide) and step.refund == refund
        ]
        broken = any(_is_storm(step) or _has_500(step) for step in self.steps)
        return within < WITHIN or broken or self.time > WITHIN // 2

    def excuses(self, refund: int) -> bool:
        """Whether there is any reason at all in it why a decision may end unpaid."""
        payment = self.refunds[refund].payment
        revoked = any(isinstance(step, Revoke) and step.refund == refund for step in self.steps)
        declined = self.payments[payment].card != "pm_card_visa" or any(
            isinstance(step, Settle) and step.refund == refund for step in self.steps
        )
        return revoked or declined or self.is_over_asked(payment) or self.may_run_out(refund)


def _is_storm(step: Step) -> bool:
    return isinstance(step, Storm) and step.rate > 0


def _has_500(step: Step) -> bool:
    """A 500 is stored under the key: the provider repeats it until we give up."""
    kinds = (FaultKind.STORED_500, FaultKind.UNAVAILABLE)
    return isinstance(step, Break) and any(line["fault"] in kinds for line in step.lines)
