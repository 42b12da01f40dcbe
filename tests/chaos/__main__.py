"""``make chaos``: random faults, deaths and clock jumps over concurrent refunds, then the checker.

Each round is a schedule of its own, drawn from its seed: which refunds, which processes with which
fates, which faults, which jumps. The same seed gives the same schedule again; how its processes
interleave is the machine's affair, so that a failure of timing may need several turns to be seen
again. `--serial` starts one process after another, for failures that show in that way too.
"""

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg

from config.processes import ProcessFailedError, tied_to_parent
from tests.chaos import reading
from tests.chaos.telling import table
from tests.support.postgres import running_postgres

ROOT = Path(__file__).resolve().parent.parent.parent
#: What is answered as committed survives whoever dies; only a power cut is not played here.
_SETTINGS = {"synchronous_commit": "on"}
_TEMPLATE = "chaos"


def main() -> int:
    """Play the rounds; returns 0 when nothing was wrong with any of them."""
    chosen = _arguments()
    # A run in the background is ended in order, too.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    _say(f"Seed {chosen.seed}, {chosen.rounds} rounds in {chosen.jobs} lanes, {chosen.database}.")
    results = Counter[str]()
    failures: list[dict[str, Any]] = []
    started = time.monotonic()
    try:
        with ExitStack() as stack:
            lanes = _lanes(chosen, stack)
            for line in reading.lines_of(lanes):
                results.update(line["total"])
                if line["problems"]:
                    failures.append(line)
                    _say(_told(line, chosen))
                _progress(results["rounds"], chosen.rounds, started)
            broken = [lane.returncode for lane in lanes if lane.wait()]
    except ProcessFailedError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        broken = [1]
    return _verdict(chosen, results, failures, broken, time.monotonic() - started)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, help="of the first round (default: another each time)")
    parser.add_argument("--rounds", type=int, default=200, help="how many (default: 200)")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 8), help="lanes")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--serial", action="store_true", help="one process after another")
    parser.add_argument(
        "--broken", default="", help="an executor of tests/chaos/naive.py, to see a failure"
    )
    parser.add_argument("--json", type=Path, help="write the result to this file, too")
    chosen = parser.parse_args()
    if chosen.seed is None:
        chosen.seed = secrets.randbelow(10**9)
    chosen.jobs = max(1, min(chosen.jobs, chosen.rounds))
    return chosen


def _lanes(chosen: argparse.Namespace, stack: ExitStack) -> list["subprocess.Popen[str]"]:
    """Prepare a database, and start the lanes, each with every so many-th seed."""
    memory = Path("/dev/shm")
    base = memory if memory.is_dir() else None
    directory = Path(stack.enter_context(tempfile.TemporaryDirectory("-chaos", dir=base)))
    url = f"sqlite:///{directory / 'template.sqlite3'}"
    if chosen.database == "postgresql":
        server = stack.enter_context(running_postgres(_SETTINGS))
        url = _new_database(server)
    if _lane(url, directory / "prepare", ["--prepare"], stack).wait():
        raise ProcessFailedError("The database could not be prepared.")
    lanes = []
    for number in range(chosen.jobs):
        seeds = (chosen.seed + number, chosen.seed + chosen.rounds, chosen.jobs)
        options = ["--name", f"lane_{number}", "--seeds", *map(str, seeds)]
        options += ["--serial"] * chosen.serial + ["--broken", chosen.broken]
        lanes.append(_lane(url, directory / f"lane_{number}", options, stack))
    return lanes


def _lane(
    url: str, directory: Path, options: list[str], stack: ExitStack
) -> "subprocess.Popen[str]":
    directory.mkdir()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("COUNTERSIGN_", "STRIPE_", "DJANGO_", "TEST_"))
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.lane", *options],
        cwd=ROOT,
        env=environment
        | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "COUNTERSIGN_ENV": "test",
            "COUNTERSIGN_VAR_DIR": str(directory),
            "DATABASE_URL": url,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=tied_to_parent(),  # noqa: PLW1509 (this process has one thread)
    )
    stack.callback(_end, process)
    return process


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def _new_database(server: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{_TEMPLATE}"')
    return f"{server.removesuffix('/postgres')}/{_TEMPLATE}"


def _told(line: dict[str, Any], chosen: argparse.Namespace) -> str:
    """A failure, and how to see it again."""
    return "\n".join(
        [
            f"\n== FAILED: seed {line['seed']}",
            *line["schedule"],
            *(f"-> {problem}" for problem in line["problems"]),
            f"Again: {_again(line['seed'], chosen)}",
            "",
        ]
    )


def _again(seed: int, chosen: argparse.Namespace) -> str:
    usual = ("postgresql", False, "")
    if (chosen.database, chosen.serial, chosen.broken) == usual:
        return f"make chaos SEED={seed} ROUNDS=1"
    more = " --serial" * chosen.serial + f" --broken {chosen.broken}" * bool(chosen.broken)
    return (
        f".venv/bin/python -m tests.chaos --seed {seed} --rounds 1 "
        f"--database {chosen.database}{more}"
    )


def _progress(done: int, rounds: int, started: float) -> None:
    is_seen = sys.stdout.isatty()
    if not is_seen and done % 100 and done != rounds:
        return
    seconds = time.monotonic() - started
    left = seconds / done * (rounds - done)
    text = f"{done} of {rounds} rounds, {done / seconds:.1f}/s, {left / 60:.1f} min left"
    print(f"\r{text}   " if is_seen else text, end="" if is_seen else "\n", flush=True)


def _verdict(
    chosen: argparse.Namespace,
    results: Counter[str],
    failures: list[dict[str, Any]],
    broken: list[int],
    seconds: float,
) -> int:
    complete = results["rounds"] == chosen.rounds and not broken
    word = "PASSED" if complete and not failures else "FAILED"
    _say(f"\n{table(results)}\n{word} in {seconds:.0f} s. Seed {chosen.seed}.")
    if not complete:
        _say(f"Only {results['rounds']} of {chosen.rounds} rounds were played.")
    if chosen.json:
        report = {
            "seed": chosen.seed,
            "seconds": round(seconds),
            "passed": word == "PASSED",
            "total": results,
            "failures": failures,
        }
        chosen.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0 if word == "PASSED" else 1


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
