"""One day's shard, open for reading; and the bounded set of those that a process keeps open.

Readers never hold a transaction between two calls: the write-ahead log is never kept from being emptied.
"""

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import msgspec

from catchall.core.codec import join
from catchall.core.errors import StoreError
from catchall.core.event import Event
from catchall.core.limits import SHARD_NAMES_CACHED_MAX, SHARDS_OPEN_MAX
from catchall.store.base import EventSummary
from catchall.store.sqlite.connection import open_database, sqlite_error
from catchall.store.sqlite.day_filter import Key
from catchall.store.sqlite.folder import SETTLED_NS, ShardFolder
from catchall.store.sqlite.lookup import StoredKey, stored_keys
from catchall.store.sqlite.payloads import Frame, FrameReader, Segment, packed_body
from catchall.store.sqlite.prepared import shown_user
from catchall.store.sqlite.schema import DayFiles, check_version

COLUMNS = (
    "e.id, e.project, e.event_id, e.issue, e.timestamp, e.received_at, e.severity, e.environment, e.release, e.user,"
    " e.place, e.length, e.dictionary"
)


class EventRecord(NamedTuple):
    """A row of `event`: COLUMNS."""

    id: int
    project: int
    event_id: bytes
    issue: int
    timestamp: int
    received_at: int
    severity: int
    environment: int
    release: int
    user: bytes | str | None
    place: int
    length: int
    dictionary: int

    @property
    def frame(self) -> Frame:
        """Where the payload lies."""
        return Frame(self.place, self.length, self.dictionary)


class ShardReader:
    """A read-only look into one day. One thread at a time."""

    def __init__(self, files: DayFiles, frames: FrameReader) -> None:
        self.files = files
        self.identity = identity(files)
        self._frames = frames
        self.connection = open_database(files.database, readonly=True)
        try:
            check_version(self.connection, files.database)
            self._segment = Segment(files.segment, writable=False)
        except StoreError:
            self.connection.close()
            raise
        self._names: dict[int, str] = {0: ""}

    def stored(self, keys: Sequence[Key]) -> dict[Key, StoredKey]:
        """Which of these ids are stored here, and where they came from."""
        return stored_keys(self.connection, keys)

    def find(self, project: int, event_id: bytes) -> EventRecord | None:
        """An event by its id."""
        sql = f"SELECT {COLUMNS} FROM event e WHERE e.project = ? AND e.event_id = ?"  # noqa: S608 - our own names
        row = self.connection.execute(sql, (project, event_id)).fetchone()
        return EventRecord(*row) if row else None

    def projects(self) -> list[int]:
        """Projects with events on this day."""
        return [number for (number,) in self.connection.execute("SELECT id FROM project ORDER BY id")]

    def has_project(self, project: int) -> bool:
        """Has the project events on this day?"""
        return self.connection.execute("SELECT 1 FROM project WHERE id = ?", (project,)).fetchone() is not None

    def packed(self, record: EventRecord) -> bytes:
        """An event's payload, inflated. Raises StoreError when it is damaged."""
        return self._frames.inflate(self._segment.read(record.frame), record.dictionary)

    def event(self, record: EventRecord) -> Event:
        """An event, put together. Raises StoreError when a part is damaged or missing."""
        body = packed_body(self.packed(record))
        try:
            return join(body, lambda digest: self._stack(record.project, digest))
        except msgspec.DecodeError as error:
            raise StoreError(f"event {record.event_id.hex()} in {self.files.database}: {error}") from error

    def _stack(self, project: int, digest: bytes) -> bytes:
        row = self.connection.execute(
            "SELECT place, length, dictionary FROM stack WHERE project = ? AND digest = ?", (project, digest)
        ).fetchone()
        if row is None:
            raise StoreError(f"{self.files.database} lacks the stack {digest.hex()} of project {project}")
        frame = Frame(*row)
        return self._frames.inflate(self._segment.read(frame), frame.dictionary)

    def summary(self, record: EventRecord) -> EventSummary:
        """An event as lists show it."""
        return EventSummary(
            cursor=f"{self.files.day}:{record.id}",
            project_id=record.project,
            event_id=record.event_id.hex(),
            issue_id=record.issue,
            timestamp=record.timestamp,
            received_at=record.received_at,
            severity=record.severity,
            environment=self._name(record.environment),
            release_version=self._name(record.release),
            user_id=shown_user(record.user),
        )

    def _name(self, number: int) -> str:
        text = self._names.get(number)
        if text is None:
            if len(self._names) > SHARD_NAMES_CACHED_MAX:
                self._names = {0: ""}
            (text,) = self.connection.execute("SELECT text FROM name WHERE id = ?", (number,)).fetchone()
            self._names[number] = text
        return text

    def close(self) -> None:
        """Close the files."""
        self.connection.close()
        self._segment.close()


