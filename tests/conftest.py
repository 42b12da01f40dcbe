"""The cast, the stage and the clock.

The cast: an agent with its key, a reviewer, a second reviewer, an auditor, an outsider (signed in,
in no group) and an administrator (superuser, in no reviewing group, who answers for the agent).
The stage is reached through the real services, with the local Stripe as the provider.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import stripe
from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from django.db import connection

from approvals import services, viewing
from approvals.models import Agent, ApprovalRequest, User
from approvals.models.people import AUDITORS, REVIEWERS, acting_as
from approvals.permissions import SEED
from approvals.services import IssuedKey, Submission
from audit import clock
from audit.canonical import digest_of
from audit.signing import rotation
from audit.signing.keys import DECISION
from executors.stripe.sandbox.process import RunningSandbox, running_sandbox
from tests.support import emptying, survived, unguarded

PASSWORD = "correct horse battery staple"


emptying.install()

# How fast a busy machine is decides no test; the thorough profile is chosen before this.
hypothesis.settings.register_profile(
    "usual", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
if hypothesis.settings.get_current_profile_name() == "default":
    hypothesis.settings.load_profile("usual")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, visibly, what is about the other database."""
    other = "postgres" if connection.vendor == "sqlite" else "embedded"
    left_out = [item for item in items if item.get_closest_marker(other)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker(other)]


def pytest_sessionfinish() -> None:
    """Leave what this process did to others, for the last lines of the run."""
    survived.save()


@pytest.fixture(scope="session", autouse=True)
def signing_keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A signing key and the file of trusted keys, as the running system has them."""
    from datetime import UTC, datetime

    rotation.rotate(
        private_path=django_settings.COUNTERSIGN_SIGNING_KEY_FILE,
        trusted_path=django_settings.COUNTERSIGN_TRUSTED_KEYS_FILE,
        use=DECISION,
        # Long ago, so that tests may move the clock backwards too.
        at=datetime(2020, 1, 1, tzinfo=UTC),
    )
    yield


@pytest.fixture
def own_keys(settings: Any, tmp_path: Path) -> Iterator[None]:
    """Key files of this test alone, for tests that rotate or break them."""
    settings.COUNTERSIGN_SIGNING_KEY_FILE = tmp_path / "signing.pem"
    settings.COUNTERSIGN_TRUSTED_KEYS_FILE = tmp_path / "trusted.json"
    rotation.rotate(
        private_path=settings.COUNTERSIGN_SIGNING_KEY_FILE,
        trusted_path=settings.COUNTERSIGN_TRUSTED_KEYS_FILE,
        use=DECISION,
        at=clock.now(),
    )
    yield


@pytest.fixture(scope="session")
def local_stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """The local Stripe, a process of its own for the whole run."""
    with running_sandbox(database=tmp_path_factory.mktemp("stripe") / "stripe.sqlite3") as sandbox:
        yield sandbox


@pytest.fixture
def provider(settings: Any, local_stripe: RunningSandbox) -> RunningSandbox:
    """Point this process at the local Stripe, as web and worker are."""
    settings.STRIPE_API_BASE = local_stripe.base_url
    settings.STRIPE_API_KEY = local_stripe.worker_key
    settings.STRIPE_READ_KEY = local_stripe.read_key
    return local_stripe


@pytest.fixture
def stripe_client(local_stripe: RunningSandbox) -> stripe.StripeClient:
    """The merchant's own access to the local Stripe, as a shop would have it."""
    return stripe.StripeClient(
        local_stripe.secret_key,
        base_addresses={"api": local_stripe.base_url},
        max_network_retries=0,
    )


@pytest.fixture
def make_payment(stripe_client: stripe.StripeClient) -> Callable[..., Any]:
    """Make a captured payment; 120.00 USD unless told otherwise."""

    def make(amount: int = 12000, currency: str = "usd", method: str = "pm_card_visa") -> Any:
        return stripe_client.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": currency,
                "payment_method": method,
                "payment_method_types": ["card"],
                "confirm": True,
            }
        )

    return make


@pytest.fixture
def payment(make_payment: Callable[..., Any]) -> Any:
    """A captured payment of 120.00 USD."""
    return make_payment()


