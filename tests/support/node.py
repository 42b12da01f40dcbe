"""Finds Node, in which the second verifier is written, or gets it where that is allowed."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

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
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise NoNodeError(
            f"The second verifier of evidence files needs Node {_OLDEST} or newer. Install it (on "
            "Debian as root: apt-get install nodejs), or let NODE_BINARY name it."
        )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with Path(__file__).open("rb") as lock:
        # The processes of a parallel run come here together; the package manager takes one.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (found := find()) is not None:
            return found
        for command in ("update -q", "install -q -y --no-install-recommends nodejs"):
            result = subprocess.run(
                [apt, *command.split()],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
    node = find()
    if node is None:
        said = (result.stderr or result.stdout).strip()[-300:]
        raise NoNodeError(f"Node could not be installed: {said}")
    return node
