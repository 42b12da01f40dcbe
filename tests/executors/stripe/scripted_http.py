"""A loopback HTTP server that follows a script: what comes in, byte for byte, and what goes out."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: Instead of an answer: close without one, with a reset.
RESET = b""


class ScriptedHttp:
    """Answers each connection with the next of ``answers``; the last one is repeated."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.answers: list[bytes] = []
        self.received: list[bytes] = []
        self.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def body(self, number: int = -1) -> bytes:
        """The body of a request."""
        return self.received[number].partition(b"\r\n\r\n")[2]

    def headers(self, number: int = -1) -> dict[str, str]:
        """The headers of a request, by lower-case name."""
        head = self.received[number].partition(b"\r\n\r\n")[0].decode()
        lines = [line.partition(": ") for line in head.split("\r\n")[1:]]
        return {name.lower(): value for name, _, value in lines}

    def line(self, number: int = -1) -> str:
        """The request line."""
        return self.received[number].partition(b"\r\n")[0].decode()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.received.append(_read(connection))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer == RESET:
                    linger = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                else:
                    connection.sendall(answer)


@contextmanager
def scripted_http() -> Iterator[ScriptedHttp]:
    """Serve until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = ScriptedHttp(listener)
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        yield server
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


def answer(
    status: int, body: Any, *, headers: dict[str, str] | None = None, length: int | None = None
) -> bytes:
    """An HTTP answer; ``length`` states another length than the body has."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {
        "Content-Type": "application/json",
        "Content-Length": str(len(content) if length is None else length),
        "Connection": "close",
        "Request-Id": "req_scripted",
    } | (headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Scripted\r\n{head}\r\n".encode() + content


def stripe_error(status: int, kind: str, code: str | None = None, **more: Any) -> bytes:
    """A refusal in Stripe's own form."""
    error = {"type": kind, "message": f"Scripted {code or kind}."} | (
        {"code": code} if code else {}
    )
    return answer(status, {"error": error}, **more)


def _read(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
