"""The stage of evidence: requests that were decided and carried out, and sealed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from approvals.models import ApprovalRequest
from audit import verifier
from audit.evidence import package
from audit.log import services as sealer
from audit.signing.keys import load_signing_key
from executors import services as executions
from executors.models import Execution
from tests.audit.log.conftest import log_key

__all__ = ["log_key"]


@pytest.fixture
def decided(log_key: None, pending_request: ApprovalRequest, approve: Any) -> ApprovalRequest:
    """A refund of 95.00 USD that was approved and carried out, and is sealed."""
    approve(pending_request)
    run(pending_request)
    sealer.seal()
    return pending_request


@pytest.fixture
def patched(
    log_key: None,
    pending_request: ApprovalRequest,
    approve: Any,
    refund_payload: dict[str, Any],
) -> ApprovalRequest:
    """The same, lowered to 60.00 USD by the reviewer."""
    approve(pending_request, patch=refund_payload | {"amount": 6000})
    run(pending_request)
    sealer.seal()
    return pending_request


@pytest.fixture
def make(decided: ApprovalRequest) -> Callable[[], bytes]:
    """Make the evidence file."""
    return lambda: package.make(decided.pk)


@pytest.fixture
def bundle(make: Callable[[], bytes]) -> bytes:
    """An evidence file."""
    return make()


def run(request: ApprovalRequest) -> None:
    execution = Execution.objects.get(subject=request.pk)
    executions.run(execution_id=execution.pk, worker="host-1:100")


def unseal() -> None:
    """Take the leaves away, past everything that this project does: as if nothing were sealed."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_leaf")


def own_keys() -> list[str]:
    """Return the thumbprints of the keys that sign here."""
    files = (django_settings.COUNTERSIGN_SIGNING_KEY_FILE, django_settings.COUNTERSIGN_LOG_KEY_FILE)
    return [load_signing_key(Path(file)).kid for file in files]


def revoke(settings: Any, kid: str) -> None:
    """Write into the file of trusted keys that a key was revoked."""
    path = settings.COUNTERSIGN_TRUSTED_KEYS_FILE
    known = json.loads(path.read_text())
    for key in known["keys"]:
        if key["kid"] == kid:
            key["revoked_at"] = "2026-01-01T00:00:00+00:00"
    path.write_text(json.dumps(known))


def wrong(data: bytes) -> list[str]:
    """Return what the verifier finds, each as its line."""
    report = verifier.verify(data, own_keys())
    assert (report.code == verifier.WRONG) == bool(report.findings)
    return [f"{where}: {what}" for where, what in report.findings]