def make_person(username: str, group: str | None = None, **flags: bool) -> User:
    """Make an account the way the demonstration does."""
    with acting_as(SEED):
        user: User = User.objects.create_user(username, password=PASSWORD, is_staff=True, **flags)
        if group is not None:
            user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def admin_user(db: None) -> User:
    """A superuser who is no reviewer, and answers for the agent."""
    return make_person("admin", is_superuser=True)


@pytest.fixture
def reviewer(db: None) -> User:
    return make_person("reviewer", REVIEWERS)


@pytest.fixture
def second_reviewer(db: None) -> User:
    return make_person("second_reviewer", REVIEWERS)


@pytest.fixture
def auditor(db: None) -> User:
    return make_person("auditor", AUDITORS)


@pytest.fixture
def outsider(db: None) -> User:
    return make_person("outsider")


@pytest.fixture
def agent(admin_user: User) -> Agent:
    return services.create_agent(
        name="billing-agent", owner_id=admin_user.pk, description="", by=SEED
    )


@pytest.fixture
def agent_key(agent: Agent) -> IssuedKey:
    """The agent's key; ``.secret`` is the raw text that the agent sends."""
    return issue_key(agent)


def issue_key(agent: Agent, **options: Any) -> IssuedKey:
    """Issue a key for refunds, without limits unless told otherwise."""
    defaults: dict[str, Any] = {
        "actions": ["stripe.refund"],
        "currencies": [],
        "ceiling_minor": None,
        "expires_at": None,
    }
    return services.issue_key(
        agent_id=agent.pk, owner_id=agent.owner_id, by=SEED, **(defaults | options)
    )


@pytest.fixture
def other_agent_key(admin_user: User) -> IssuedKey:
    """Another agent's key."""
    other = services.create_agent(
        name="other-agent", owner_id=admin_user.pk, description="", by=SEED
    )
    return issue_key(other)


@pytest.fixture
def refund_payload(payment: Any) -> dict[str, Any]:
    """A refund of 95.00 USD of the payment."""
    return {
        "payment_intent": payment.id,
        "amount": 9500,
        "currency": "usd",
        "reason": "requested_by_customer",
        "metadata": {"ticket": "T-1002"},
    }


@pytest.fixture
def submit(provider: RunningSandbox, agent_key: IssuedKey) -> Callable[..., ApprovalRequest]:
    """Submit through the real service, with a fresh idempotency key."""
    counter = iter(range(1_000_000))

    def _submit(payload: dict[str, Any], **options: Any) -> ApprovalRequest:
        submission = Submission(
            service="support", action="stripe.refund", payload=payload, **options
        )
        return services.submit(
            key=agent_key.key,
            idempotency_key=f"test-{next(counter)}",
            submission=submission,
            body_sha256=digest_of({"payload": payload}),
        ).request

    return _submit


@pytest.fixture
def pending_request(
    submit: Callable[..., ApprovalRequest], refund_payload: dict[str, Any]
) -> ApprovalRequest:
    """A pending refund of 95.00 USD, with facts."""
    return submit(refund_payload, reason="Parcel never arrived.", context={"ticket": "T-1002"})


@pytest.fixture
def approve(reviewer: User) -> Callable[..., Any]:
    """Approve as the reviewer, on what the page shows now."""

    def _approve(request: ApprovalRequest, **options: Any) -> Any:
        defaults: dict[str, Any] = {
            "request_id": request.pk,
            "reviewer_id": reviewer.pk,
            "reason": "Checked with the courier.",
            "digest": viewing.current_view(request).digest,
        }
        return services.approve(**(defaults | options))

    return _approve


@pytest.fixture
def reject(reviewer: User) -> Callable[..., Any]:
    """Reject as the reviewer, on what the page shows now."""

    def _reject(request: ApprovalRequest, **options: Any) -> Any:
        defaults: dict[str, Any] = {
            "request_id": request.pk,
            "reviewer_id": reviewer.pk,
            "reason": "The parcel was delivered.",
            "digest": viewing.current_view(request).digest,
        }
        return services.reject(**(defaults | options))

    return _reject


@pytest.fixture(name="unguarded")
def unguarded_record(db: None) -> None:
    """Take the guards of the record away for this test, as an owner of the database can."""
    unguarded.lift(connection)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Move the database's clock: ``later(hours=5)``; adds up; undone after the test."""

    def move(**by: float) -> None:
        monkeypatch.setattr(clock, "offset", clock.offset + timedelta(**by))

    return move
