"""Sends prepared HTTP calls over kept-alive connections, and times them.

As little Python as possible between two calls: the machine that is measured also runs this.
"""

import math
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: Longer than any call may take, in seconds.
_TIMEOUT = 30


@dataclass(frozen=True, kw_only=True)
class Measured:
    """How long all calls took together, and each by itself, in seconds."""

    seconds: float
    latencies: list[float]

    @property
    def rate(self) -> float:
        """Calls per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, per_cent: int) -> float:
        """How long, in seconds, this share of the calls took at most."""
        return percentile(self.latencies, per_cent)


def percentile(values: Sequence[float], per_cent: int) -> float:
    """Return the smallest value that is not exceeded by this share of them (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * per_cent / 100) - 1)]


def run(port: int, clients: Sequence[Sequence[bytes]], *, expected: int) -> Measured:
    """Send the calls of each client one after the other, all clients at once.

    Raises:
        RuntimeError: an answer has another status than ``expected``.
    """
    barrier = threading.Barrier(len(clients) + 1)
    latencies: list[list[float]] = [[] for _ in clients]
    problems: list[BaseException] = []

    def client(number: int) -> None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                barrier.wait()
                latencies[number] += [
                    timed(lambda call=call: call_once(connection, call, expected))
                    for call in clients[number]
                ]
        except BaseException as error:  # noqa: BLE001 (told to the caller below)
            problems.append(error)
            barrier.abort()

    threads = [threading.Thread(target=client, args=[number]) for number in range(len(clients))]
    for thread in threads:
        thread.start()
    try:
        barrier.wait()
    except threading.BrokenBarrierError:
        raise RuntimeError(f"A client could not start: {problems}") from None
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if problems:
        raise RuntimeError(f"A client failed: {problems[0]!r}") from problems[0]
    return Measured(seconds=seconds, latencies=[item for one in latencies for item in one])


def one(port: int, call: bytes, *, expected: int) -> bytes:
    """Send a single call and return the body of its answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT) as connection:
        return call_once(connection, call, expected)


def timed(act: Callable[[], object]) -> float:
    """Return how many seconds this takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def call_once(connection: socket.socket, call: bytes, expected: int) -> bytes:
    """Send one call and read its whole answer; returns the body."""
    connection.sendall(call)
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    [length] = [int(line[15:]) for line in lines if line.startswith(b"content-length:")]
    while len(body) < length:
        body += _more(connection)
    if int(head[9:12]) != expected:
        raise RuntimeError(f"Answered {head[:200]!r}: {body[:500]!r}")
    return body


def request(method: str, path: str, *, body: bytes = b"", **headers: str) -> bytes:
    """Return the bytes of a call; underscores in the names of headers become hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body:
        named |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in named.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise RuntimeError("The web process closed the connection.")
    return data
