"""Every refused start, by a process of its own in a real environment.

Most are forks of a process that has loaded the libraries (``warm.py``); servers start cold.
"""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.warm import Warm

ROOT = Path(__file__).resolve().parent.parent.parent
LIVE = "rk_live_" + "0" * 24
SANDBOX = "rk_test_" + "0" * 24

pytestmark = [pytest.mark.embedded, pytest.mark.process]


@pytest.fixture
def keys(tmp_path):
    """The key files of an installation; their content is not looked at here."""
    for name in ("signing.pem", "log.pem", "trusted.json"):
        (tmp_path / name).touch(mode=0o600)
    return tmp_path


@pytest.fixture(scope="module")
def warm():
    warm = Warm()
    yield warm
    warm.close()


@pytest.fixture
def start(keys, warm):
    """Start a process: ``start("web", STRIPE_READ_KEY="")``; an empty value unsets."""

    def _start(role, *, command=(), **changes):
        environment = without_ours(os.environ) | production(role, keys) | changes
        given = {name: value for name, value in environment.items() if value}
        if not command:
            return warm.run("manage.py", "check", "--list-tags", environment=given)
        return subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=given,
            capture_output=True,
            text=True,
            check=False,
        )

    return _start


def without_ours(environment):
    ours = ("COUNTERSIGN_", "STRIPE_", "DJANGO_", "TEST_")
    names = {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "DEBUG"}
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(ours) and name not in names
    }


