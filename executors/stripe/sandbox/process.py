"""Starting and stopping the local Stripe from Python: for the demonstration and for tests."""

import json
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

#: The directory that holds the ``executors`` package.
_ROOT = Path(__file__).resolve().parents[3]
#: Seconds until the process must be ready; it needs a fraction of one.
START_SECONDS = 20.0
#: Seconds until a stopping process is killed; it drains for at most five.
STOP_SECONDS = 10.0


class SandboxStartError(Exception):
    """The local Stripe did not start; the message says why, in a sentence."""


@dataclass(frozen=True, kw_only=True)
class RunningSandbox:
    """A local Stripe that answers: its address, account, keys, webhook secret and process."""

    base_url: str
    account: str
    secret_key: str
    worker_key: str
    read_key: str
    webhook_secret: str
    process: "subprocess.Popen[bytes]"

    def stop(self) -> int:
        """Stop it (kill it when it does not listen) and return its exit code."""
        return _stop(self.process)


@contextmanager
def running_sandbox(
    database: Path,
    *,
    port: int = 0,
    secret_key: str | None = None,
    worker_key: str | None = None,
    read_key: str | None = None,
    webhook_url: str = "",
    is_seeded: bool = False,
    log: IO[bytes] | None = None,
) -> Iterator[RunningSandbox]:
    """Run the local Stripe for the length of a ``with`` block; port 0 takes a free one.

    Raises:
        SandboxStartError: it did not become ready, with its own sentence.
    """
    chosen = {"secret": secret_key, "worker": worker_key, "read": read_key}
    sandbox = start_sandbox(
        database, port=port, keys=chosen, webhook_url=webhook_url, is_seeded=is_seeded, log=log
    )
    try:
        yield sandbox
    finally:
        sandbox.stop()


def start_sandbox(
    database: Path,
    *,
    port: int,
    keys: Mapping[str, str | None],
    webhook_url: str = "",
    is_seeded: bool = False,
    log: IO[bytes] | None = None,
) -> RunningSandbox:
    """Start the local Stripe and return when it answers; the caller stops it.

    ``keys`` are by role (``secret``, ``worker``, ``read``); a role without one keeps its stored key
    or gets a new one. Events are delivered to ``webhook_url``, where there is one. Each request is
    logged to ``log``.

    Raises:
        SandboxStartError: it did not become ready, with its own sentence.
    """
    options = [f"--webhook-url={webhook_url}"] * bool(webhook_url)
    options += ["--seed-demo"] * is_seeded + ["--verbose"] * (log is not None)
    with tempfile.TemporaryFile() as errors:
        # A session of its own: Ctrl-C in the terminal is for whoever started this process.
        process = subprocess.Popen(  # noqa: S603
            [*_command(database, port, keys), *options],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log or errors,
            start_new_session=True,
        )
        line = _first_line(process)
        if not line:
            _stop(process)
            errors.seek(0)
            reason = errors.read().decode(errors="replace").strip().splitlines()
            raise SandboxStartError(reason[-1] if reason else "The local Stripe did not start.")
    return RunningSandbox(**json.loads(line), process=process)


def _command(database: Path, port: int, keys: Mapping[str, str | None]) -> list[str]:
    command = [sys.executable, "-m", "executors.stripe.sandbox", "--stop-with-parent"]
    command += ["--port", str(port), "--database", str(database.absolute())]
    return command + [f"--{role}-key={key}" for role, key in keys.items() if key]


def _first_line(process: "subprocess.Popen[bytes]") -> bytes:
    """Return the line that says it is ready; nothing when it ended or took too long."""
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if not selector.select(START_SECONDS):
            return b""
        line: bytes = process.stdout.readline()
        return line


def _stop(process: "subprocess.Popen[bytes]") -> int:
    process.terminate()
    try:
        code = process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    return code
