"""How a process that cannot start says so: one sentence, where whoever starts it looks."""

import sys
from types import TracebackType
from typing import NoReturn

from config.environment import ConfigurationError

#: The exit code after which gunicorn ends too, instead of starting its worker again and again.
NEVER_BOOTS = 3


def stop_with_sentence(error: ConfigurationError, *, code: int = 1) -> NoReturn:
    """End this process; Celery logs any other exception at its start, and goes on."""
    say(error)
    raise SystemExit(code)


def say(error: ConfigurationError) -> None:
    """Write the sentence where whoever starts the process looks."""
    # Celery has put its log in place of sys.stderr, with handlers that may not exist yet.
    stderr = sys.__stderr__ or sys.stderr
    stderr.write(f"Countersign cannot start: {error}\n")
    stderr.flush()


def say_instead_of_a_traceback() -> None:
    """Let a wrong environment end any process of ours with its sentence alone."""
    usual = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, ConfigurationError):
            say(error)
        else:
            usual(kind, error, trace)

    sys.excepthook = hook
