"""An append-only text file: one signed note after another, on a disk that outlives the database."""

import os
from datetime import timedelta
from pathlib import Path

from audit.errors import AnchorError

#: As long as a note of one signature can be, and more: for a look at the end of the file.
_TAIL = 8 * 1024


class FileTarget:
    """Appends each checkpoint; what is in the file is never written again."""

    pace = timedelta(0)

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = f"file:{path}"

    def check(self) -> None:
        """See ``Target.check``."""
        folder = self._path.parent
        if not folder.is_dir():
            raise AnchorError(f"names {self._path}, and there is no directory {folder}. Make it.")
        if self._path.is_dir():
            raise AnchorError(f"names {self._path}, which is a directory. Name a file in it.")
        known = self._path if self._path.exists() else folder
        if not os.access(known, os.W_OK):
            raise AnchorError(
                f"names {self._path}, which this process cannot write. Let the sealer's user "
                "append to it."
            )

    def copy(self, note: str) -> None:
        """See ``Target.copy``."""
        data = note.encode()
        try:
            is_new = not self._path.exists()
            with self._path.open("ab+", buffering=0) as file:
                end = file.seek(0, os.SEEK_END)
                is_there = self._has(file.fileno(), end, data)
                if not is_there and file.write(data) != len(data):
                    raise AnchorError(f"Only a part of it was written to {self._path}.")
                os.fsync(file.fileno())
            if is_new:
                _sync_directory(self._path.parent)
        except OSError as error:
            raise AnchorError(f"{self._path} cannot be written: {error.strerror}.") from error

    def _has(self, descriptor: int, end: int, data: bytes) -> bool:
        """Tell whether it ends with this note, copied before a crash.

        Raises:
            AnchorError: it ends with half a note, and another behind that could not be read.
        """
        tail = os.pread(descriptor, _TAIL, max(0, end - _TAIL))
        if tail and not _is_whole(tail):
            raise AnchorError(
                f"{self._path} ends with half a note. Take its last lines out, or move it away and "
                "keep it."
            )
        return tail.endswith(data) and (len(tail) == len(data) or tail[-len(data) - 1] == 10)


def _is_whole(tail: bytes) -> bool:
    """Tell whether the last line is that of a signature."""
    last = tail[:-1].rpartition(b"\n")[2]
    return tail.endswith(b"\n") and last.startswith("— ".encode())


def _sync_directory(folder: Path) -> None:
    """Let the name of a new file outlive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
