"""A worker that is frozen with a row locked keeps nobody from stopping all the others."""

import pytest
from django.db import connection
from django.test import Client

from approvals.services import IssuedKey
from audit import actors, clock
from executors import services
from executors.enums import ExecutionStatus as S
from executors.enums import HoldScope
from executors.models import Hold
from tests.crash.children import freeze
from tests.crash.office import Office
from tests.crash.stage import Stage, fresh

OPERATOR = actors.Actor(kind="person", name="operator")

#: Between the lock and the COMMIT. On SQLite that would be the lock of the whole database, which
#: no process is given while another has it: there the worker is frozen just after the COMMIT.
CLAIMING, TRYING = (
    ("claim:written", "attempt:written")
    if connection.vendor == "postgresql"
    else ("execution:claimed", "attempt:committed")
)


#: What the settings say in their own unit, here in milliseconds: nobody waits here for real.
SOON = {
    "postgresql": "SET lock_timeout = 200",
    "sqlite": "PRAGMA busy_timeout = 200",
}[connection.vendor]


def stop_everything() -> Hold:
    return services.set_hold(
        scope=HoldScope.EVERYTHING, value="", actor=OPERATOR, reason="Stop.", at=clock.now()
    )


@pytest.mark.parametrize("point", [CLAIMING, TRYING])
def test_everything_else_is_stopped_at_once(point: str, stage: Stage) -> None:
    frozen, queued = stage.decide(stage.pay()), stage.decide(stage.pay())
    sleeper = stage.worker(frozen.pk, at=point, fate=freeze)
    sleeper.wait_frozen()

    hold = stop_everything()

    late = stage.decide(stage.pay())
    services.run(execution_id=late.pk, worker="another")
    assert [(e.status, e.held_by_id) for e in fresh([queued, late])] == [(S.HELD, hold.pk)] * 2
    assert stage.refunds() == []


def test_what_was_frozen_in_its_claim_meets_the_hold_when_it_wakes(stage: Stage) -> None:
    execution = stage.decide(stage.pay())
    sleeper = stage.worker(execution.pk, at=CLAIMING, fate=freeze)
    sleeper.wait_frozen()
    hold = stop_everything()

    sleeper.wake()
    ended = sleeper.wait()

    assert ended.code == 0, ended.trouble
    [after] = fresh([execution])
    assert (after.status, after.held_by_id) == (S.HELD, hold.pk)
    assert (stage.refunds(), after.attempts.count()) == ([], 0)


def test_what_was_frozen_in_its_claim_and_dies_is_held_when_it_is_found(stage: Stage) -> None:
    execution = stage.decide(stage.pay())
    sleeper = stage.worker(execution.pk, at=CLAIMING, fate=freeze)
    sleeper.wait_frozen()
    hold = stop_everything()

    sleeper.kill()
    sleeper.wait()
    stage.pass_time(fresh([execution]))
    for found in stage.sweep()[0]:
        services.run(execution_id=found, worker="another")

    [after] = fresh([execution])
    assert (after.status, after.held_by_id) == (S.HELD, hold.pk)
    assert stage.refunds() == []


def test_an_agent_whose_call_waits_for_too_long_may_send_it_again(
    office: Office, agent_key: IssuedKey
) -> None:
    request = office.submit()
    sleeper = office.approving(request, at="decision:locked", fate=freeze)
    sleeper.wait_frozen()
    with connection.cursor() as cursor:
        cursor.execute(SOON)

    response = Client().post(
        f"/api/v1/requests/{request.pk}/withdrawal",
        content_type="application/json",
        headers={"Authorization": f"Bearer {agent_key.secret}"},
    )

    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
    assert response.json()["code"] == "unavailable"
    connection.close()
