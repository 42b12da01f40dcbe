"""The stage of the flow tests: one running installation, and the people who use it."""

import itertools
import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe
from celery import Celery

from tests.executors.stripe.switches import webhooks
from tests.flows.database import Row, own_database, query
from tests.flows.polling import wait_until
from tests.flows.stack import Stack, prepared_stack
from tests.flows.web import AgentClient, Browser

HERE = Path(__file__).parent
#: Settings that make a test quick, or that let it wait for a deadline.
SETTINGS = {
    "COUNTERSIGN_SWEEP_EVERY": "1",
    "COUNTERSIGN_EXPIRES_IN_LEAST": "1",
    "COUNTERSIGN_RATE_BURST": "2000",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.process)


class World:
    """One installation, its agent, its reviewer, and the merchant who owns the payments."""

    _numbers = itertools.count(1)

    def __init__(self, stack: Stack, seeded: dict[str, Any]) -> None:
        self.stack = stack
        self.passwords: dict[str, str] = seeded["passwords"]
        self.agent = AgentClient(stack.base_url, seeded["agent_key"])
        self.agent_key: str = seeded["agent_key"]
        self.reviewer = self.sign_in("reviewer")
        self.stripe = stripe.StripeClient(
            stack.stripe.secret_key,
            base_addresses={"api": stack.stripe.base_url},
            max_network_retries=0,
        )

    def sign_in(self, username: str) -> Browser:
        """A browser in which this person is signed in."""
        return Browser(self.stack.base_url).sign_in(username, self.passwords[username])

    def pay(self, amount: int = 12000) -> str:
        """Make a captured payment in US dollars (amount in cents); returns its id."""
        payment = self.stripe.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": "usd",
                "payment_method": "pm_card_visa",
                "payment_method_types": ["card"],
                "confirm": True,
            }
        )
        return str(payment.id)

    def new_agent(self, name: str) -> AgentClient:
        """Make another agent, as an operator does."""
        options = ["--owner", "admin", "--action", "stripe.refund", "--json"]
        made = json.loads(self.stack.python("manage.py", "create_agent", name, *options))
        return AgentClient(self.stack.base_url, made["agent_key"])

    def submit(
        self, payment: str, amount: int = 9500, *, agent: AgentClient | None = None, **fields: Any
    ) -> str:
        """Let the agent ask for a refund; returns the request's id."""
        payload = {"payment_intent": payment, "amount": amount, "currency": "usd"}
        number = next(self._numbers)
        answer = (agent or self.agent).submit(payload, f"flow-{number}", **fields)
        assert answer.status == 201, answer.text
        return str(answer.json["id"])

    def approve(self, request_id: str, **fields: str) -> None:
        """Let the reviewer approve what the decide page shows."""
        answer = self.reviewer.decide(request_id, "approve", "Checked with the courier.", **fields)
        assert answer.status == 200, answer.text
        assert "/decide/" not in answer.url, answer.text

    def execution(self, request_id: str, *statuses: str) -> dict[str, Any]:
        """Wait until the request's execution has one of these statuses, as the agent reads it."""

        def look() -> Any:
            execution = self.agent.request(request_id)["execution"]
            return execution if execution and execution["status"] in statuses else None

        found: dict[str, Any] = wait_until(look, f"the execution of {request_id} to be {statuses}")
        return found

    def status(self, execution_id: str) -> str:
        """The status of an execution, as it is stored."""
        statement = "SELECT status FROM executors_execution WHERE id = %s"
        return str(self.query(statement, execution_id)[0][0])

    def attempts(self, execution_id: str) -> int:
        """How many requests to the provider were begun for an execution."""
        statement = "SELECT count(*) FROM executors_attempt WHERE execution_id = %s"
        return int(self.query(statement, execution_id)[0][0])

    def steer(self, browser: Browser, path: str, reason: str) -> None:
        """Open a page of the admin that does one thing, and do it."""
        page = browser.get(path)
        assert page.status == 200, page.text
        answer = browser.post(page, reason=reason)
        assert (answer.status, answer.url == page.url) == (200, False), answer.text

    def script_faults(self, *lines: dict[str, Any]) -> None:
        """Let these faults happen at the local Stripe (see ``sandbox.faults.read_lines``)."""
        self._switch(data=json.dumps(lines).encode())

    def wait_for_faults(self) -> None:
        """Wait until the script is used up: the requests that it waited for have arrived."""
        wait_until(lambda: self._switch()["left"] == 0, "the requests to arrive")

    def refunds(self, payment: str) -> list[Any]:
        """What the local Stripe has refunded of a payment."""
        return list(self.stripe.v1.refunds.list({"payment_intent": payment}).auto_paging_iter())

    def _switch(self, data: bytes | None = None) -> Any:
        address = f"{self.stack.stripe.base_url}/_local/faults"
        request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def query(self, statement: str, *values: Any) -> list[Row]:
        """Look into the database, past all of our own code."""
        return query(self.stack.database_url, statement, *values)

    def execution_id(self, request_id: str) -> str:
        """The id that a message to the money worker carries."""
        statement = "SELECT id FROM executors_execution WHERE subject = %s"
        return str(self.query(statement, request_id)[0][0])

    def ring(self, execution_id: str) -> str:
        """Put a message for the money worker into the broker; returns the message's id."""
        with Celery("outsider", broker=self.stack.broker.url, set_as_current=False) as outsider:
            sent = outsider.send_task(
                "executors.tasks.run",
                kwargs={"execution_id": execution_id},
                queue="money",
                ignore_result=True,
            )
        return str(sent.id)

    def wait_done(self, message_id: str) -> None:
        """Wait until the money worker has finished with a message."""
        money = self.stack.parts["money"]
        done = f"executors.tasks.run[{message_id}] succeeded"
        wait_until(lambda: done in money.said(), f"the message {message_id} to be done")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The running installation; each process of a parallel run has its own."""
    directory = tmp_path_factory.mktemp("stack")
    with (
        own_database(os.environ.get("TEST_DATABASE_URL", ""), directory) as database_url,
        prepared_stack(directory, database_url, settings=SETTINGS) as stack,
    ):
        stack.plan()
        stack.parts["broker"].start()
        seeded = json.loads(stack.python("-m", "tests.flows.seed"))
        stack.start("web", "money", "default", "beat")
        webhooks(stack.stripe, url=f"{stack.base_url}/webhooks/stripe")
        yield World(stack, seeded)
