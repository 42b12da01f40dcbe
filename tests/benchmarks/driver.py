"""The same SQL sent by a plain loop around the database driver, without Django.

``python -m tests.benchmarks.driver`` reads a JSON object from standard input: ``database_url`` and
``clients``, each a list of transactions, each a list of statements. Every client is one thread
with one connection. Prints the latencies in seconds, and how long it took, as JSON.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg

from tests.benchmarks.load import Measured
from tests.flows.parts import ROOT

#: As many processes as the web has: one alone would wait for itself, as Python does.
PROCESSES = 2

Client = Sequence[Sequence[str]]


def run(database_url: str, clients: Sequence[Client]) -> float:
    """Run all clients at once, in a few processes; returns transactions per second."""
    parts = [clients[number::PROCESSES] for number in range(PROCESSES)]
    running = [_start(database_url, part) for part in parts if part]
    return sum(_measured(process).rate for process in running)


def run_one(database_url: str, client: Client) -> Measured:
    """Run one client in this process; returns how long each transaction took."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        started = time.perf_counter()
        latencies = _transactions(connection, client)
        return Measured(seconds=time.perf_counter() - started, latencies=latencies)


def _start(database_url: str, clients: Sequence[Client]) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.driver"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    json.dump({"database_url": database_url, "clients": list(clients)}, process.stdin)
    process.stdin.close()
    return process


def _measured(process: "subprocess.Popen[str]") -> Measured:
    assert process.stdout is not None
    said = process.stdout.read()
    process.stdout.close()
    if process.wait():
        raise RuntimeError("The driver loop failed; its words are above.")
    return Measured(**json.loads(said))


def _transactions(connection: "psycopg.Connection[object]", client: Client) -> list[float]:
    latencies = []
    for statements in client:
        started = time.perf_counter()
        for statement in statements:
            cursor = connection.execute(statement.encode())
            if cursor.description is not None:
                cursor.fetchall()
        latencies.append(time.perf_counter() - started)
    return latencies


def main() -> None:
    """Read, run, print."""
    asked = json.load(sys.stdin)
    barrier = threading.Barrier(len(asked["clients"]))

    def client(transactions: Client) -> tuple[float, list[float]]:
        with psycopg.connect(asked["database_url"], autocommit=True) as connection:
            barrier.wait()
            return time.perf_counter(), _transactions(connection, transactions)

    with ThreadPoolExecutor(len(asked["clients"])) as pool:
        results = list(pool.map(client, asked["clients"]))
    seconds = time.perf_counter() - min(started for started, _ in results)
    latencies = [latency for _, measured in results for latency in measured]
    print(json.dumps({"seconds": seconds, "latencies": latencies}))


if __name__ == "__main__":
    main()
