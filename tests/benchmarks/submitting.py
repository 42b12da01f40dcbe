"""Submissions per second through the HTTP front, against the same SQL without us."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks import driver, load, replay
from tests.benchmarks.place import NO_LIMITS, WEB_OPTIONS, captured, copied, furnish, refund
from tests.benchmarks.replay import Submissions
from tests.flows.stack import Stack, prepared_stack

#: Each connection has an agent of its own: submissions of one agent wait for each other.
CONNECTIONS = 8
#: Calls of each connection: first some that are not counted, then those that are.
WARM_UP = range(20)
COUNTED = range(20, 170)
ROUNDS = 3

Agents = list[dict[str, Any]]


@dataclass(kw_only=True)
class Rates:
    """Submissions per second, one number per round; each round on copies of one database."""

    ours: list[float] = field(default_factory=list)
    pgbench: list[float] = field(default_factory=list)
    driver: list[float] = field(default_factory=list)
    statements: int = 0


def measure(template_url: str, directory: Path, *, reads_facts: bool) -> Rates:
    """Measure three ways in turn, so that whatever else the machine does meets all three."""
    settings = {**NO_LIMITS, "COUNTERSIGN_READ_FACTS": "true" if reads_facts else "false"}
    with prepared_stack(
        directory, template_url, settings=settings, web_options=WEB_OPTIONS
    ) as stack:
        agents = furnish(stack, CONNECTIONS).agents
        body = refund(stack)
        with copied(template_url) as url:
            found = captured(stack, url, agents[0], body)
        submissions = Submissions(
            statements=found["submit"],
            request_id=found["request_id"],
            idempotency_key=found["idempotency_key"],
            agent=agents[0],
        )
        rates = Rates(statements=len(submissions.statements))
        for _ in range(ROUNDS):
            rates.ours.append(_through_http(stack, template_url, agents, body))
            rates.pgbench.append(_through_pgbench(submissions, template_url, directory, agents))
            rates.driver.append(_through_driver(submissions, template_url, agents))
    return rates


def _through_http(stack: Stack, template_url: str, agents: Agents, body: dict[str, Any]) -> float:
    with copied(template_url) as url, stack.another_web(DATABASE_URL=url) as base_url:
        port = urlsplit(base_url).port or 0
        data = json.dumps(body).encode()
        load.run(port, [calls(agent, data, WARM_UP) for agent in agents], expected=201)
        counted = [calls(agent, data, COUNTED) for agent in agents]
        return load.run(port, counted, expected=201).rate


def calls(agent: dict[str, Any], body: bytes, numbers: range) -> list[bytes]:
    """The HTTP calls of one agent, each a submission of its own."""
    return [
        load.request(
            "POST",
            "/api/v1/requests",
            body=body,
            Authorization=f"Bearer {agent['secret']}",
            Idempotency_Key=f"bench-{number}",
        )
        for number in numbers
    ]


def _through_pgbench(
    submissions: Submissions, template_url: str, directory: Path, agents: Agents
) -> float:
    with copied(template_url) as url:
        replay.by_pgbench(submissions, url, directory, agents, WARM_UP)
        return replay.by_pgbench(submissions, url, directory, agents, COUNTED)


def _through_driver(submissions: Submissions, template_url: str, agents: Agents) -> float:
    def clients(numbers: range) -> list[list[list[str]]]:
        return [
            [submissions.transaction(agent, str(number)) for number in numbers] for agent in agents
        ]

    with copied(template_url) as url:
        driver.run(url, clients(WARM_UP))
        return driver.run(url, clients(COUNTED))
