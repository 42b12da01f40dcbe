"""``make test`` and ``make test-long``: the whole suite, in one command.

It starts what the tests need (a broker, a PostgreSQL), runs pytest on the embedded defaults and
then on PostgreSQL, and holds the coverage to its limits. Nothing is skipped in silence.
"""

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded import valkey
from config.processes import ProcessFailedError, ask_to_stop, finish, spawn, tied_to_parent
from tests.support import chromium, measured, node, survived, totals
from tests.support.postgres import running_postgres
from tests.support.totals import Totals

ROOT = Path(__file__).resolve().parent.parent
ARTIFACTS = ROOT / "artifacts"
#: What a developer's shell may hold, and a test must not see.
_WITHHELD = ("COUNTERSIGN_", "STRIPE_API", "STRIPE_READ", "STRIPE_WEBHOOK", "DJANGO_")
_WITHHELD_NAMES = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "PORT", "ALLOWED_HOSTS"}
#: What a real browser shows, and how the installation starts, does not depend on the database.
_ON_POSTGRES = "not browser"
#: One more than the least number of cores: much of the time goes by waiting for processes.
_WORKERS = "3"
#: Whole files, since a file's installation takes long to start; but in the thorough profile single
#: files take so long that their tests are shared out.
_DISTRIBUTION = {False: "loadfile", True: "worksteal"}
#: Measuring coverage takes two fifths of the time, and SQLite's run shows nearly all of it. On
#: PostgreSQL only what asks which database it has is measured, by the tests of its own folder.
MEASURED_ON_POSTGRES = ("tests/approvals/services", "tests/audit/guards", "tests/audit/log")
#: SQLite lets one writer in at a time, so that more rounds there would show nothing more.
RACES_ON_SQLITE = {"TEST_RACE_ROUNDS": "5"}
LONG_RACES = {"TEST_RACE_ROUNDS": "300"}


@dataclass
class Run:
    """The services of this run, and what was counted so far."""

    is_long: bool
    started: float = field(default_factory=time.monotonic)
    environment: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    results: dict[str, Totals] = field(default_factory=dict)


def main() -> int:
    """Run everything; returns 0 only when nothing failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.run", description=__doc__)
    parser.add_argument("--long", action="store_true", help="the thorough profile")
    run = Run(is_long=parser.parse_args().long)
    try:
        with ExitStack() as services:
            services.enter_context(_only_run())
            shutil.rmtree(ARTIFACTS, ignore_errors=True)
            ARTIFACTS.mkdir()
            _prepare(run, services)
            thorough = ["-p", "tests.support.thorough"]
            choice = thorough if run.is_long else ["-m", "not long"]
            _pytest(run, "SQLite", RACES_ON_SQLITE, choice, is_measured=True)
            _pytest_on_postgres(run, services)
            run.failures += measured.failures(run.environment, tell=_say)
            return _verdict(run)
    except (ProcessFailedError, chromium.NoBrowserError, node.NoNodeError) as error:
        sys.exit(str(error))


@contextmanager
def _only_run() -> Iterator[None]:
    """Wait for another run in this clone: the two would spoil each other's artefacts."""
    with Path(__file__).open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another run of the suite goes on in this clone; waiting for its end ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _prepare(run: Run, services: ExitStack) -> None:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_WITHHELD) and name not in _WITHHELD_NAMES
    }
    browser = chromium.find_or_install()
    _say(f"Browser: {browser}")
    second_verifier = node.find_or_install()
    _say(f"Second verifier: {second_verifier}")
    if not kept.get(totals.ALLOWED_SKIP):
        _say(f"Contract tests: the local Stripe alone, for {totals.ALLOWED_SKIP} is not set.")
    redis_url = kept.get("TEST_REDIS_URL") or services.enter_context(_running_valkey())
    run.environment = kept | {
        "COUNTERSIGN_ENV": "test",
        "CHROMIUM_PATH": str(browser),
        "NODE_BINARY": str(second_verifier),
        "TEST_REDIS_URL": redis_url,
        "COVERAGE_FILE": str(ARTIFACTS / "coverage"),
    }


