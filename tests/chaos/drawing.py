"""Draws a schedule from its seed, and from nothing else.

What a request or a frozen process may do late is over within half an hour of the schedule's clocks:
the provider's own limits are minutes, and after an hour of silence absence there counts as proven.
So before more time than that passes, whatever stands still is woken and waited for.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from executors.stripe.sandbox.faults import FaultKind
from tests.chaos.schedules import WITHIN, Payment, Refund, Schedule
from tests.chaos.steps import (
    Brake,
    Break,
    Decide,
    Fate,
    Job,
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

#: Where a worker can die, and where it can stand still without keeping a row from the others.
PLACES = (
    "claim:written",
    "execution:claimed",
    "execution:verified",
    "intent:written",
    "intent:committed",
    "attempt:written",
    "attempt:committed",
    "answer:read",
    "result:written",
    "result:committed",
)
_OUTSIDE = tuple(place for place in PLACES if not place.endswith(":written"))
_READING = ("page:read", "reading:taken")

#: Seconds; what is slower than the client's patience runs after the client has left.
PATIENCE = 0.25
_LATE = 0.35
_LEASE = 50
_DAY = 24 * 3600
#: How long what is under way may stay so, in seconds of the schedule's clocks.
MOST_UNDER_WAY = 1800
_FATES = {
    Fate.NONE: 40,
    Fate.KILL: 25,
    Fate.KILL_SOON: 12,
    Fate.FREEZE: 8,
    Fate.STALL: 6,
    Fate.LOSE_COMMIT: 9,
}
_FAULTS = {
    FaultKind.REFUSE: 6,
    FaultKind.DROP_BEFORE: 8,
    FaultKind.DROP_AFTER: 18,
    FaultKind.HANG: 2,
    FaultKind.HANG_AFTER: 4,
    FaultKind.TRUNCATE: 8,
    FaultKind.NOT_JSON: 8,
    FaultKind.IN_USE: 6,
    FaultKind.RATE_LIMIT: 6,
    FaultKind.STORED_500: 6,
    FaultKind.UNAVAILABLE: 6,
    FaultKind.UNAUTHORIZED: 4,
    FaultKind.FORBIDDEN: 2,
    FaultKind.SLOW: 8,
}
#: These need a length of time, which a storm cannot give them.
_TIMED = (FaultKind.HANG, FaultKind.HANG_AFTER, FaultKind.SLOW)
_STORMY = tuple(str(kind) for kind in FaultKind if kind not in _TIMED)


def draw(seed: int) -> Schedule:
    """Return the schedule of a seed: the same for ever."""
    return _Drawing(random.Random(f"countersign chaos {seed}")).schedule(seed)


@dataclass
class _Drawing:
    """The dice, and what must be remembered between two throws."""

    dice: random.Random
    steps: list[Step] = field(default_factory=list)
    decided: list[int] = field(default_factory=list)
    #: Seconds since nothing stood still and nothing was under way, for certain.
    since: int = 0

    def schedule(self, seed: int) -> Schedule:
        dice = self.dice
        payments = tuple(self._payment() for _ in range(dice.choice((1, 1, 2, 2, 3))))
        refunds = tuple(self._refund(payments) for _ in range(dice.randint(3, 6)))
        within = WITHIN if dice.random() < 0.85 else dice.choice((60, 300, 900))
        late = [
            Decide(refund=number, payment=refund.payment, amount=refund.amount, within=within)
            for number, refund in enumerate(refunds)
        ]
        for _ in range(dice.randint(2, len(late))):
            self._decide(late.pop(0))
        for _ in range(dice.randint(5, 10)):
            if late and dice.random() < 0.4:
                self._decide(late.pop(0))
            dice.choices(list(_MOVES), weights=list(_MOVES.values()))[0](self)
        for step in late:
            self._decide(step)
        self._put(Wake())
        return Schedule(seed=seed, payments=payments, refunds=refunds, steps=tuple(self.steps))

    def _payment(self) -> Payment:
        cards = ("pm_card_visa", "pm_card_visa", "pm_card_visa", "pm_card_pendingRefund")
        return Payment(amount=self.dice.choice((5000, 10000, 12000)), card=self.dice.choice(cards))

    def _refund(self, payments: tuple[Payment, ...]) -> Refund:
        """Often equal amounts of one payment; often more than the others leave."""
        number = self.dice.randrange(len(payments))
        share = self.dice.choice((0.1, 0.2, 0.2, 0.25, 0.25, 0.5, 0.5, 1.0))
        return Refund(payment=number, amount=int(payments[number].amount * share))

    def _put(self, step: Step) -> None:
        self.steps.append(step)

    def _decide(self, step: Decide) -> None:
        self._put(step)
        self.decided.append(step.refund)

    def work(self) -> None:
        """One to three processes, more often than not about the same refund."""
        newest = self.dice.random() < 0.5
        same = self.dice.choice(self.decided[-2:] if newest else self.decided)
        number = self.dice.choices((1, 2, 3), weights=(5, 4, 2))[0]
        jobs = tuple(
            self._job(same if self.dice.random() < 0.6 else self.dice.choice(self.decided))
            for _ in range(number)
        )
        self._put(Work(jobs=jobs))

    def _job(self, refund: int) -> Job:
        reads = self.dice.random() < 0.12
        fate = self.dice.choices(list(_FATES), weights=list(_FATES.values()))[0]
        if fate is Fate.NONE:
            return Job(refund=refund, reads=reads)
        places = _READING if reads else _OUTSIDE if fate is Fate.FREEZE else PLACES
        delay = self.dice.random() * 0.02 if fate is Fate.KILL_SOON else 0.0
        place = self.dice.choice(places)
        return Job(refund=refund, reads=reads, fate=fate, place=place, delay=delay)

    def break_requests(self) -> None:
        """One to three faults, mostly on the request that moves money."""
        lines = tuple(self._line() for _ in range(self.dice.choice((1, 1, 2, 3))))
        self._put(Break(lines=lines))

    def _line(self) -> dict[str, object]:
        dice = self.dice
        kind = dice.choices(list(_FAULTS), weights=list(_FAULTS.values()))[0]
        posts = dice.random() < 0.75
        match = {"method": "POST", "path": "/v1/refunds"} if posts else {"method": "GET"}
        times = dice.choice((1, 1, 2, 6)) if kind not in _TIMED else 1
        line: dict[str, object] = {"match": match, "fault": str(kind), "times": times}
        if kind in _TIMED:
            # A reader is more patient than a payer, so that a reader's wait is cut short here.
            lengths = (0.02, _LATE, _LATE) if posts else (0.02,)
            line["seconds"] = dice.choice(lengths)
        return line

    def storm(self) -> None:
        """A share of everything fails, until it is over."""
        rate = self.dice.choice((0.0, 0.1, 0.3, 0.6))
        self._put(Storm(seed=self.dice.randrange(1_000_000), rate=rate, kinds=_STORMY))

    def jump(self) -> None:
        """Seconds to minutes mostly; sometimes past the lease, past exp, past the key's memory.

        Now and then the database's clock is put back a little.
        """
        dice = self.dice
        kind = dice.random()
        if kind < 0.06:
            seconds = -dice.randint(1, 30)
        elif kind < 0.5:
            seconds = dice.randint(1, 15)
        elif kind < 0.85:
            seconds = _LEASE + dice.randint(1, 10)
        elif kind < 0.95:
            seconds = dice.randint(100, 900)
        else:
            seconds = dice.choice((WITHIN + 5, WITHIN + 3700, _DAY + 60, 2 * _DAY))
        self._pass(seconds)

    def _pass(self, seconds: int) -> None:
        if self.since + seconds > MOST_UNDER_WAY:
            self.wake()
        else:
            self.since += max(seconds, 0)
        self._put(Jump(seconds=seconds))

    def wake(self) -> None:
        """Nothing stands still any more."""
        self.since = 0
        self._put(Wake())

    def take_over(self) -> None:
        """A worker stands still until its lease is over; another goes on; then both are there."""
        refund = self.dice.choice(self.decided[-2:])
        place = self.dice.choice(_OUTSIDE[:-1])
        self._put(Work(jobs=(Job(refund=refund, fate=Fate.FREEZE, place=place),)))
        self._pass(_LEASE + self.dice.randint(1, 10))
        self._put(Work(jobs=(self._job(refund),)))
        if self.dice.random() < 0.7:
            self.wake()

    def sweep(self) -> None:
        """The sweeper rings."""
        self._put(Sweep())

    def steer(self) -> None:
        """A person does something about it."""
        refund = self.dice.choice(self.decided)
        everything = None if self.dice.random() < 0.4 else refund
        steps: list[Step] = [
            Brake(refund=everything),
            Release(refund=everything),
            Revoke(refund=refund),
        ]
        self._put(self.dice.choices(steps, weights=(4, 4, 2))[0])

    def settle(self) -> None:
        """A refund comes to its end at the provider."""
        outcome = self.dice.choice(("failed", "failed", "succeeded"))
        self._put(Settle(refund=self.dice.choice(self.decided), outcome=outcome))


_MOVES: dict[Callable[[_Drawing], None], int] = {
    _Drawing.work: 36,
    _Drawing.break_requests: 18,
    _Drawing.jump: 16,
    _Drawing.take_over: 8,
    _Drawing.sweep: 8,
    _Drawing.steer: 6,
    _Drawing.settle: 5,
    _Drawing.wake: 3,
    _Drawing.storm: 3,
}
