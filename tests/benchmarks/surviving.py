"""What a failure costs: a worker that is killed within its request, a broker that stands still."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.place import NO_LIMITS, WEB_OPTIONS, furnish, setting
from tests.flows.conftest import World
from tests.flows.polling import wait_until
from tests.flows.stack import prepared_stack

#: As many as the money worker of a stack has processes: all of them are killed at once.
KILLED_AT_ONCE = 2
KILLS = 2
APPROVALS = 20
_SILENT = {"match": {"method": "POST", "path": "/v1/refunds"}, "fault": "hang_after"}
_CLAIMED_BY = "SELECT claimed_by FROM executors_execution WHERE id = %s"


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds, one for each refund that was killed, and one for each approval."""

    recovered: list[float]
    usual: list[float]
    frozen: list[float]
    #: Lease and sweep interval together, as they are by default.
    allowed: float


def measure(database_url: str, directory: Path) -> Costs:
    """Kill workers that wait for Stripe, with the usual lease; approve with a frozen broker."""
    with prepared_stack(
        directory, database_url, settings=NO_LIMITS, web_options=WEB_OPTIONS
    ) as stack:
        furniture = furnish(stack, 1)
        stack.start("web", "money", "default", "beat")
        agent_key = furniture.agents[0]["secret"]
        world = World(stack, {"passwords": furniture.passwords, "agent_key": agent_key})
        return Costs(
            recovered=[seconds for _ in range(KILLS) for seconds in _kill(world)],
            usual=_approve(world),
            frozen=_approve_with_frozen_broker(world),
            allowed=setting(stack, "COUNTERSIGN_LEASE") + setting(stack, "COUNTERSIGN_SWEEP_EVERY"),
        )


def _kill(world: World) -> list[float]:
    """Kill every worker after Stripe has done it and before it has said so."""
    requests = [world.submit(world.pay()) for _ in range(KILLED_AT_ONCE)]
    world.script_faults(_SILENT | {"times": len(requests)})
    for request_id in requests:
        world.approve(request_id)
    executions = [world.execution_id(request_id) for request_id in requests]
    world.wait_for_faults()
    killed_at = time.monotonic()
    for execution_id in executions:
        [[worker]] = world.query(_CLAIMED_BY, execution_id)
        os.kill(int(str(worker).rpartition(":")[2]), signal.SIGKILL)
    return [_seconds_until_paid(world, execution_id, killed_at) for execution_id in executions]


def _seconds_until_paid(world: World, execution_id: str, since: float) -> float:
    wait_until(lambda: world.status(execution_id) == "SUCCEEDED", "the refund", seconds=120)
    return time.monotonic() - since


def _approve(world: World) -> list[float]:
    requests = [world.submit(world.pay()) for _ in range(APPROVALS)]
    return [_seconds_to_approve(world, request_id) for request_id in requests]


def _approve_with_frozen_broker(world: World) -> list[float]:
    requests = [world.submit(world.pay()) for _ in range(APPROVALS)]
    broker = world.stack.parts["broker"]
    broker.signal(signal.SIGSTOP)
    try:
        return [_seconds_to_approve(world, request_id) for request_id in requests]
    finally:
        broker.signal(signal.SIGCONT)


def _seconds_to_approve(world: World, request_id: str) -> float:
    """Open the page and press, as a person does, without the time of looking at it."""
    began = time.monotonic()
    world.approve(request_id)
    return time.monotonic() - began
