"""Which of a batch's ids are stored already, on whatever day; and the filters that make this quick.

The days of the batch and the newest day are asked themselves. Every other day is closed: its filter says which ids
it may have, and only for those it is asked. A day without a filter is asked for all, and gets one in steps, one per
commit.
"""

from collections.abc import Sequence
from pathlib import Path

from catchall.core.errors import StoreError
from catchall.core.limits import FILTER_BITS_PER_EVENT, FILTER_ROWS_PER_COMMIT
from catchall.store.sqlite.connection import sync_directory
from catchall.store.sqlite.day_filter import DayFilter, DayFilters, GrowingFilter, Hashes, Key, Places, hashes_of
from catchall.store.sqlite.folder import ShardFolder
from catchall.store.sqlite.lookup import StoredKey
from catchall.store.sqlite.shard_reader import ShardReader, ShardReaders

_OVERFULL = 1.5  # a filter that got so many times its number of late rows is made anew


class _Building(GrowingFilter):
    """A filter on its way, of one file of one day."""

    def __init__(self, day: str, reader: ShardReader) -> None:
        (events,) = reader.connection.execute("SELECT events FROM meta").fetchone()
        super().__init__(events)
        self.day = day
        self.identity = reader.identity
        self.last = 0


class Duplicates:
    """Looks for ids. All of it happens under the commit lock."""

    def __init__(self, folder: ShardFolder, readers: ShardReaders) -> None:
        self._folder = folder
        self._readers = readers
        self._filters = DayFilters()
        self._building: _Building | None = None

    def stored_elsewhere(self, keys: Sequence[Key], days_of_batch: set[str]) -> dict[Key, StoredKey]:
        """Which of the ids are stored on days other than those of the batch."""
        found: dict[Key, StoredKey] = {}
        others = [day for day in self._folder.days() if day not in days_of_batch]
        if not others:
            return found
        screen = _Screen(keys)
        newest = self._folder.days()[-1]
        for day in others:
            filter_of_day = self._filters.get(self._folder.day(day).filter) if day != newest else None
            asked = screen.passing(filter_of_day) if filter_of_day else keys
            if asked:
                with self._readers.borrow(day) as reader:
                    found.update(reader.stored(asked) if reader else {})
        return found

    def announce(self, day: str, keys: Sequence[Key]) -> None:
        """Note ids that are about to be stored on a day that may be closed. Raises StoreError."""
        path = self._folder.day(day).filter
        found = self._filters.get(path)
        if found is None:
            return
        with self._readers.borrow(day) as reader:
            events = reader.connection.execute("SELECT events FROM meta").fetchone()[0] if reader else 0
        if events + len(keys) > _OVERFULL * found.size / FILTER_BITS_PER_EVENT:
            self._remove(path)
        else:
            writable = self._filters.get(path, writable=True)
            if writable is not None:
                writable.add(keys)

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
            sync_directory(path.parent)  # a filter that came back after a power cut would not know the late rows
        except OSError as error:
            raise StoreError(f"cannot remove {path}: {error}") from error

    def build_some(self) -> None:
        """Go on with the filter of a closed day that has none, a few rows at a time. Raises StoreError."""
        day = self._day_without_filter()
        if day is None:
            self._building = None
            return
        with self._readers.borrow(day) as reader:
            if reader is None:
                return
            building = self._building
            if building is None or building.day != day or building.identity != reader.identity:
                building = self._building = _Building(day, reader)
            rows = reader.connection.execute(
                "SELECT id, project, event_id FROM event WHERE id > ? ORDER BY id LIMIT ?",
                (building.last, FILTER_ROWS_PER_COMMIT),
            ).fetchall()
        building.add((project, event_id) for _, project, event_id in rows)
        if rows:
            building.last = rows[-1][0]
        if len(rows) < FILTER_ROWS_PER_COMMIT:
            building.write(self._folder.day(day).filter)
            self._building = None

    def _day_without_filter(self) -> str | None:
        for day in reversed(self._folder.days()[:-1]):
            if self._filters.get(self._folder.day(day).filter) is None:
                return day
        return None

    def close(self) -> None:
        """Let go of the filters."""
        self._filters.close()


class _Screen:
    """A batch's ids, hashed once, with the places of their first probes for each size of filter."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self._keys = keys
        self._hashes: list[Hashes] = []
        self._places: dict[int, Places] = {}

    def passing(self, of_day: DayFilter) -> Sequence[Key]:
        """Those that the day may have."""
        if not self._hashes:
            self._hashes = [hashes_of(key) for key in self._keys]
        places = self._places.get(of_day.size)
        if places is None:
            places = self._places[of_day.size] = Places(self._hashes, of_day.size)
        return [self._keys[index] for index in of_day.may_have(self._hashes, places)]
