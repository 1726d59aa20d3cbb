"""Bodies too large for the log: one synced file each, named by the record that stands for it."""

import os
import secrets
import time
from pathlib import Path

from catchall.core import limits
from catchall.core.errors import QueueFull, Reason
from catchall.queue.files import Files, write_whole


class Spool:
    """A folder of bodies. Names are made here: they hold no text of clients."""

    def __init__(
        self, folder: Path, *, free_disk_bytes_min: int = limits.LOG_FREE_DISK_BYTES_MIN, files: Files | None = None
    ) -> None:
        self._folder = folder
        self._free_disk_bytes_min = free_disk_bytes_min
        self._files = files or Files()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, body: bytes) -> str:
        """Keep a body, durable before this returns; its name. Raises QueueFull when the disk has no room."""
        if self._files.free_bytes(self._folder) < self._free_disk_bytes_min + len(body):
            raise QueueFull(Reason.DISK_FULL, limits.LOG_RETRY_AFTER_SECONDS)
        name = secrets.token_hex(16)
        try:
            write_whole(self._files, self._folder / name, body)
        except OSError as error:
            self._files.unlink(self._folder / (name + ".partial"))
            raise QueueFull(Reason.DISK_FULL, limits.LOG_RETRY_AFTER_SECONDS) from error
        return name

    def read(self, name: str) -> bytes | None:
        """The body of a name; None when it is gone."""
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            return None

    def delete(self, name: str) -> None:
        """Forget a body; harmless when it is gone."""
        self._path(name).unlink(missing_ok=True)

    def forget_older(self, seconds: float, now: float | None = None) -> int:
        """Remove bodies older than this (nobody came for them). Returns how many."""
        limit = (time.time() if now is None else now) - max(seconds, limits.SPOOL_AGE_SECONDS_MIN)
        removed = 0
        for entry in os.scandir(self._folder):
            if entry.stat().st_mtime < limit:
                os.unlink(entry.path)
                removed += 1
        return removed

    def _path(self, name: str) -> Path:
        if len(name) != 32 or not all(letter in "0123456789abcdef" for letter in name):
            raise ValueError(f"{name!r} names no spooled body")
        return self._folder / name
