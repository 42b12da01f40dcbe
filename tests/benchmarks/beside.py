"""Submissions per second while the sealer is at work, against the same without it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks import load
from tests.benchmarks.place import NO_LIMITS, WEB_OPTIONS, copied, furnish, refund
from tests.benchmarks.submitting import CONNECTIONS, Agents, calls
from tests.flows.parts import ROOT
from tests.flows.stack import Stack, prepared_stack

WARM_UP = range(20)
COUNTED = range(20, 120)
ROUNDS = 3
_SEAL = [sys.executable, "manage.py", "seal", "--every", "0.1"]


@dataclass(kw_only=True)
class Beside:
    """Submissions per second, one number per round, in turn."""

    sealing: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)


def measure(template_url: str, directory: Path) -> Beside:
    """Measure both ways in turn; the sealer looks ten times as often as it does by default."""
    settings = {**NO_LIMITS, "COUNTERSIGN_READ_FACTS": "false"}
    with prepared_stack(
        directory, template_url, settings=settings, web_options=WEB_OPTIONS
    ) as stack:
        agents = furnish(stack, CONNECTIONS).agents
        stack.python("manage.py", "rotate_signing_key", "--use", "log", role="sealer")
        body = json.dumps(refund(stack)).encode()
        found = Beside()
        for _ in range(ROUNDS):
            found.sealing.append(_submit(stack, template_url, agents, body, sealing=True))
            found.alone.append(_submit(stack, template_url, agents, body, sealing=False))
    return found


def _submit(
    stack: Stack, template_url: str, agents: Agents, body: bytes, *, sealing: bool
) -> float:
    with copied(template_url) as url, stack.another_web(DATABASE_URL=url) as base_url:
        port = urlsplit(base_url).port or 0
        with _sealer(stack, url, runs=sealing):
            load.run(port, [calls(agent, body, WARM_UP) for agent in agents], expected=201)
            counted = [calls(agent, body, COUNTED) for agent in agents]
            return load.run(port, counted, expected=201).rate


@contextmanager
def _sealer(stack: Stack, url: str, *, runs: bool) -> Iterator[None]:
    if not runs:
        yield
        return
    with subprocess.Popen(
        _SEAL,
        cwd=ROOT,
        env=stack.environment("sealer", DATABASE_URL=url),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            if not process.stdout.readline().startswith("Sealing"):
                raise RuntimeError("The sealer did not start.")
            yield
            if process.poll() is not None:
                raise RuntimeError("The sealer ended.")
        finally:
            process.terminate()