def identity(files: DayFiles) -> tuple[int, int] | None:
    """Which file a day's database is; None when the day does not exist."""
    try:
        found = files.database.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


class _Times(NamedTuple):
    """Least and greatest event time of a day, and the state of its files when they were read."""

    signature: tuple[int, ...]
    least: int | None
    greatest: int | None


def _signature(files: DayFiles) -> tuple[tuple[int, ...], bool]:
    """What changes when a day changes; and whether the last change is so old that the next one will show."""
    signature: list[int] = []
    changed = 0
    for path in (files.database, files.log):
        try:
            found = path.stat()
        except FileNotFoundError:
            signature.append(0)
            continue
        signature.extend((found.st_ino, found.st_size, found.st_mtime_ns))
        changed = max(changed, found.st_mtime_ns)
    return tuple(signature), time.time_ns() - changed > SETTLED_NS


class ShardReaders:
    """Readers of all days, borrowed one at a time, from any thread; the least recently used idle ones are closed."""

    def __init__(self, folder: ShardFolder, frames: FrameReader) -> None:
        self._folder = folder
        self._frames = frames
        self._lock = threading.Lock()
        self._idle: OrderedDict[str, list[ShardReader]] = OrderedDict()
        self._count = 0
        self._times: dict[str, _Times] = {}

    def may_overlap(self, day: str, since: int | None, until: int | None) -> bool:
        """May a day have events of this time? Answered from memory for as long as the day does not change."""
        files = self._folder.day(day)
        signature, settled = _signature(files)
        known = self._times.get(day)
        if known is None or known.signature != signature:
            with self.borrow(day) as reader:
                row = (
                    reader.connection.execute("SELECT least, greatest FROM meta").fetchone() if reader else (None, None)
                )
            known = _Times(signature, *row)
            if settled:
                self._times[day] = known
        if known.least is None or known.greatest is None:
            return False
        return (since is None or known.greatest >= since) and (until is None or known.least < until)

    @contextmanager
    def borrow(self, day: str) -> Iterator[ShardReader | None]:
        """A reader of a day for the length of a block; None when there is no such day (any more).

        Raises StoreError for what SQLite or the disk says in the block.
        """
        reader = self._take(day)
        failed = False
        try:
            yield reader
        except (sqlite3.Error, OSError) as error:
            failed = True
            raise sqlite_error(error, self._folder.day(day).database) from error
        finally:
            if reader is not None and failed:
                reader.close()
            elif reader is not None:
                self._give_back(day, reader)

    def _take(self, day: str) -> ShardReader | None:
        files = self._folder.day(day)
        current = identity(files)
        with self._lock:
            idle = self._idle.pop(day, [])
            self._count -= len(idle)
            good = [reader for reader in idle if reader.identity == current]
            taken = good.pop() if good else None
            if good:
                self._idle[day] = good
                self._count += len(good)
        for reader in idle:
            if reader.identity != current:
                reader.close()
        if current is None or taken is not None:
            return taken
        return self._open(files)

    def _open(self, files: DayFiles) -> ShardReader | None:
        """A new reader; None when the day was dropped meanwhile, so that its files may not belong together."""
        try:
            reader = ShardReader(files, self._frames)
        except (sqlite3.Error, StoreError):
            if identity(files) is None:
                return None
            raise
        if identity(files) == reader.identity:
            return reader
        reader.close()
        return None

    def _give_back(self, day: str, reader: ShardReader) -> None:
        surplus: list[ShardReader] = []
        with self._lock:
            self._idle.setdefault(day, []).append(reader)
            self._idle.move_to_end(day)
            self._count += 1
            while self._count > SHARDS_OPEN_MAX:
                _, oldest = self._idle.popitem(last=False)
                self._count -= len(oldest)
                surplus.extend(oldest)
        for idle in surplus:
            idle.close()

    def close(self) -> None:
        """Close all that are idle."""
        with self._lock:
            readers = [reader for idle in self._idle.values() for reader in idle]
            self._idle.clear()
            self._count = 0
        for reader in readers:
            reader.close()
