"""A real Valkey of one test's own, which can be frozen."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.embedded import valkey


@dataclass(frozen=True)
class Broker:
    """Where it is, and its process."""

    url: str
    process: "subprocess.Popen[bytes]"

    def freeze(self) -> None:
        """Let it answer nothing from now on; its socket stays open."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def running_broker(data: Path) -> Iterator[Broker]:
    """Start a Valkey on a private socket; it is ready when it says so."""
    server = valkey.prepare(data)
    with subprocess.Popen(server.command(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if b"eady to accept connections" in line:
                break
        try:
            yield Broker(url=server.url, process=process)
        finally:
            process.kill()
    shutil.rmtree(server.socket.parent)
