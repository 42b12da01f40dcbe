"""One process of a stack, which a test may stop, freeze and start again."""

import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from config.processes import ProcessFailedError, ask_to_stop, finish, spawn
from tests.flows.polling import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass
class Part:
    """``is_ready`` tells from what it has said since its start whether it can do its work."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    log: Path
    is_ready: Callable[[str], bool]
    process: subprocess.Popen[bytes] | None = None
    log_start: int = field(default=0)

    def start(self) -> None:
        """Start it, without waiting until it is ready."""
        self.log_start = self.log.stat().st_size if self.log.exists() else 0
        self.process = spawn(
            self.command, log=self.log, environment=self.environment, directory=ROOT
        )

    def ask_to_stop(self) -> None:
        """Let it begin to end."""
        if self.process is not None:
            ask_to_stop(self.process)

    def stop(self) -> None:
        """Stop it, as an operator would."""
        self.ask_to_stop()
        if self.process is not None:
            finish(self.process, within=20)

    def signal(self, number: int) -> None:
        """Send a signal to the process itself."""
        assert self.process is not None
        self.process.send_signal(number)

    def wait_ready(self) -> None:
        """Wait until it can do its work; a process that ended is reported with its last words."""
        wait_until(self._look, f"{self.name} to be ready ({self.log})", seconds=60)

    def said(self) -> str:
        """All that it has written since its last start."""
        with self.log.open("rb") as stream:
            stream.seek(self.log_start)
            return stream.read().decode(errors="replace")

    def _look(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise ProcessFailedError(f"{self.name} ended: {self.said()[-2000:]}")
        return self.is_ready(self.said())


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on at present."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_answering(address: str) -> bool:
    """Tell whether a web process answers there."""
    connection = HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
