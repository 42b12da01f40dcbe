"""How long ``GET /api/v1/requests/{id}`` takes, against the same SQL without us."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks import driver, load
from tests.benchmarks.load import Measured
from tests.benchmarks.place import NO_LIMITS, WEB_OPTIONS, captured, copied, furnish, refund
from tests.benchmarks.submitting import calls
from tests.flows.stack import prepared_stack

WARM_UP = 50
COUNTED = 1000


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One call after the other over one connection: ours, and the SQL alone."""

    ours: Measured
    sql: Measured


def measure(template_url: str, directory: Path) -> Reading:
    """Read one pending request many times."""
    with prepared_stack(
        directory, template_url, settings=NO_LIMITS, web_options=WEB_OPTIONS
    ) as stack:
        [agent] = furnish(stack, 1).agents
        body = refund(stack)
        with copied(template_url) as url:
            found = captured(stack, url, agent, body)
            sql = driver.run_one(url, [found["read"]] * COUNTED)
        with copied(template_url) as url, stack.another_web(DATABASE_URL=url) as base_url:
            port = urlsplit(base_url).port or 0
            [submit] = calls(agent, json.dumps(body).encode(), range(1))
            request_id = json.loads(load.one(port, submit, expected=201))["id"]
            path = f"/api/v1/requests/{request_id}"
            read = load.request("GET", path, Authorization=f"Bearer {agent['secret']}")
            load.run(port, [[read] * WARM_UP], expected=200)
            return Reading(ours=load.run(port, [[read] * COUNTED], expected=200), sql=sql)
