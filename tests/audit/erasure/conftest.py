"""The stage of erasures: a settled request, sealed, with the guards of the record in place."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from approvals.models import ApprovalRequest
from audit import actors
from audit.erasure import services
from audit.guards import triggers
from audit.log import services as sealer
from audit.log.verification.findings import Tally
from audit.log.verification.run import verify
from audit.models import Erasure
from tests.audit.evidence.conftest import decided
from tests.audit.log.conftest import log_key

__all__ = ["decided", "log_key"]

#: What the payload, the agent's words and the reviewer's say, and nothing else does.
PERSONAL = ("Parcel never arrived.", "Checked with the courier.", "T-1002")


@pytest.fixture
def settled(decided: ApprovalRequest) -> ApprovalRequest:
    """A refund that was approved and carried out, and is sealed; the guards are in place."""
    triggers.install(connection)
    return decided


@pytest.fixture
def erase(admin_user: Any) -> Callable[[str], Erasure]:
    """Erase as the administrator, and seal what says so."""

    def _erase(target: str) -> Erasure:
        erasure = services.erase(
            target, actor=actors.person(admin_user), reason="Asked for by the customer."
        )
        sealer.seal()
        return erasure

    return _erase


@pytest.fixture
def erased(settled: ApprovalRequest, erase: Callable[[str], Erasure]) -> ApprovalRequest:
    """The same request, erased."""
    erase(settled.pk)
    settled.refresh_from_db()
    return settled


def verified() -> tuple[list[str], Tally]:
    """Return what a verification finds, and what it looked at."""
    tally = Tally()
    return [finding.text for finding in verify(tally)], tally
