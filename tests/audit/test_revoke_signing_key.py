"""``manage.py revoke_signing_key``, and the file that it writes."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command, load_command_class

from audit import clock
from audit.signing import keys
from audit.signing.keys import load_trusted_keys
from tests.audit.log.conftest import log_key, rotate  # noqa: F401 - the stage of the log

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("log_key")]


@pytest.fixture
def kid(settings) -> str:
    return keys.load_signing_key(settings.COUNTERSIGN_LOG_KEY_FILE).kid


@pytest.fixture
def revoke(capsys):
    def call(*arguments: str) -> str:
        kid, *options = arguments
        call_command("revoke_signing_key", *options, "--", kid)
        return capsys.readouterr().out

    return call


def test_it_marks_one_key_and_leaves_the_others(revoke, kid, settings):
    path = settings.COUNTERSIGN_TRUSTED_KEYS_FILE
    before = load_trusted_keys(path)

    said = json.loads(revoke(kid, "--as-of", "2026-01-02T03:04:05Z", "--json"))

    after = load_trusted_keys(path)
    assert said == {
        "kid": kid,
        "use": "log",
        "revoked_at": "2026-01-02T03:04:05+00:00",
        "trusted": str(path),
    }
    assert after[kid].revoked_at.isoformat() == said["revoked_at"]
    assert len(after) == len(before) > 1
    assert all(after[other] == before[other] for other in before if other != kid)


def test_it_is_as_of_now_unless_said_otherwise_and_says_what_to_do_next(revoke, kid, settings):
    before = clock.now()
    said = revoke(kid)

    at = load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)[kid].revoked_at
    assert before <= at <= clock.now()
    assert "`manage.py rotate_signing_key --use log`" in said
    assert "`manage.py verify_record --since COPY`" in said


def test_the_instant_may_be_moved_back_and_never_forward(revoke, kid, settings):
    revoke(kid, "--as-of", "2026-02-01T00:00Z")
    with pytest.raises(CommandError, match=r"is revoked as of 2026-02-01T00:00:00\+00:00 already"):
        revoke(kid, "--as-of", "2026-03-01T00:00Z")
    revoke(kid, "--as-of", "2026-01-01T00:00Z")

    at = load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)[kid].revoked_at
    assert at.isoformat() == "2026-01-01T00:00:00+00:00"


def test_an_unknown_key_and_the_future_are_refused(revoke, kid, settings):
    before = settings.COUNTERSIGN_TRUSTED_KEYS_FILE.read_bytes()

    with pytest.raises(CommandError, match="has no key nobody"):
        revoke("nobody")
    later = clock.now() + timedelta(minutes=5)
    with pytest.raises(CommandError, match="in the future"):
        revoke(kid, "--as-of", later.isoformat())
    assert settings.COUNTERSIGN_TRUSTED_KEYS_FILE.read_bytes() == before


@pytest.mark.parametrize(("text", "why"), [("soon", "is no time"), ("2026-01-01", "time zone")])
def test_a_time_without_its_zone_is_a_wrong_argument(text, why, capsys):
    command = load_command_class("audit", "revoke_signing_key")
    command._called_from_command_line = True
    parser = command.create_parser("manage.py", "revoke_signing_key")

    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["kid", "--as-of", text])
    assert ended.value.code == 2
    assert why in capsys.readouterr().err


def test_a_key_once_revoked_stays_so_when_another_is_made(revoke, kid, settings):
    revoke(kid, "--as-of", "2026-01-01T00:00Z")
    rotate(settings)

    known = load_trusted_keys(settings.COUNTERSIGN_TRUSTED_KEYS_FILE)
    assert known[kid].revoked_at is not None
    assert known[keys.load_signing_key(settings.COUNTERSIGN_LOG_KEY_FILE).kid].revoked_at is None
