"""A command that takes a checkpoint on its standard input and puts it somewhere."""

import os
import signal
import subprocess
from collections.abc import Sequence
from datetime import timedelta

from audit.errors import AnchorError

#: How long a command may take for a checkpoint, in seconds.
LIMIT = 30.0
#: What it gets of the environment: nothing secret, and where to look for its own settings.
_PASSED = ("PATH", "HOME", "LANG", "TZ")


class CommandTarget:
    """Runs a program without a shell, once for each checkpoint; 0 means that it is copied."""

    pace = timedelta(0)

    def __init__(self, words: Sequence[str], *, limit: float = LIMIT) -> None:
        self._words = list(words)
        self._limit = limit
        # Arguments may hold a secret, and the name is stored.
        self.name = f"command:{words[0]}"

    def check(self) -> None:
        """See ``Target.check``."""
        if not os.access(self._words[0], os.X_OK):
            raise AnchorError(f"names {self._words[0]}, which this process cannot run.")

    def copy(self, note: str) -> None:
        """See ``Target.copy``."""
        try:
            process = subprocess.Popen(  # noqa: S603 (the operator's command, without a shell)
                self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _PASSED if name in os.environ},
                start_new_session=True,
            )
        except OSError as error:
            raise AnchorError(f"{self._words[0]} cannot be run: {error.strerror}.") from error
        with process:
            try:
                process.communicate(note.encode(), timeout=self._limit)
            except subprocess.TimeoutExpired as error:
                raise AnchorError(
                    f"{self._words[0]} took more than {self._limit:g} seconds."
                ) from error
            finally:
                _end(process)
        if process.returncode != 0:
            raise AnchorError(f"{self._words[0]} ended with {process.returncode}.")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End it with all that it started; nothing is left of one that has ended."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
