"""What may happen to a refund on its way, and what is wrong afterwards: [] when nothing is.

The same list is held against our executor, which passes, and against broken ones.
"""

from collections.abc import Callable

from django.conf import settings

from approvals.models.people import REVIEWERS
from audit import clock
from audit.actors import Actor
from executors import services
from executors.enums import HoldScope
from executors.models import Execution
from tests.conftest import make_person
from tests.crash.children import freeze
from tests.crash.ledgers import problems
from tests.crash.recovering import by_both, by_redelivery, by_sweeper
from tests.crash.stage import Stage, everything, fresh

Scenario = Callable[[Stage], list[str]]

OPERATOR = Actor(kind="person", name="operator")

#: Longer than a decision may be carried out, in seconds.
PAST_EXP = 5 * 3600


def killed_at_every_place(stage: Stage) -> list[str]:
    """The worker dies at each boundary, one refund after the other."""
    places = stage.worker(stage.decide(stage.pay()).pk).wait().places
    executions = [stage.decide(stage.pay()) for _ in places]
    for place, execution in zip(places, executions, strict=True):
        stage.worker(execution.pk, at=place).wait()
    by_sweeper(stage, executions)
    return _judge(stage)


def answer_lost(stage: Stage) -> list[str]:
    """The provider acts, and its answer is lost; a second refund of that amount is possible."""
    execution = stage.decide(stage.pay(), amount=4000)
    stage.script({"match": {"method": "POST", "path": "/v1/refunds"}, "fault": "drop_after"})
    stage.worker(execution.pk).wait()
    by_redelivery(stage, [execution])
    return _judge(stage)


def killed_with_the_answer_and_late(stage: Stage) -> list[str]:
    """The worker dies with the answer in its hands, and nobody looks until its time is over."""
    execution = stage.decide(stage.pay())
    stage.worker(execution.pk, at="answer:read").wait()
    stage.advance(PAST_EXP)
    by_both(stage, [execution])
    return _judge(stage)


def revoked_while_a_worker_slept(stage: Stage) -> list[str]:
    """The worker stands still before it sends; another finds a brake, and a person says no."""
    execution = stage.decide(stage.pay())
    sleeper = stage.worker(execution.pk, at="intent:committed", fate=freeze)
    sleeper.wait_frozen()
    stage.advance(60)
    everything = {"scope": HoldScope.EVERYTHING, "value": "", "reason": "Wait.", "actor": OPERATOR}
    services.set_hold(**everything, at=clock.now())
    stage.worker(execution.pk).wait()
    person = make_person("operator", REVIEWERS)
    services.revoke(execution_id=execution.pk, user=person, reason="A mistake.")
    services.lift_holds(**everything, at=clock.now())
    sleeper.wake()
    sleeper.wait()
    return _judge(stage)


def woken_while_another_has_it(stage: Stage) -> list[str]:
    """The worker stands still before it sends; another has taken over when it wakes."""
    execution = stage.decide(stage.pay())
    sleeper = stage.worker(execution.pk, at="intent:committed", fate=freeze)
    sleeper.wait_frozen()
    stage.advance(settings.COUNTERSIGN_LEASE)
    present = stage.worker(execution.pk, at="attempt:committed", fate=freeze)
    present.wait_frozen()
    begun = everything([execution])
    sleeper.wake()
    sleeper.wait()
    meddled = everything([execution]) != begun
    present.wake()
    present.wait()
    by_both(stage, [execution])
    told = [f"{execution.pk}: written to by a worker that had lost it"] if meddled else []
    return told + _judge(stage)


def frozen_past_its_time(stage: Stage) -> list[str]:
    """The worker stands still before it sends, and wakes when the decision is no longer good."""
    execution = stage.decide(stage.pay())
    sleeper = stage.worker(execution.pk, at="intent:committed", fate=freeze)
    sleeper.wait_frozen()
    stage.advance(PAST_EXP)
    by_sweeper(stage, [execution])
    sleeper.wake()
    sleeper.wait()
    return _judge(stage)


def delivered_eight_times(stage: Stage) -> list[str]:
    """The same message reaches eight workers at once."""
    execution = stage.decide(stage.pay())
    for child in [stage.worker(execution.pk) for _ in range(8)]:
        child.wait()
    by_both(stage, [execution])
    return _judge(stage)


def _judge(stage: Stage) -> list[str]:
    return problems(stage.ledger(), fresh(Execution.objects.all()))


SCENARIOS: tuple[Scenario, ...] = (
    killed_at_every_place,
    answer_lost,
    killed_with_the_answer_and_late,
    revoked_while_a_worker_slept,
    woken_while_another_has_it,
    frozen_past_its_time,
    delivered_eight_times,
)
