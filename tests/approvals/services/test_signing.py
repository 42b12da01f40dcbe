"""A token that no worker would accept is no decision."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from approvals.errors import SigningUnavailableError
from approvals.models import ApprovalRequest
from audit.signing import tokens
from tests.approvals.services.outcomes import nothing_was_decided

pytestmark = pytest.mark.django_db


def alarms(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "countersign.alarm"]


def test_one_that_is_too_long_is_not_stored(
    pending_request: ApprovalRequest,
    approve: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(tokens, "MOST_CHARACTERS", 1000)

    with pytest.raises(SigningUnavailableError, match="The token is too long"):
        approve(pending_request)

    assert nothing_was_decided(pending_request)
    [alarm] = alarms(caplog)
    assert alarm.startswith(f"alarm=not_verifiable subject={pending_request.pk} ")


@pytest.mark.usefixtures("own_keys")
@pytest.mark.parametrize("revoked_at", [None, "2020-01-01T00:00:00+00:00"])
def test_one_by_a_key_that_nobody_trusts_is_not_stored(
    pending_request: ApprovalRequest,
    reject: Callable[..., Any],
    settings: Any,
    caplog: pytest.LogCaptureFixture,
    revoked_at: str | None,
) -> None:
    path = settings.COUNTERSIGN_TRUSTED_KEYS_FILE
    [entry] = json.loads(path.read_bytes())["keys"]
    entries = [entry | {"revoked_at": revoked_at}] if revoked_at else []
    path.write_text(json.dumps({"keys": entries}))

    with pytest.raises(SigningUnavailableError, match="nothing was decided"):
        reject(pending_request)

    assert nothing_was_decided(pending_request)
    assert len(alarms(caplog)) == 1


def test_without_the_file_of_trusted_keys_nothing_is_decided(
    pending_request: ApprovalRequest, approve: Callable[..., Any], settings: Any, tmp_path: Any
) -> None:
    settings.COUNTERSIGN_TRUSTED_KEYS_FILE = tmp_path / "missing.json"

    with pytest.raises(SigningUnavailableError, match="trusted keys cannot be read"):
        approve(pending_request)

    assert nothing_was_decided(pending_request)
