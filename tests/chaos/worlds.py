"""Databases for many rounds: one is prepared, and each lane takes a fresh copy now and then.

Nothing is emptied between rounds: each has ids of its own. But lists grow, and with them the time
of those who read them, so that a copy and its local Stripe are left after a while.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from approvals.models import User
from approvals.models.people import REVIEWERS
from audit.signing import rotation
from audit.signing.keys import DECISION
from executors.stripe.sandbox.process import running_sandbox
from tests.chaos.scene import Place, place
from tests.conftest import make_person

PERSON = "reviewer"


def prepare() -> None:
    """Make the database that the others are copies of."""
    call_command("migrate", verbosity=0)
    make_person(PERSON, REVIEWERS)


def make_keys() -> None:
    """Make a signing key and the file of trusted keys, as the running system has them."""
    rotation.rotate(
        private_path=settings.COUNTERSIGN_SIGNING_KEY_FILE,
        trusted_path=settings.COUNTERSIGN_TRUSTED_KEYS_FILE,
        use=DECISION,
        at=datetime(2020, 1, 1, tzinfo=UTC),
    )


@contextmanager
def world(name: str, template: str) -> Iterator[Place]:
    """Take a copy of the prepared database, and a local Stripe that nobody has used."""
    directory = settings.COUNTERSIGN_VAR_DIR / name
    directory.mkdir()
    try:
        with _copy(name, template, directory), running_sandbox(directory / "stripe") as sandbox:
            with place(sandbox, User.objects.get(username=PERSON)) as ready:
                yield ready
            connections.close_all()
    finally:
        shutil.rmtree(directory)


@contextmanager
def _copy(name: str, template: str, directory: Path) -> Iterator[None]:
    connections.close_all()
    if connection.vendor == "sqlite":
        connection.settings_dict["NAME"] = shutil.copy(template, directory / "copy.sqlite3")
        yield
        return
    connection.settings_dict["NAME"] = name
    _administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield
    finally:
        connections.close_all()
        _administer(f'DROP DATABASE "{name}" WITH (FORCE)')


def _administer(statement: str) -> None:
    known = connection.settings_dict
    with psycopg.connect(
        host=known["HOST"], user=known["USER"], dbname="postgres", autocommit=True
    ) as administrator:
        administrator.execute(statement)
