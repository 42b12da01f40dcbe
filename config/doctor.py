"""Looks whether the guard rails of this installation hold, and says so in sentences."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection

from audit import clock, words
from audit.guards import grants, triggers
from audit.log.verification import services as verification
from config.startup import WORKERS

#: Twice as long as there is between two verifications.
_STALE = timedelta(days=2)
_SIGNING = "COUNTERSIGN_SIGNING_KEY_FILE"
_LOG = "COUNTERSIGN_LOG_KEY_FILE"
_TRUSTED = "COUNTERSIGN_TRUSTED_KEYS_FILE"
#: Which process each private key is for.
_OWNERS = {_SIGNING: "web", _LOG: "sealer"}


@dataclass(frozen=True, kw_only=True)
class Line:
    """What was looked at, and whether it holds; None when this user cannot see it."""

    about: str
    holds: bool | None
    sentence: str


def examine() -> Iterator[Line]:
    """Yield what was found about triggers, grants, key files and the last verification.

    Raises:
        DatabaseError: the database does not answer.
    """
    yield _triggers()
    yield from _grants()
    for name in (_SIGNING, _LOG):
        yield _private_key(name)
    yield from _apart()
    yield _trusted_keys()
    yield _verified()


def _triggers() -> Line:
    lacking = triggers.missing(connection)
    if lacking:
        names = sorted({trigger.table for trigger in lacking})
        return _bad(
            "triggers",
            f"{len(lacking)} triggers are missing, disabled or changed, on {', '.join(names)}: run "
            "`manage.py migrate` as the owner of the tables, then `manage.py verify_record`.",
        )
    expected = triggers.expected(connection)
    if not expected:
        return _bad("triggers", "The database has no tables yet: run `manage.py migrate`.")
    count = len({trigger.table for trigger in expected})
    what = "UPDATE, DELETE and TRUNCATE" if _has_roles() else "UPDATE and DELETE"
    return _good("triggers", f"Triggers refuse {what} on all {count} tables of the record.")


def _grants() -> Iterator[Line]:
    if not _has_roles():
        yield _bad(
            "grants",
            "SQLite has no roles: whoever can write the file can change all of the record. Use "
            "PostgreSQL in production.",
        )
        return
    role = grants.present_role(connection)
    found = [*grants.find_excess(connection, role=role), *grants.find_lack(connection, role=role)]
    for sentence in found:
        yield _bad("grants", f"{sentence} Run `manage.py harden_database` as the owner.")
    if not found:
        yield _good("grants", f"The role {role} may insert into the record and read it, no more.")


def _private_key(name: str) -> Line:
    file: Path = getattr(settings, name)
    status = _status(file)
    if status is None:
        return _unseen(name, f"This user cannot see {file}, so nothing is said about it.")
    problem = _open_to_others(file, status, forbidden=0o077)
    if problem:
        return _bad(name, f"{problem} Use mode 600, for the user of the {_OWNERS[name]} process.")
    role = settings.COUNTERSIGN_ROLE
    if role not in (_OWNERS[name], "command", "supervisor") and os.access(file, os.R_OK):
        return _bad(name, f"The process {role!r} can read {file}. Run it as another user.")
    return _good(name, f"{file} can be read by its owner alone.")


def _apart() -> Iterator[Line]:
    """One user with both keys could decide, and seal that it was always so."""
    found = [_status(getattr(settings, name)) for name in _OWNERS]
    owners = {status.st_uid for status in found if status is not None}
    if None in found:
        return
    if len(owners) < len(found):
        yield _bad(
            "keys",
            "The key that signs decisions and the key that signs the log belong to the same user. "
            "Run web and sealer as different users, each with its own key.",
        )
    else:
        yield _good("keys", "Decisions and the log are signed by keys of different users.")


def _trusted_keys() -> Line:
    file: Path = settings.COUNTERSIGN_TRUSTED_KEYS_FILE
    status = _status(file)
    if status is None:
        return _bad(_TRUSTED, f"This user cannot see {file}: without it no signature counts.")
    problem = _open_to_others(file, status, forbidden=0o022)
    if problem:
        return _bad(_TRUSTED, f"{problem} Whoever changes it says whose signatures count.")
    role = settings.COUNTERSIGN_ROLE
    if role in WORKERS | {"sealer"} and os.access(file, os.W_OK):
        return _bad(_TRUSTED, f"The process {role!r} can write {file}. Let another user own it.")
    return _good(_TRUSTED, f"{file} can be written by its owner alone.")


def _verified() -> Line:
    last = verification.last_run()
    if last is None or last.ended_at is None:
        return _bad(
            "verification",
            "The record was never verified, that anybody kept: the default worker and beat do it "
            "daily, and `manage.py verify_record --keep` now.",
        )
    when = words.instant(last.ended_at)
    if last.problem:
        return _bad("verification", f"The record was not verified to the end, {when}.")
    if last.findings:
        return _bad("verification", f"The record had {last.findings} findings, {when}.")
    if last.ended_at < clock.now() - _STALE:
        return _bad("verification", f"The record was last verified {when}. Does beat run?")
    return _good("verification", f"The record was verified without findings, {when}.")


def _has_roles() -> bool:
    return bool(connection.vendor == "postgresql")


def _status(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except OSError:
        return None


def _open_to_others(file: Path, status: os.stat_result, *, forbidden: int) -> str:
    """Return what lets others than its owner at a file; empty when nothing does."""
    mode = stat.S_IMODE(status.st_mode)
    if mode & forbidden:
        return f"{file} is open to others than its owner (mode {mode:03o})."
    directory = stat.S_IMODE(file.parent.stat().st_mode)
    if directory & 0o022 and not directory & stat.S_ISVTX:
        return f"{file.parent} can be written by others (mode {directory:03o}): they can swap it."
    return ""


def _good(about: str, sentence: str) -> Line:
    return Line(about=about, holds=True, sentence=sentence)


def _bad(about: str, sentence: str) -> Line:
    return Line(about=about, holds=False, sentence=sentence)


def _unseen(about: str, sentence: str) -> Line:
    return Line(about=about, holds=None, sentence=sentence)
