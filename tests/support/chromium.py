"""Finds the browser that drives the admin, or gets it where that is allowed."""

import os
import shutil
import subprocess
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


class NoBrowserError(Exception):
    """There is no browser, and none could be installed; the message says what to do."""


def find() -> Path | None:
    """Return the program that ``CHROMIUM_PATH`` or the PATH names."""
    names = [os.environ["CHROMIUM_PATH"]] if os.environ.get("CHROMIUM_PATH") else _NAMES
    found = next(filter(None, map(shutil.which, names)), None)
    return Path(found) if found else None


def find_or_install() -> Path:
    """Return the browser, installing Debian's package when this is root on Debian or Ubuntu.

    Raises:
        NoBrowserError: with what to install.
    """
    return find() or _install()


def _install() -> Path:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise NoBrowserError(
            "The tests of the admin need Chromium or Chrome. Install it (on Debian as root: "
            "apt-get install chromium), or let CHROMIUM_PATH name it."
        )
    print("Installing Chromium for the tests of the admin ...", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in ("update -q", "install -q -y --no-install-recommends chromium"):
        result = subprocess.run(
            [apt, *command.split()], env=environment, capture_output=True, text=True, check=False
        )
    browser = find()
    if browser is None:
        raise NoBrowserError(
            f"Chromium could not be installed: {(result.stderr or result.stdout).strip()[-300:]}"
        )
    return browser
