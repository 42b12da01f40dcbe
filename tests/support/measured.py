"""Holds the branch coverage of a whole run to its limits."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def limits() -> tuple[float, list[str]]:
    """The least coverage of everything (per cent), and the modules that must be complete."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["countersign"]["coverage"]
    return float(table["least"]), list(table["complete"])


def failures(environment: dict[str, str], *, tell: Callable[[str], None]) -> list[str]:
    """Combine what every process measured; returns a sentence for each limit that is missed."""
    tell("\n== Branch coverage of both runs together")
    for command in (["combine", "-q"], ["json", "-q", "-o", str(_json(environment))]):
        code = _coverage(command, environment)
        if code:
            return [f"coverage {command[0]} ended with code {code}"]
    _coverage(["report", "--skip-covered", "--skip-empty"], environment)
    least, complete = limits()
    report = json.loads(_json(environment).read_text())
    missed = []
    branches = report["totals"]["percent_branches_covered"]
    if branches < least:
        missed.append(f"branch coverage is {branches:.1f} %, below {least} %")
    for pattern in complete:
        missed += _incomplete(pattern, report["files"])
    return missed


def summary(environment: dict[str, str]) -> str:
    """The total as a sentence."""
    file = _json(environment)
    if not file.is_file():
        return "Coverage was not measured."
    percent = json.loads(file.read_text())["totals"]["percent_branches_covered"]
    return f"Branch coverage {percent:.1f} %."


def _incomplete(pattern: str, files: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    found = {name: files[name] for name in files if Path(name).match(pattern)}
    if not found:
        return [f"{pattern} must be complete, but no measured file is called so"]
    return [
        f"{name} must be completely covered, and is to {file['summary']['percent_covered']:.1f} %"
        for name, file in found.items()
        if file["summary"]["percent_covered"] < 100
    ]


def _json(environment: dict[str, str]) -> Path:
    return Path(environment["COVERAGE_FILE"] + "-report.json")


def _coverage(arguments: list[str], environment: dict[str, str]) -> int:
    command = [sys.executable, "-m", "coverage", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
