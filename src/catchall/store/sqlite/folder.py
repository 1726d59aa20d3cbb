"""The folder of shards: which days there are, told quickly and truly also while other processes make and drop days."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catchall.core.errors import StoreError
from catchall.store.sqlite.connection import sync_directory
from catchall.store.sqlite.schema import DayFiles, create_day, remove_day

_DAY_CHARACTERS = 10
SETTLED_NS = 100_000_000  # what changed so long ago has a time stamp that its next change will differ from


class ShardFolder:
    """DIR/events. A listing is kept for as long as the folder did not change."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._listed: list[str] = []
        self._changed = -1

    def make(self) -> None:
        """Make the folder, durably. Raises StoreError."""
        if self.path.is_dir():
            return
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_directory(self.path.parent)
        except OSError as error:
            raise StoreError(f"cannot make {self.path}: {error}") from error

    def days(self) -> list[str]:
        """The days that exist, oldest first."""
        try:
            changed = self.path.stat().st_mtime_ns
        except FileNotFoundError:
            return []
        if changed == self._changed:
            return self._listed
        days = sorted(path.name[:_DAY_CHARACTERS] for path in self.path.iterdir() if _is_database(path.name))
        self._listed = days
        self._changed = changed if time.time_ns() - changed > SETTLED_NS else -1
        return days

    def day(self, day: str) -> DayFiles:
        """The files of a day, there or not."""
        return DayFiles(self.path, day)

    def make_day(self, day: str) -> DayFiles:
        """The files of a day that exists from now on at the latest. Raises StoreError."""
        files = self.day(day)
        if not files.database.exists():
            self.make()
            with self._alone():
                if not files.database.exists():
                    create_day(files)
        return files

    def drop_day(self, day: str) -> int:
        """Remove a day, and what crashes left of earlier ones. Returns the bytes freed. Raises StoreError."""
        if not self.path.is_dir():
            return 0
        try:
            with self._alone():
                freed = remove_day(self.day(day))
                for older in sorted(self._leftovers()):
                    if older < day:
                        freed += remove_day(self.day(older))
        except OSError as error:
            raise StoreError(f"cannot drop {day}: {error}") from error
        return freed

    def _leftovers(self) -> set[str]:
        """Days of which there are files but no database."""
        names = [path.name for path in self.path.iterdir()]
        return {name[:_DAY_CHARACTERS] for name in names if is_day(name[:_DAY_CHARACTERS])} - {
            name[:_DAY_CHARACTERS] for name in names if _is_database(name)
        }

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time makes or removes days: the one must not sweep up what the other is making."""
        lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def is_day(text: str) -> bool:
    """Is this the name of a day, YYYY-MM-DD? Names from outside become paths only then."""
    parts = text.split("-")
    return len(text) == _DAY_CHARACTERS and list(map(len, parts)) == [4, 2, 2] and all(map(_is_number, parts))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_database(name: str) -> bool:
    return name.endswith(".db") and is_day(name[:-3])