def production(role, keys):
    """A good production environment of this role; no server of it is reached in these tests."""
    good = {
        "COUNTERSIGN_ENV": "production",
        "COUNTERSIGN_BASE_URL": "https://countersign.example",
        "COUNTERSIGN_ROLE": role,
        "COUNTERSIGN_VAR_DIR": str(keys),
        "COUNTERSIGN_ISSUER": "urn:countersign:test",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "COUNTERSIGN_PEPPER": secrets.token_urlsafe(50),
        "COUNTERSIGN_HISTORY_KEY": secrets.token_urlsafe(50),
        "COUNTERSIGN_TRUSTED_KEYS_FILE": str(keys / "trusted.json"),
        "COUNTERSIGN_SIGNING_KEY_FILE": str(keys / "elsewhere" / "signing.pem"),
        "COUNTERSIGN_LOG_KEY_FILE": str(keys / "elsewhere" / "log.pem"),
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    own = {
        "web": {
            "STRIPE_READ_KEY": LIVE,
            "STRIPE_WEBHOOK_SECRET": "whsec_" + "0" * 24,
            "COUNTERSIGN_SIGNING_KEY_FILE": str(keys / "signing.pem"),
        },
        "default": {"STRIPE_READ_KEY": LIVE},
        "money": {"STRIPE_API_KEY": LIVE},
        "sealer": {"COUNTERSIGN_LOG_KEY_FILE": str(keys / "log.pem")},
    }
    return good | own.get(role, {})


@pytest.mark.parametrize("role", ["web", "money", "default", "sealer", "command"])
def test_a_good_environment_starts(start, role):
    result = start(role)

    assert (result.returncode, result.stderr) == (0, "")


def test_a_process_that_starts_cold_is_refused_in_the_same_words(start):
    cold = start("command", command=("manage.py", "check", "--list-tags"), DEBUG="true")
    forked = start("command", DEBUG="true")

    assert cold.returncode == forked.returncode == 1
    assert cold.stderr == forked.stderr != ""


@pytest.mark.parametrize(
    ("role", "changes", "told"),
    [
        ("command", {"SECRET_KEY": ""}, "SECRET_KEY is not set. Set it to"),
        ("command", {"COUNTERSIGN_PEPPER": ""}, "COUNTERSIGN_PEPPER is not set. Set it to"),
        ("command", {"COUNTERSIGN_HISTORY_KEY": ""}, "COUNTERSIGN_HISTORY_KEY is not set"),
        ("command", {"COUNTERSIGN_ISSUER": ""}, "COUNTERSIGN_ISSUER is not set. Set it to"),
        ("command", {"COUNTERSIGN_ISSUER": "urn:a b"}, "COUNTERSIGN_ISSUER has a space or a plus"),
        ("command", {"COUNTERSIGN_ISSUER": "urn:a+b"}, "COUNTERSIGN_ISSUER has a space or a plus"),
        ("command", {"DATABASE_URL": ""}, "DATABASE_URL is not set. Set it to postgres://"),
        ("command", {"DATABASE_URL": "sqlite:////tmp/x"}, "DATABASE_URL names SQLite in product"),
        ("command", {"PORT": "eighty"}, "PORT is 'eighty'. Set it to a port"),
        ("command", {"PORT": "65536"}, "PORT is 65536. Set it to a port, from 1 to 65535"),
        ("command", {"SECRET_KEY": "x" * 31}, "SECRET_KEY has less than 32 characters. Set it"),
        ("command", {"COUNTERSIGN_PEPPER": "short"}, "COUNTERSIGN_PEPPER has less than 32"),
        (
            "command",
            {"SECRET_KEY": "x" * 50, "COUNTERSIGN_HISTORY_KEY": "x" * 50},
            "COUNTERSIGN_HISTORY_KEY is the same as SECRET_KEY. Set it to",
        ),
        ("command", {"EMAIL_URL": "mail.example"}, "EMAIL_URL cannot be understood. Set it to"),
        ("sealer", {"COUNTERSIGN_ANCHOR": "notes"}, "COUNTERSIGN_ANCHOR names no place that is"),
        ("sealer", {"COUNTERSIGN_ANCHOR": "file:/none/x"}, "COUNTERSIGN_ANCHOR names /none/x, an"),
        ("command", {"DEBUG": "true"}, "DEBUG is on in production. Remove DEBUG"),
        ("command", {"COUNTERSIGN_LEASE": "47"}, "COUNTERSIGN_LEASE is 47. Set it to 48"),
        ("command", {"COUNTERSIGN_BASE_URL": ""}, "COUNTERSIGN_BASE_URL is not set. Set it to"),
        ("command", {"COUNTERSIGN_ENV": "prod"}, "COUNTERSIGN_ENV is 'prod'. Set it to"),
        ("command", {"COUNTERSIGN_ROLE": "boss"}, "COUNTERSIGN_ROLE is 'boss'. Set it to web"),
        ("command", {"STRIPE_API_BASE": "http://127.0.0.1:9"}, "STRIPE_API_BASE is set in prod"),
        ("web", {"REDIS_URL": ""}, "REDIS_URL is not set. Set it to redis://"),
        ("web", {"COUNTERSIGN_SIGNING_KEY_FILE": "/none"}, "COUNTERSIGN_SIGNING_KEY_FILE names"),
        ("web", {"STRIPE_READ_KEY": ""}, "STRIPE_READ_KEY is not set for the role 'web'"),
        ("web", {"STRIPE_READ_KEY": SANDBOX}, "STRIPE_READ_KEY is not a live key"),
        ("web", {"STRIPE_API_KEY": LIVE}, "STRIPE_API_KEY is set for the role 'web'"),
        ("default", {"STRIPE_API_KEY": LIVE}, "STRIPE_API_KEY is set for the role 'default'"),
        ("money", {"STRIPE_API_KEY": ""}, "STRIPE_API_KEY is not set for the role 'money'"),
        ("money", {"STRIPE_API_KEY": SANDBOX}, "STRIPE_API_KEY is not a live key"),
        ("money", {"COUNTERSIGN_TRUSTED_KEYS_FILE": "/none"}, "COUNTERSIGN_TRUSTED_KEYS_FILE"),
        ("web", {"STRIPE_WEBHOOK_SECRET": "we_123"}, "is not the secret of a webhook endpoint"),
        ("money", {"STRIPE_WEBHOOK_SECRET": "whsec_1"}, "is set for the role 'money', which rec"),
        ("default", {"STRIPE_WEBHOOK_SECRET": "whsec_1"}, "is set for the role 'default', which"),
        ("sealer", {"COUNTERSIGN_LOG_KEY_FILE": "/none"}, "COUNTERSIGN_LOG_KEY_FILE names /none"),
        (
            "sealer",
            {"COUNTERSIGN_LOG_KEY_FILE": "/none"},
            "`manage.py rotate_signing_key --use log`",
        ),
        ("sealer", {"COUNTERSIGN_TRUSTED_KEYS_FILE": "/none"}, "COUNTERSIGN_TRUSTED_KEYS_FILE"),
        ("sealer", {"STRIPE_API_KEY": LIVE}, "A Stripe key is set for the role 'sealer'"),
        ("sealer", {"STRIPE_READ_KEY": LIVE}, "A Stripe key is set for the role 'sealer'"),
        ("sealer", {"STRIPE_WEBHOOK_SECRET": "whsec_1"}, "is set for the role 'sealer', which rec"),
        ("beat", {"STRIPE_WEBHOOK_SECRET": "whsec_1"}, "is set for the role 'beat', which rec"),
        ("money", {"STRIPE_API_BASE": "http://127.0.0.1:9"}, "sent to Stripe's own address only"),
        (
            "web",
            {"COUNTERSIGN_ENV": "demo", "DATABASE_URL": "sqlite:////tmp/x"},
            "STRIPE_READ_KEY is a live key, and this is not production",
        ),
        (
            "money",
            {"COUNTERSIGN_ENV": "demo", "DATABASE_URL": "sqlite:////tmp/x"},
            "STRIPE_API_KEY is a live key, and this is not production",
        ),
    ],
)
def test_a_bad_environment_is_refused_with_a_sentence(start, role, changes, told):
    result = start(role, **changes)

    assert result.returncode == 1
    assert result.stderr.startswith("Countersign cannot start: ")
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    assert LIVE not in result.stderr


@pytest.mark.parametrize("role", ["money", "default"])
def test_a_worker_that_can_read_the_signing_key_is_refused(start, keys, role):
    result = start(role, COUNTERSIGN_SIGNING_KEY_FILE=str(keys / "signing.pem"))

    assert result.returncode == 1
    assert f"The worker '{role}' can read {keys / 'signing.pem'}" in result.stderr
    assert "Run workers as another user than web" in result.stderr


def test_a_sealer_that_can_read_the_signing_key_is_refused(start, keys):
    result = start("sealer", COUNTERSIGN_SIGNING_KEY_FILE=str(keys / "signing.pem"))

    assert result.returncode == 1
    assert f"The process 'sealer' can read {keys / 'signing.pem'}" in result.stderr


@pytest.mark.parametrize("role", ["web", "money", "default", "beat"])
def test_nobody_but_the_sealer_may_read_the_log_key(start, keys, role):
    result = start(role, COUNTERSIGN_LOG_KEY_FILE=str(keys / "log.pem"))

    assert result.returncode == 1
    assert f"'{role}' can read {keys / 'log.pem'}, the key that signs checkpoints" in result.stderr
    assert "as another user than the sealer" in result.stderr


def test_the_demonstration_only_warns_about_it(start, keys):
    result = start(
        "money",
        COUNTERSIGN_ENV="demo",
        STRIPE_API_KEY=SANDBOX,
        COUNTERSIGN_SIGNING_KEY_FILE=str(keys / "signing.pem"),
    )

    assert result.returncode == 0
    assert "In production this would stop the start: the worker 'money' can read" in result.stderr


@pytest.mark.parametrize(
    ("role", "command"),
    [
        ("web", ("-m", "gunicorn", "config.wsgi", "--bind", "127.0.0.1:0")),
        ("money", ("-m", "celery", "-A", "config", "worker", "-Q", "money")),
        ("beat", ("-m", "celery", "-A", "config", "beat")),
    ],
    ids=["gunicorn", "worker", "beat"],
)
def test_every_server_ends_with_the_sentence_alone(start, role, command):
    process = start(role, command=command, COUNTERSIGN_BASE_URL="")

    assert process.returncode != 0
    assert "Countersign cannot start: COUNTERSIGN_BASE_URL is not set." in process.stderr
    assert "Traceback" not in process.stderr


def test_a_command_without_its_database_ends_with_a_sentence(start):
    process = start("command", command=("manage.py", "rotate_signing_key"))
    told = start("command", command=("manage.py", "rotate_signing_key", "--traceback"))

    assert process.returncode == 1
    assert process.stderr.startswith("The database that DATABASE_URL names cannot be used (conn")
    assert "Traceback" not in process.stderr
    assert "Traceback" in told.stderr


def test_any_other_error_keeps_its_traceback(start):
    process = start("web", command=("-c", "import config; raise ValueError('a bug')"))

    assert "Traceback" in process.stderr
    assert "ValueError: a bug" in process.stderr
