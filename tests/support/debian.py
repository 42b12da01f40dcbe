"""Installs one of Debian's packages, where that is allowed."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path


def may_install() -> bool:
    """Tell whether this is root on Debian or Ubuntu."""
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def install(package: str) -> str:
    """Install it; returns the last words of the package manager, for whoever still misses it."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with Path(__file__).open("rb") as lock:
        # The processes of a parallel run come here together; the package manager takes one.
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in ("update -q", f"install -q -y --no-install-recommends {package}"):
            result = subprocess.run(
                ["apt-get", *command.split()],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
    return (result.stderr or result.stdout).strip()[-300:]
