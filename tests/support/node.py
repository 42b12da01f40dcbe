"""Finds Node, in which the second verifier is written, or gets it where that is allowed."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.support import debian

_NAMES = ("node", "nodejs")
#: The first that reads a key in the form of a JWK.
_OLDEST = 16


class NoNodeError(Exception):
    """There is no Node, and none could be installed; the message says what to do."""


def find() -> Path | None:
    """Return the program that ``NODE_BINARY`` or the PATH names, if it is new enough."""
    names = [os.environ["NODE_BINARY"]] if os.environ.get("NODE_BINARY") else _NAMES
    for found in filter(None, map(shutil.which, names)):
        told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
        version = told.stdout.strip().removeprefix("v").split(".")[0]
        if version.isdecimal() and int(version) >= _OLDEST:
            return Path(found)
    return None


def find_or_install() -> Path:
    """Return Node, installing Debian's package when this is root on Debian or Ubuntu.

    Raises:
        NoNodeError: with what to install.
    """
    return find() or _install()


def _install() -> Path:
    if not debian.may_install():
        raise NoNodeError(
            f"The second verifier of evidence files needs Node {_OLDEST} or newer. Install it (on "
            "Debian as root: apt-get install nodejs), or let NODE_BINARY name it."
        )
    print("Installing Node for the second verifier of evidence files ...", flush=True)
    said = debian.install("nodejs")
    node = find()
    if node is None:
        raise NoNodeError(f"Node could not be installed: {said}")
    return node
