"""``make check``: every check runs, whatever the others say, and each can fail."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts import check

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.embedded

#: Each check by its name, and what in its command tells it from the others.
NAMES = {
    "style and likely mistakes": "ruff check",
    "format": "ruff format",
    "types": "mypy",
    "imports go downwards": "lint-imports",
    "migrations are complete": "python manage.py makemigrations",
    "security of the code": "bandit",
    "settings of production": "python manage.py check --deploy",
}


@pytest.fixture
def run_check(tmp_path):
    """Run ``make check``'s module beside programs that end well, but for the one that is named."""
    for name in {command.split()[0] for command in NAMES.values()}:
        program = tmp_path / name
        program.write_text(
            f'#!/bin/sh\necho "$COUNTERSIGN_ENV $*"\ncase "{name} $*" in $BROKEN) exit 3;; esac\n'
        )
        program.chmod(0o755)
    # It looks for its programs beside the Python that runs it.
    interpreter = tmp_path / "interpreter"
    interpreter.symlink_to(Path(sys.executable).resolve())

    def run(broken):
        return subprocess.run(
            [interpreter, "-m", "scripts.check"],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "BROKEN": broken, "DEBUG": "1", "STRIPE_API_KEY": "x"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_seven_checks_are_these():
    named = {what: " ".join(command) for what, command in check.CHECKS}
    named["settings of production"] = " ".join(check.DEPLOY)

    assert named.keys() == NAMES.keys()
    assert all(command.startswith(NAMES[what]) for what, command in named.items())


def test_all_of_them_pass(run_check):
    ended = run_check("nothing")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith("\n7 of 7 checks passed.\n")
    for what in NAMES:
        assert f"== {what}: " in ended.stdout


@pytest.mark.parametrize("what", NAMES)
def test_one_that_fails_is_named_and_counted_and_the_others_run_all_the_same(run_check, what):
    ended = run_check(f"{NAMES[what]}*")

    assert ended.returncode == 1
    assert ended.stdout.endswith(f"\n6 of 7 checks passed. {what}\n")
    assert ended.stdout.count("\n== ") == 7


def test_many_that_fail_are_one_failure(run_check):
    ended = run_check("*")

    assert ended.returncode == 1
    assert ended.stdout.endswith(f"\n0 of 7 checks passed. {'; '.join(NAMES)}\n")


def test_only_the_settings_of_production_are_productions(run_check):
    said = run_check("nothing").stdout

    assert said.count("\ntest ") == 6
    assert "\nproduction manage.py check --deploy" in said
