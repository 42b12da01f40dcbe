"""Stands between the money worker and the local Stripe, and notes when the first byte arrives."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_KEY = re.compile(rb"^idempotency-key: *(\S+)", re.IGNORECASE | re.MULTILINE)
_TIMEOUT = 30


class Proxy:
    """``first_bytes`` tells for each idempotency key when its first request began to arrive."""

    def __init__(self, target_url: str) -> None:
        parts = urlsplit(target_url)
        self._target = (parts.hostname or "", parts.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        #: Seconds since 1970 of the machine's clock, by idempotency key.
        self.first_bytes: dict[str, float] = {}
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept nothing any more."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target, timeout=_TIMEOUT) as server:
            client.settimeout(_TIMEOUT)
            data = client.recv(65536)
            arrived = time.time()
            while data and b"\r\n\r\n" not in data:
                data += client.recv(65536)
            found = _KEY.search(data)
            if found is not None:
                self.first_bytes.setdefault(found[1].decode(), arrived)
            server.sendall(data)
            back = threading.Thread(target=_copy, args=[server, client], daemon=True)
            back.start()
            _copy(client, server)
            back.join(_TIMEOUT)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def recording(target_url: str) -> Iterator[Proxy]:
    """Run a proxy for the length of a block."""
    proxy = Proxy(target_url)
    try:
        yield proxy
    finally:
        proxy.close()
