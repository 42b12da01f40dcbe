"""The demonstration as a process of its own, in a directory of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.test_processes import eventually

ROOT = Path(__file__).resolve().parent.parent.parent


class Demonstration:
    """``manage.py run_demo`` as ``make run`` calls it; what it says is in ``said``."""

    def __init__(self, var, port):
        self.var = var
        self.port = port
        self.output = var.parent / "screen"
        self.process = None
        self.socket = ""

    def environment(self, **extra):
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("COUNTERSIGN_", "STRIPE_", "DJANGO_", "TEST_", "MAKE"))
            and name not in {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "DEBUG", "PORT"}
        }
        return kept | {"COUNTERSIGN_VAR_DIR": str(self.var), "PORT": str(self.port)} | extra

    def manage(self, *arguments, **extra):
        """Call a command beside it, with nothing in the environment but where it is."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment(**extra),
            capture_output=True,
            text=True,
            check=False,
        )

    def run_demo(self, **extra):
        """Start it once more and wait for its end, as a second ``make run`` would."""
        return self.manage(
            "run_demo", COUNTERSIGN_ENV="demo", COUNTERSIGN_ROLE="supervisor", **extra
        )

    def launch(self):
        """Start it without waiting for anything, as ``make`` does."""
        extra = {"COUNTERSIGN_ENV": "demo", "COUNTERSIGN_ROLE": "supervisor", "MAKELEVEL": "1"}
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run_demo"],
                cwd=ROOT,
                env=self.environment(**extra),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self):
        """Start it and wait for its last screen."""
        self.launch()
        eventually(lambda: "Ctrl-C stops" in self.said or self.process.poll() is not None, 150)
        assert self.process.poll() is None, self.said
        running = (self.var / "demo.running.env").read_text()
        [self.socket] = re.findall(r"REDIS_URL=redis\+socket://(.*)\?", running)

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def said(self):
        return self.output.read_text()

    @property
    def facts(self):
        return json.loads((self.var / "demo.json").read_text())

    def children(self):
        """Every process that works in its directory or at its socket: number and command."""
        found = {}
        for status in Path("/proc").glob("[0-9]*/environ"):
            try:
                environment = status.read_bytes().split(b"\0")
                command = (status.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            ours = f"COUNTERSIGN_VAR_DIR={self.var}".encode() in environment
            # The broker writes its own title over its environment.
            if ours or (self.socket and self.socket in command):
                found[int(status.parent.name)] = command
        return found

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        self.process.wait(60)


@pytest.fixture(scope="module")
def free_port():
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def one_demonstration(tmp_path_factory, free_port):
    """A demonstration for all tests of a module."""
    demonstration = Demonstration(tmp_path_factory.mktemp("demonstration") / "var", free_port)
    yield demonstration
    if demonstration.is_running:
        demonstration.end()


@pytest.fixture
def demonstration(one_demonstration):
    """It runs, whatever the test before did to it."""
    if not one_demonstration.is_running:
        one_demonstration.start()
    return one_demonstration