@contextmanager
def _running_valkey() -> Iterator[str]:
    server = valkey.prepare(ARTIFACTS / "valkey")
    process = spawn(server.command(), log=ARTIFACTS / "valkey.log")
    try:
        until = time.monotonic() + 10
        while not server.is_ready():
            if process.poll() is not None or time.monotonic() > until:
                raise ProcessFailedError(f"The broker did not start: {ARTIFACTS / 'valkey.log'}")
            time.sleep(0.02)  # how often we look, not how long we wait
        _say(f"Broker: {server.binary}")
        yield server.url
    finally:
        ask_to_stop(process)
        finish(process, within=5)
        shutil.rmtree(server.socket.parent)


def _pytest_on_postgres(run: Run, services: ExitStack) -> None:
    url = run.environment.get("TEST_DATABASE_URL") or services.enter_context(running_postgres())
    marks = _ON_POSTGRES if run.is_long else f"{_ON_POSTGRES} and not long"
    choice = ["-m", marks, "-p", "tests.support.database_only"]
    extra = {"TEST_DATABASE_URL": url} | (LONG_RACES if run.is_long else {})
    others = [f"--ignore={folder}" for folder in MEASURED_ON_POSTGRES]
    _pytest(run, "PostgreSQL", extra, choice + others, is_measured=False)
    measured_ones = [*choice, *MEASURED_ON_POSTGRES]
    _pytest(run, "PostgreSQL, measured", extra, measured_ones, is_measured=True)


def _pytest(
    run: Run, name: str, extra: dict[str, str], choice: list[str], *, is_measured: bool
) -> None:
    """One run of pytest, its words shown as they come, its counts kept."""
    _say(f"\n== The suite on {name}")
    report = ARTIFACTS / f"{name.lower().replace(', ', '-')}.xml"
    command = [
        sys.executable,
        *(("-m", "coverage", "run") if is_measured else ()),
        *("-m", "pytest", "-q", "-n", _WORKERS),
        *("--dist", _DISTRIBUTION[run.is_long], f"--junitxml={report}", "-p", "no:cacheprovider"),
        *("--durations=10", "--durations-min=2", *choice),
    ]
    marks = ARTIFACTS / "survived"
    marks.mkdir(exist_ok=True)
    environment = run.environment | extra | {survived.VARIABLE: str(marks)}
    if name == "SQLite":
        environment.pop("TEST_DATABASE_URL", None)
    process = subprocess.Popen(command, cwd=ROOT, env=environment, preexec_fn=tied_to_parent())  # noqa: PLW1509
    code = process.wait()
    counted = totals.read(report)
    run.results[name] = counted
    if code:
        run.failures.append(f"pytest on {name} ended with code {code}")
    run.failures += [f"skipped on {name}: {test}" for test in counted.silent_skips]


def _verdict(run: Run) -> int:
    seconds = time.monotonic() - run.started
    counts = "; ".join(f"{name}: {total}" for name, total in run.results.items())
    for failure in run.failures:
        _say(f"FAILED: {failure}")
    _say(_survived(bool(run.failures)))
    word = "FAILED" if run.failures else "PASSED"
    _say(f"\n{word} in {seconds:.0f} s. {counts}. {measured.summary(run.environment)}")
    return 1 if run.failures else 0


def _survived(some_failed: bool) -> str:
    """Say what was done to the processes; that nothing came of it is what the tests assert."""
    done = survived.total(ARTIFACTS / "survived")
    if some_failed:
        return f"\nDone to it: {done}."
    slowest = survived.slowest(ARTIFACTS / "survived")
    return f"\nSurvived: {done}. 0 paid twice, 0 lost, 0 stuck. Slowest recovery: {slowest}."


def _say(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main())
