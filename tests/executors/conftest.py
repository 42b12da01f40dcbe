"""The stage of this floor: signed decisions in the queue, and a provider that follows a script."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction

from audit import actors, clock
from audit.canonical import digest_of
from audit.identifiers import new_id
from audit.signing import keys, tokens
from executors import bell, findings, registry, services, working
from executors.enums import AttemptClass, ExecutionStatus, FindingKind
from executors.models import Execution, Finding
from executors.working import Loop
from tests.executors.scripted import HERE, ScriptedExecutor, done, failed

WORKER = "host-1:100"
OTHER_WORKER = "host-2:200"


@pytest.fixture(autouse=True)
def no_checks(settings: Any) -> None:
    """The upper floor's checks are its own business; tests of checks name theirs."""
    settings.COUNTERSIGN_CHECKS = []


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whom the bell rang for."""
    heard: list[str] = []

    def ring(execution_id: str) -> bool:
        heard.append(execution_id)
        return True

    monkeypatch.setattr(bell, "ring", ring)
    return heard


@pytest.fixture(autouse=True)
def rung_to_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """About whom the provider is to be read."""
    heard: list[str] = []

    def ring(execution_id: str) -> bool:
        heard.append(execution_id)
        return True

    monkeypatch.setattr(bell, "ring_to_reconcile", ring)
    return heard


@pytest.fixture
def alarms(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The codes of the alarms that were raised."""

    def codes() -> list[str]:
        raised = [r for r in caplog.records if r.name == "countersign.alarm"]
        return [record.getMessage().split()[0].removeprefix("alarm=") for record in raised]

    return codes


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> ScriptedExecutor:
    """The scripted action, in the catalogue for this test."""
    scripted = ScriptedExecutor()
    monkeypatch.setitem(registry._by_version, (scripted.name, scripted.version), scripted)
    monkeypatch.setitem(registry._latest, scripted.name, scripted)
    return scripted


@pytest.fixture
def make_claims(db: None) -> Callable[..., dict[str, Any]]:
    """The claims of an approval of 95.00 USD, decided now, good for four hours."""

    def make(**changes: Any) -> dict[str, Any]:
        decided_at = int(clock.now().timestamp())
        payload = changes.pop("payload", {"amount": 9500, "currency": "usd"})
        claims = {
            "iss": django_settings.COUNTERSIGN_ISSUER,
            "aud": django_settings.COUNTERSIGN_AUDIENCE,
            "jti": new_id("dec"),
            "sub": new_id("req"),
            "iat": decided_at,
            "nbf": decided_at,
            "exp": decided_at + 4 * 3600,
            "ver": 1,
            "agent": {"id": "agt_1", "name": "billing-agent", "key": "key_1"},
            "service": "support",
            "action": "test.transfer",
            "action_version": 1,
            "provider": HERE.as_claim(),
            "outcome": "APPROVED",
            "payload": payload,
            "payload_version": 1,
            "payload_sha256": digest_of(payload),
            "original_payload_sha256": digest_of(payload),
            "facts": {"read_at": "2026-01-01T00:00:00.000000Z", "material": {"currency": "usd"}},
            "decided_by": "people",
            "reviewers": [{"id": 1, "username": "reviewer", "verdict": "APPROVE"}],
            "policy_version": 1,
            "rules_sha256": "0" * 64,
        }
        return claims | changes

    return make


@pytest.fixture
def sign() -> Callable[[dict[str, Any]], str]:
    """Sign claims as the web process does."""
    return lambda claims: tokens.sign(
        claims, keys.load_signing_key(django_settings.COUNTERSIGN_SIGNING_KEY_FILE)
    )


@pytest.fixture
def enqueue(
    executor: ScriptedExecutor,
    make_claims: Callable[..., dict[str, Any]],
    sign: Callable[[dict[str, Any]], str],
) -> Callable[..., Execution]:
    """Queue a signed decision, now unless told otherwise; other keywords change its claims."""

    def queue(*, at: datetime | None = None, **changes: Any) -> Execution:
        claims = make_claims(**changes)
        with transaction.atomic():
            return services.enqueue(
                token=sign(claims),
                claims=claims,
                actor=actors.Actor(kind="person", name="reviewer"),
                at=at or clock.now(),
            )

    return queue


@pytest.fixture
def execution(enqueue: Callable[..., Execution]) -> Execution:
    """One queued execution."""
    return enqueue()


@pytest.fixture
def claimed(execution: Execution) -> Execution:
    """One that a worker has claimed, and has done nothing with yet."""
    taken = services.claim(execution_id=execution.pk, worker=WORKER)
    assert taken is not None
    return taken


@pytest.fixture
def unknown(
    execution: Execution, executor: ScriptedExecutor, later: Callable[..., None]
) -> Execution:
    """One whose answer was lost, until its time was over."""
    executor.answers = [failed(AttemptClass.AMBIGUOUS)]
    run(execution)
    later(hours=5)
    assert run(execution) is ExecutionStatus.UNKNOWN
    execution.refresh_from_db()
    return execution


@pytest.fixture
def reversed_one(execution: Execution, executor: ScriptedExecutor) -> Execution:
    """One that succeeded, and that the provider took back later."""
    run(execution)
    executor.shown = done(provider_status="failed", failed=True, failure_code="lost_card")
    services.follow(execution_id=execution.pk, worker=WORKER)
    execution.refresh_from_db()
    assert execution.status == ExecutionStatus.REVERSED
    return execution


@pytest.fixture
def finding(db: None) -> Finding:
    """A refund that nobody decided."""
    return report()


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often a loop closed its connections; those of a test stay open."""
    closed: list[str] = []
    monkeypatch.setattr(working.connections, "close_all", lambda: closed.append("all"))
    return closed


@pytest.fixture
def loop(closed: list[str]) -> Loop:
    """A worker that needs no broker; its time is the test's own."""
    return Loop(limits=nullcontext)


def run(execution: Execution, worker: str = WORKER) -> ExecutionStatus | None:
    """Run it as a worker does."""
    return services.run(execution_id=execution.pk, worker=worker)


def report(execution: Execution | None = None) -> Finding:
    """Find at the provider what the record does not explain."""
    kind = FindingKind.DUPLICATE if execution else FindingKind.OUTSIDE_THE_GATE
    return findings.report(
        kind,
        reference="re_1",
        message="re_1 (95.00 USD) is at the provider.",
        execution=execution,
        at=clock.now(),
    )


def events(execution: Execution) -> list[str]:
    """The execution's events, oldest first."""
    rows = Execution.history.filter(id=execution.pk).order_by("number")
    return [row.event for row in rows]
