"""What the log's writer tells all readers without a file being read: numbers in memory that they share.

One cell for each lane, written by the writer only (`released` by the workers). A cell is guarded by its own sequence
number: odd while it changes. A value that a power cut leaves on disk is never beyond what was durable then.
"""

import ctypes
import mmap
import os
import time
from pathlib import Path
from typing import NamedTuple

from catchall.core.errors import StoreError
from catchall.queue.base import Lane

_FIELDS = 4  # sequence, end, requests, released
_BYTES = 8 * _FIELDS * len(Lane)
_TRIES = 10_000


class Cell(NamedTuple):
    """`end`: the durable end of the lane's log. `requests`: request records up to there."""

    end: int
    requests: int


class Published:
    """The shared numbers of a log folder."""

    def __init__(self, folder: Path, *, create: bool) -> None:
        path = folder / "published"
        flags = os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0)
        descriptor = os.open(path, flags, 0o600)
        try:
            if os.fstat(descriptor).st_size < _BYTES:
                os.posix_fallocate(descriptor, 0, _BYTES)  # on a full disk an error here, not SIGBUS later
            self._memory = mmap.mmap(descriptor, _BYTES)
        finally:
            os.close(descriptor)
        self._cells = (ctypes.c_uint64 * (_FIELDS * len(Lane))).from_buffer(self._memory)

    def publish(self, lane: Lane, end: int, requests: int) -> None:
        """Say how far a lane's log is durable. The writer alone calls this."""
        at = _FIELDS * lane
        cells = self._cells
        cells[at] = (cells[at] | 1) + 2  # odd: changing; also after a writer died in the middle
        cells[at + 1] = end
        cells[at + 2] = requests
        cells[at] += 1

    def cell(self, lane: Lane) -> Cell:
        """How far a lane's log is durable."""
        at = _FIELDS * lane
        cells = self._cells
        for attempt in range(_TRIES):
            before = cells[at]
            found = Cell(cells[at + 1], cells[at + 2])
            if not before & 1 and cells[at] == before:
                return found
            if attempt > 100:
                time.sleep(0.0001)
        raise StoreError("the log's shared numbers are half written: start the front process, it mends them")

    def released(self, lane: Lane) -> int:
        """Everything before this offset is committed."""
        value: int = self._cells[_FIELDS * lane + 3]
        return value

    def release(self, lane: Lane, offset: int) -> None:
        """Note that everything before an offset is committed."""
        at = _FIELDS * lane + 3
        self._cells[at] = max(self._cells[at], offset)

    def reset_released(self, lane: Lane) -> None:
        """Begin anew (a new log in this folder)."""
        self._cells[_FIELDS * lane + 3] = 0

    def close(self) -> None:
        """Let go of the memory."""
        del self._cells
        self._memory.close()
