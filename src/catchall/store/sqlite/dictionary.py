"""Compression dictionaries: files DIR/events/dictionaries/<number>.zdict, made once and kept: frames need them.

A dictionary is durable under its number before the first frame that names it is written. The one with the highest
number is used for new frames. How one is trained: training.py.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard

from catchall.core.errors import StoreError
from catchall.core.limits import DICTIONARY_RETRY_SECONDS, DICTIONARY_SECONDS_MIN
from catchall.store.sqlite.connection import sync_directory

LEVEL = 3
NONE = 0  # the number that stands for "compressed without a dictionary"
_ENDING = ".zdict"


class Dictionaries:
    """The dictionaries of one installation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._changed = -1
        self._newest = NONE

    def newest(self) -> int:
        """The number of the dictionary for new frames; NONE when there is none yet."""
        try:
            changed = self.folder.stat().st_mtime_ns
        except FileNotFoundError:
            return NONE
        if changed != self._changed:
            self._newest = max(self._numbers(), default=NONE)
            self._changed = changed
        return self._newest

    def load(self, number: int) -> zstandard.ZstdCompressionDict:
        """Read a dictionary. Raises StoreError when it is missing: its frames cannot be read without it."""
        try:
            data = self._path(number).read_bytes()
        except OSError as error:
            raise StoreError(f"cannot read the dictionary {self._path(number)}: {error}") from error
        return zstandard.ZstdCompressionDict(data, dict_type=zstandard.DICT_TYPE_FULLDICT)

    def publish(self, data: bytes) -> int:
        """Make a new dictionary durable and give its number. Call it within `training`. Raises StoreError."""
        number = max(self._numbers(), default=NONE) + 1
        part = self._path(number).with_suffix(".part")
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.rename(self._path(number))
            sync_directory(self.folder)
        except OSError as error:
            raise StoreError(f"cannot write the dictionary {self._path(number)}: {error}") from error
        self._changed = -1
        return number

    def is_due(self) -> bool:
        """Was the last training, or the last try of one, so long ago that another may gain something?"""
        try:
            last = (self.folder / ".lock").stat().st_mtime
        except FileNotFoundError:
            return True
        wait = DICTIONARY_RETRY_SECONDS if self.newest() == NONE else DICTIONARY_SECONDS_MIN
        return time.time() - last > wait

    @contextmanager
    def training(self) -> Iterator[bool]:
        """The right to train, for one process at a time; False: another one is at it."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        sync_directory(self.folder.parent)
        lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.utime(lock)  # when it was last tried, whatever comes of it
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(lock)

    def bytes_on_disk(self) -> int:
        """What all dictionaries take."""
        return sum(self._path(number).stat().st_size for number in self._numbers())

    def _numbers(self) -> list[int]:
        if not self.folder.is_dir():
            return []
        stems = [path.stem for path in self.folder.iterdir() if path.suffix == _ENDING]
        return [int(stem) for stem in stems if stem.isascii() and stem.isdigit()]

    def _path(self, number: int) -> Path:
        return self.folder / f"{number}{_ENDING}"
