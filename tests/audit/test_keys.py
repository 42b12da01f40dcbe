"""Follows docs/keys.md: rotation and compromise of the decision key and of the log key."""

import json
import shutil
from pathlib import Path

import pytest
from django.core.management import call_command

from audit.anchoring import services as anchoring
from audit.anchoring.file import FileTarget
from audit.log import services
from audit.signing import keys
from executors import services as executions
from executors.enums import ExecutionStatus
from executors.models import Execution
from tests.audit.log.conftest import change, log_key  # noqa: F401 - the stage of the log

pytestmark = pytest.mark.django_db

PAGE = (Path(__file__).parents[2] / "docs" / "keys.md").read_text()


@pytest.fixture
def installation(log_key, settings, tmp_path):  # noqa: F811
    """Both keys in files of this test alone, and a place for copies."""
    known = settings.COUNTERSIGN_SIGNING_KEY_FILE
    settings.COUNTERSIGN_SIGNING_KEY_FILE = Path(shutil.copy(known, tmp_path / "signing.pem"))
    return FileTarget(tmp_path / "copies.txt")


@pytest.fixture
def decide(submit, refund_payload, approve, make_payment):
    def _decide():
        decision = approve(submit(refund_payload | {"payment_intent": make_payment().id}))
        services.seal()
        return decision

    return _decide


@pytest.fixture
def verify(capsys):
    """Verify as the page says; returns the code, the lines of findings, and the last line."""

    def _verify(*arguments):
        capsys.readouterr()
        code = 0
        try:
            call_command("verify_record", "--json", *arguments)
        except SystemExit as end:
            code = end.code
        *found, counts = map(json.loads, capsys.readouterr().out.splitlines())
        return code, found, counts

    return _verify


def private(settings, use: str) -> Path:
    return {
        keys.DECISION: settings.COUNTERSIGN_SIGNING_KEY_FILE,
        keys.LOG: settings.COUNTERSIGN_LOG_KEY_FILE,
    }[use]


@pytest.mark.parametrize("use", [keys.DECISION, keys.LOG])
def test_after_a_rotation_all_that_was_signed_counts(installation, decide, verify, settings, use):
    assert "`manage.py rotate_signing_key [--use log]`" in PAGE
    first = decide()
    call_command("rotate_signing_key", "--use", use)
    second = decide()

    assert verify()[:2] == (0, [])
    assert (first.kid != second.kid) == (use == keys.DECISION)


def test_after_a_compromise_of_the_decision_key_what_was_copied_before_counts(
    installation, decide, verify, settings, provider, tmp_path
):
    assert "`manage.py revoke_signing_key KID --as-of TIME`" in PAGE
    covered = decide()
    anchoring.copy_new(installation)
    later = decide()

    call_command("revoke_signing_key", "--", covered.kid)
    waiting = Execution.objects.get(jti=later.pk)
    executions.run(execution_id=waiting.pk, worker="test")
    waiting.refresh_from_db()
    assert waiting.status == ExecutionStatus.REFUSED
    call_command("rotate_signing_key")
    assert decide().kid != covered.kid

    code, found, counts = verify("--since", str(tmp_path / "copies.txt"))

    named = [(one["table"], one["row"]) for one in found if one["kind"] == "revoked"]
    assert code == 1
    assert named == [("approvals_historicaldecision", str(later.history.get().pk))]
    assert set(counts["revoked"]) == {covered.kid}
    assert 0 < counts["revoked"][covered.kid] < counts["size"]


def test_after_a_compromise_of_the_log_key_what_was_copied_before_counts(
    installation, decide, verify, settings, tmp_path
):
    decide()
    anchoring.copy_new(installation)
    size = services.seal().size
    decide()
    kid = keys.load_signing_key(settings.COUNTERSIGN_LOG_KEY_FILE).kid

    call_command("revoke_signing_key", "--", kid)
    call_command("rotate_signing_key", "--use", "log")
    decide()

    code, found, counts = verify("--since", str(tmp_path / "copies.txt"))

    assert (code, [one["kind"] for one in found]) == (1, ["revoked"])
    assert found[0]["table"] == "audit_checkpoint"
    assert counts["revoked"] == {kid: size}


@pytest.mark.parametrize(
    "name",
    [
        *("COUNTERSIGN_SIGNING_KEY_FILE", "COUNTERSIGN_LOG_KEY_FILE", "COUNTERSIGN_HISTORY_KEY"),
        *("COUNTERSIGN_PEPPER", "SECRET_KEY", "STRIPE_API_KEY", "STRIPE_READ_KEY"),
        "STRIPE_WEBHOOK_SECRET",
    ],
)
def test_every_secret_has_its_place_on_the_page(name):
    assert f"`{name}`" in PAGE
