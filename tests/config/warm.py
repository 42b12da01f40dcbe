"""Processes of ours that start quickly: forks of one that has loaded the libraries, and no more.

What is tested at a start is which environment is refused with which words. Loading Django and
Celery again for each takes longer than all the rest, and shows nothing. Nothing of ``config`` is
loaded before the fork, so that each start reads its environment for itself.

``python -m tests.config.warm`` reads a line of JSON for each start (argv, environment, directory)
and writes one with what came of it.
"""

import json
import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent


class Warm:
    """The process that forks; ``run`` is like ``subprocess.run`` with Python's own arguments."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.config.warm"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, script: str, *arguments: str, environment: dict[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        """Run a script of the tree with this environment alone."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"argv": [script, *arguments], "environment": environment}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return subprocess.CompletedProcess(
            asked["argv"], told["code"], stdout=told["stdout"], stderr=told["stderr"]
        )

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def main() -> None:
    """Load the libraries, then fork for each line until there are no more."""
    for library in _LIBRARIES:
        import_module(library)
    ours = [name for name in sys.modules if name.split(".")[0] in _OURS]
    assert not ours, f"These would not be loaded again: {ours}"
    for line in sys.stdin:
        print(json.dumps(_fork(json.loads(line))), flush=True)


_OURS = ("config", "approvals", "executors", "audit")


#: What takes long to load, and reads no environment of ours.
_LIBRARIES = (
    "celery.app.base",
    "celery.app.utils",
    "celery.signals",
    "django.contrib.auth",
    "django.core.management.commands.check",
    "django.db.backends.postgresql.base",
    "environ",
)


def _fork(asked: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        child = os.fork()
        if child == 0:
            os.dup2(stdout.fileno(), 1)
            os.dup2(stderr.fileno(), 2)
            _live(asked)
        _, status = os.waitpid(child, 0)
        said = {}
        for name, file in (("stdout", stdout), ("stderr", stderr)):
            file.seek(0)
            said[name] = file.read()
        return {"code": os.waitstatus_to_exitcode(status), **said}


def _live(asked: dict[str, Any]) -> None:
    """The whole life of a child; it never returns."""
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = asked["argv"]
    code = 0
    try:
        runpy.run_path(str(ROOT / asked["argv"][0]), run_name="__main__")
    except SystemExit as end:
        code = _code(end)
    except BaseException:  # noqa: BLE001 - as the interpreter would say it
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _code(end: SystemExit) -> int:
    """What the interpreter makes of it."""
    if isinstance(end.code, str):
        print(end.code, file=sys.stderr)
        return 1
    return end.code or 0


if __name__ == "__main__":
    main()
