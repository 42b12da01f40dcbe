"""A clock that one process moves and its children see, even one that was frozen meanwhile."""

import mmap
import struct
from datetime import datetime, timedelta
from typing import Self

_MICROSECOND = timedelta(microseconds=1)


class SharedOffset:
    """What ``audit.clock.offset`` is in these tests: added to a date, in memory shared by fork."""

    def __init__(self, offset: timedelta) -> None:
        self._memory = mmap.mmap(-1, 8)
        self._put(offset)

    @property
    def value(self) -> timedelta:
        """How far the clock has been moved until now, by whomever."""
        return struct.unpack_from("q", self._memory)[0] * _MICROSECOND

    def __radd__(self, moment: datetime) -> datetime:
        return moment + self.value

    def __iadd__(self, more: timedelta) -> Self:
        self._put(self.value + more)
        return self

    def _put(self, offset: timedelta) -> None:
        struct.pack_into("q", self._memory, 0, offset // _MICROSECOND)
