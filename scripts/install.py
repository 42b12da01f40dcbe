"""Makes ``.venv`` and installs the locked dependencies; does nothing when that is done.

Run by the Makefile with the system's Python, so only the standard library is used, and what goes
wrong is one sentence with its remedy. Usage: ``python3.11 scripts/install.py runtime|dev``.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
#: Which locks have everything that a profile needs: `make lock` builds the one on the other.
HAVE_ALL_OF = {"runtime": ("runtime", "dev"), "dev": ("dev",)}
PIP_OPTIONS = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]


def main(profile: str) -> None:
    """Install the profile, unless its stamp says that exactly this is installed."""
    if sys.version_info[:2] != (3, 11):
        sys.exit("Python 3.11 is needed. On Debian or Ubuntu: apt-get install python3.11")
    lock = lock_of(profile)
    with lock.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)  # two calls at once: the second waits, then finds it
        if any(is_installed(one) for one in HAVE_ALL_OF[profile]) and can_run(PYTHON):
            return
        make_environment()
        install(profile, lock)
        stamp(profile).write_text(digest(profile))


def stamp(profile: str) -> Path:
    """The file that says which lock is installed."""
    return VENV / f".installed-{profile}"


def lock_of(profile: str) -> Path:
    """The file of what has to be installed."""
    return ROOT / "requirements" / f"{profile}.txt"


def digest(profile: str) -> str:
    """What the stamp says when exactly the present lock is installed."""
    return hashlib.sha256(lock_of(profile).read_bytes()).hexdigest()


def is_installed(profile: str) -> bool:
    """Tell whether the stamp is that of the present lock."""
    file = stamp(profile)
    return file.is_file() and file.read_text() == digest(profile)


def can_run(python: Path) -> bool:
    """Tell whether this interpreter starts; a moved or upgraded Python leaves a dead link."""
    check = "import sys; sys.exit(sys.version_info[:2] != (3, 11))"
    try:
        return subprocess.run([python, "-c", check], check=False).returncode == 0
    except OSError:
        return False


def make_environment() -> None:
    """Make ``.venv`` with pip in it, installing what Debian keeps apart when we may."""
    if can_run(PYTHON) and has_module(PYTHON, "pip"):
        return
    if not has_module(Path(sys.executable), "ensurepip"):
        install_debian_package("python3.11-venv", "Python's venv module is not complete")
    say("Making the virtual environment .venv ...")
    result = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", VENV], check=False, capture_output=True, text=True
    )
    if result.returncode:
        sys.exit(f"The virtual environment could not be made: {last_line(result)}")


def has_module(python: Path, name: str) -> bool:
    """Tell whether that interpreter can import the module."""
    return (
        subprocess.run([python, "-c", f"import {name}"], check=False, capture_output=True)
    ).returncode == 0


def install_debian_package(package: str, problem: str) -> None:
    """Install a system package as root on Debian or Ubuntu; elsewhere end with what to do."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        sys.exit(f"{problem}. Install it, on Debian or Ubuntu as root: apt-get install {package}")
    say(f"Installing the system package {package} ...")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-q"], ["install", "-q", "-y", package]):
        result = subprocess.run(
            [apt, *arguments], check=False, capture_output=True, text=True, env=environment
        )
    if result.returncode:
        sys.exit(f"{problem}, and {package} could not be installed: {last_line(result)}")


def install(profile: str, lock: Path) -> None:
    """Install the lock with pip, telling how far it is."""
    lines = lock.read_text().splitlines()
    count = sum("==" in line and line[0] != " " and "'win32'" not in line for line in lines)
    say(f"Installing {count} locked packages ({profile}) ...")
    started = time.monotonic()
    log = VENV / "install.log"
    # The lock is complete. Were pip to resolve, it would look for extras in newer releases too,
    # and fail on the first one that came out after the lock.
    options = [*PIP_OPTIONS, "--require-hashes", "--no-deps", "-r", str(lock)]
    with (
        log.open("w") as output,
        subprocess.Popen(
            [str(PYTHON), "-m", "pip", "install", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        follow(process, output, count)
    if process.wait():
        sys.exit(f"The packages could not be installed. {log} ends with: {log_end(log)}")
    say(f"Installed in {time.monotonic() - started:.0f} s.")


def follow(process, output, count) -> None:  # type: ignore[no-untyped-def]
    """Copy pip's words to the log, and say every tenth package how far it is."""
    seen = 0
    for line in process.stdout:
        output.write(line)
        if line.startswith(("Collecting", "Processing", "Requirement already")):
            seen += 1
            if seen % 10 == 0 or seen == count:
                say(f"  {seen} of {count} found")
        elif line.startswith("Installing collected packages"):
            say("  unpacking ...")


def last_line(result: "subprocess.CompletedProcess[str]") -> str:
    """What the failed command said last."""
    lines = [line for line in (result.stdout + result.stderr).splitlines() if line.strip()]
    return lines[-1].strip() if lines else f"code {result.returncode}"


def log_end(log: Path) -> str:
    """The last line of pip's log that says what is wrong."""
    lines = [line.strip() for line in log.read_text().splitlines() if line.startswith("ERROR")]
    return lines[-1] if lines else "nothing"


def say(sentence: str) -> None:
    """Print at once, also into a pipe."""
    print(sentence, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
