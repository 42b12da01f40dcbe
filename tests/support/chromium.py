"""Finds the browser that drives the admin, or gets it where that is allowed."""

import os
import shutil
from pathlib import Path

from tests.support import debian

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
    if not debian.may_install():
        raise NoBrowserError(
            "The tests of the admin need Chromium or Chrome. Install it (on Debian as root: "
            "apt-get install chromium), or let CHROMIUM_PATH name it."
        )
    print("Installing Chromium for the tests of the admin ...", flush=True)
    said = debian.install("chromium")
    browser = find()
    if browser is None:
        raise NoBrowserError(f"Chromium could not be installed: {said}")
    return browser
