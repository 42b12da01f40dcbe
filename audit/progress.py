"""A progress bar for a terminal, and nothing anywhere else."""

from typing import TextIO

_WIDTH = 40


class Bar:
    """Draws how much is done; redraws when that is another whole per cent."""

    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream = stream
        self._is_seen = stream.isatty()
        self._total = max(total, 1)
        self._done = 0
        self._drawn = -1

    def advance(self, steps: int) -> None:
        """Count steps; more than were expected leave it full."""
        self._done += steps
        percent = min(self._done, self._total) * 100 // self._total
        if self._is_seen and percent != self._drawn:
            filled = "#" * (percent * _WIDTH // 100)
            self._write(f"\r[{filled:<{_WIDTH}}] {percent:3} %")
            self._drawn = percent

    def clear(self) -> None:
        """Take it away, so that a line can be written; the next step draws it again."""
        if self._drawn >= 0:
            self._write("\r\x1b[K")
            self._drawn = -1

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
