"""Where checkpoints are copied to (``COUNTERSIGN_ANCHOR``): file, command, address or e-mail."""

import re
import shlex
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from audit.anchoring.command import CommandTarget
from audit.anchoring.file import FileTarget
from audit.anchoring.mail import MailTarget
from audit.anchoring.web import WebTarget
from audit.errors import AnchorError

_REMEDY = (
    "Set it to file:/absolute/path, command:/absolute/program arguments, https://host/path, or "
    "mailto:auditor@example.com."
)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ADDRESS = re.compile(r"[^\s@,<>]+@[^\s@,<>]+")
#: What the column of copies holds.
_MOST_CHARACTERS = 500
_PACES = {"hour": timedelta(hours=1), "day": timedelta(days=1)}


class Target(Protocol):
    """A place outside the database; ``name`` says which, without what is secret about it."""

    name: str
    #: The least time between two copies: then the newest goes, which covers those between.
    pace: timedelta

    def check(self) -> None:
        """Look whether a copy could be made, without making one; raises ``AnchorError``."""

    def copy(self, note: str) -> None:
        """Copy a checkpoint; it is there, and stays, when this returns. Raises ``AnchorError``."""


def parse(text: str, *, production: bool) -> Target:
    """Return the place that a setting names; nothing is looked at or reached.

    Raises:
        AnchorError: it names none, in words that follow the name of the variable.
    """
    scheme, _, rest = text.partition(":")
    make = _SCHEMES.get(scheme)
    if make is None or not rest:
        raise AnchorError(f"names no place that is known. {_REMEDY}")
    target = make(text, production)
    if len(target.name) > _MOST_CHARACTERS:
        raise AnchorError(f"is longer than {_MOST_CHARACTERS} characters. Name fewer people.")
    return target


def _file(text: str, production: bool) -> Target:
    path = Path(text.removeprefix("file:"))
    if not path.is_absolute():
        raise AnchorError(f"names the file {path}, whose path is not absolute. {_REMEDY}")
    return FileTarget(path)


def _command(text: str, production: bool) -> Target:
    try:
        words = shlex.split(text.removeprefix("command:"))
    except ValueError as error:
        raise AnchorError(f"has a command with an open quotation mark. {_REMEDY}") from error
    program = shutil.which(words[0]) if words and Path(words[0]).is_absolute() else None
    if program is None:
        raise AnchorError(
            "names a command that is no program by an absolute path. There is no shell: for a "
            "pipe or a variable, name a script."
        )
    return CommandTarget([program, *words[1:]])


def _web(text: str, production: bool) -> Target:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise AnchorError(f"is no address. {_REMEDY}") from error
    if not parts.hostname or parts.fragment:
        raise AnchorError(f"is no address. {_REMEDY}")
    if parts.scheme == "http" and (production or parts.hostname not in _LOOPBACK):
        raise AnchorError(
            "is an address without TLS: whoever is on the way could answer. Set it to https://…"
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    account = None
    if parts.username is not None:
        account = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return WebTarget(
        host=parts.hostname, port=port, path=path, tls=parts.scheme == "https", account=account
    )


def _mail(text: str, production: bool) -> Target:
    people, _, query = text.removeprefix("mailto:").partition("?")
    addresses = [unquote(one) for one in people.split(",")]
    options = parse_qs(query, keep_blank_values=True)
    every = options.pop("every", ["hour"])[0]
    if options or every not in _PACES or not all(map(_ADDRESS.fullmatch, addresses)):
        raise AnchorError(
            "names no e-mail addresses. Set it to mailto:one@example.com,two@example.com, with "
            "?every=day behind it for one e-mail a day instead of one an hour."
        )
    return MailTarget(addresses, pace=_PACES[every])


_SCHEMES: dict[str, Callable[[str, bool], Target]] = {
    "file": _file,
    "command": _command,
    "https": _web,
    "http": _web,
    "mailto": _mail,
}
