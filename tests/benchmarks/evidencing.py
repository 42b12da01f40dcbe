"""How long an evidence file takes, of a request that was decided and carried out."""

from pathlib import Path

import psycopg

from tests.benchmarks.place import NO_LIMITS, furnish, refund
from tests.flows.polling import wait_until
from tests.flows.stack import prepared_stack
from tests.flows.web import AgentClient, Browser

_MAKE = """
import sys, time, django; django.setup()
from django.db import connection
from audit.evidence import package
connection.ensure_connection()
started = time.perf_counter(); package.make(sys.argv[1]); print(time.perf_counter() - started)
"""
FILES = 5


def measure(database_url: str, directory: Path) -> list[float]:
    """Return the seconds of each file; each is made by a process of its own, like the first."""
    with prepared_stack(directory, database_url, settings=NO_LIMITS) as stack:
        furniture = furnish(stack, 1)
        stack.start("web", "money")
        agent = AgentClient(stack.base_url, furniture.agents[0]["secret"])
        reviewer = Browser(stack.base_url).sign_in("reviewer", furniture.passwords["reviewer"])
        request_id = agent.submit(refund(stack)["payload"], "bench").json["id"]
        reviewer.decide(request_id, "approve", "Measured.")
        wait_until(lambda: _is_settled(database_url), "the refund", seconds=120)
        stack.python("manage.py", "rotate_signing_key", "--use", "log", role="sealer")
        stack.python("manage.py", "seal", "--once", role="sealer")
        return [float(stack.python("-c", _MAKE, request_id)) for _ in range(FILES)]


def _is_settled(database_url: str) -> bool:
    with psycopg.connect(database_url) as connection:
        query = "SELECT count(*) FROM executors_execution WHERE status = 'SUCCEEDED'"
        row = connection.execute(query).fetchone()
        return row is not None and row[0] == 1
