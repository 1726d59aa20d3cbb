"""One day's shard, open for writing: what happens to its files under the commit lock.

Order: payloads into the segment and on the disk, then one transaction with rows, stacks, index and the segment's new
end. A process that dies before the transaction is durable leaves bytes behind the recorded end, which the next commit
overwrites.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from catchall.core.errors import StoreError
from catchall.core.limits import (
    SHARD_LOG_EVENTS_PER_PAGE,
    SHARD_LOG_PAGES_MAX,
    SHARD_LOG_PAGES_MIN,
    SHARD_NAMES_CACHED_MAX,
    SHARD_STACKS_CACHED_MAX,
    SPAN_EVENTS,
)
from catchall.store.base import Stack
from catchall.store.sqlite.connection import empty_log, open_database, writing
from catchall.store.sqlite.day_filter import Key
from catchall.store.sqlite.lookup import StoredKey, stored_keys
from catchall.store.sqlite.payloads import Frame, FrameWriter, Segment
from catchall.store.sqlite.prepared import PreparedFrame, PreparedRow, StackKey, stack_frame
from catchall.store.sqlite.schema import DayFiles, check_version
from catchall.store.sqlite.tokens import stack_document

_INSERT_EVENT = f"INSERT INTO event VALUES ({', '.join('?' * 16)})"  # noqa: S608 - question marks only
_INSERT_TOKENS = "INSERT INTO token (rowid, tokens) VALUES (?, ?)"


class ShardWriter:
    """A day's writer. What it remembers is true for the file it opened, whoever else writes there."""

    def __init__(self, files: DayFiles) -> None:
        self.files = files
        self._inode = files.database.stat().st_ino
        self._connection = open_database(files.database)
        try:
            check_version(self._connection, files.database)
            self._segment = Segment(files.segment, writable=True)
        except StoreError:
            self._connection.close()
            raise
        self._log_pages = 0
        self._bound_log(0)
        self._names: dict[str, int] = {"": 0}
        self._stacks: set[StackKey] = set()
        self._tag_keys: set[tuple[int, str]] = set()

    def is_current(self) -> bool:
        """Is the day's file still the one that was opened? A dropped day may have been made anew."""
        try:
            return self.files.database.stat().st_ino == self._inode
        except FileNotFoundError:
            return False

    def knows_stack(self, key: StackKey) -> bool:
        """Is this stack certainly stored here?"""
        return key in self._stacks

    def stored(self, keys: Sequence[Key]) -> dict[Key, StoredKey]:
        """Which of these ids are stored here, and where they came from."""
        try:
            return stored_keys(self._connection, keys)
        except sqlite3.Error as error:
            raise StoreError(f"cannot look up ids in {self.files.database}: {error}") from error

    def store(
        self,
        rows: Sequence[PreparedRow],
        stack_frames: dict[tuple[str, StackKey], PreparedFrame],
        frame_writer: FrameWriter,
    ) -> None:
        """Make new rows durable. Raises StoreError (or StoreBusy): then none of them is stored, and it may be tried
        again."""
        try:
            with writing(self._connection):
                change = _Change(self._connection, self._names)
                new_stacks = list(self._new_stacks(rows))
                frames = [
                    stack_frames.get((self.files.day, key)) or stack_frame(stack, frame_writer)
                    for key, stack in new_stacks
                ]
                places = self._write_frames(change.segment_end, frames + [row.frame for row in rows])
                change.add_stacks(new_stacks, places[: len(new_stacks)])
                change.add_events(rows, places[len(new_stacks) :])
                fresh_keys = change.add_tag_keys(rows, self._tag_keys)
                change.count_projects(rows)
                change.finish(rows, places[-1].place + places[-1].length)
        except sqlite3.IntegrityError as error:
            raise StoreError(f"{self.files.database} changed under the commit lock: {error}") from error
        if not self.is_current():
            raise StoreError(f"{self.files.database} was dropped while it was written to; commit again")
        self._bound_log(change.events)
        self._remember(change.fresh_names, {key for key, _ in new_stacks}, fresh_keys)

    def _bound_log(self, events: int) -> None:
        """Let the write-ahead log grow with the shard. Ids are random: the more of them there are, the more pages a
        batch changes, and the more is saved by writing a page to the database once for several batches."""
        pages = max(SHARD_LOG_PAGES_MIN, min(events // SHARD_LOG_EVENTS_PER_PAGE, SHARD_LOG_PAGES_MAX))
        if pages != self._log_pages:
            self._connection.execute(f"PRAGMA wal_autocheckpoint={pages}")
            self._log_pages = pages

    def _new_stacks(self, rows: Sequence[PreparedRow]) -> Iterator[tuple[StackKey, Stack]]:
        """Stacks of these rows that are not stored yet, each once."""
        seen: set[StackKey] = set()
        for row in rows:
            for stack in row.stacks:
                key = (row.key[0], stack.digest)
                if key in self._stacks or key in seen:
                    continue
                seen.add(key)
                known = self._connection.execute("SELECT 1 FROM stack WHERE project = ? AND digest = ?", key).fetchone()
                if known is None:
                    yield key, stack
                else:
                    self._stacks.add(key)  # another worker stored it

    def _write_frames(self, end: int, frames: Iterable[PreparedFrame]) -> list[Frame]:
        places = []
        place = end
        chunks = []
        for data, dictionary in frames:
            places.append(Frame(place, len(data), dictionary))
            chunks.append(data)
            place += len(data)
        self._segment.write(end, b"".join(chunks))
        return places

    def _remember(self, names: dict[str, int], stacks: set[StackKey], keys: set[tuple[int, str]]) -> None:
        """Keep in mind what is stored now, so that the next batch need not ask."""
        if len(self._names) + len(self._tag_keys) > SHARD_NAMES_CACHED_MAX:
            self._names = {"": 0}
            self._tag_keys.clear()
        if len(self._stacks) > SHARD_STACKS_CACHED_MAX:
            self._stacks.clear()
        self._names.update(names)
        self._stacks |= stacks
        self._tag_keys |= keys

    def settle(self) -> None:
        """Empty the write-ahead log. Raises StoreError."""
        try:
            empty_log(self._connection)
        except sqlite3.Error as error:
            raise StoreError(f"cannot empty the log of {self.files.database}: {error}") from error

    def close(self) -> None:
        """Move what is in the write-ahead log into the database, so that a closed day has none, and close."""
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            pass  # a reader is in the way or the disk is full: the log is whole and is read all the same
        finally:
            self._connection.close()
            self._segment.close()


class _Change:
    """What one transaction adds to a shard."""

    def __init__(self, connection: sqlite3.Connection, names: dict[str, int]) -> None:
        self._connection = connection
        self._names = names
        self.fresh_names: dict[str, int] = {}
        self.segment_end, self._next_id, self.events = connection.execute(
            "SELECT segment_end, next_id, events FROM meta"
        ).fetchone()

    def add_stacks(self, stacks: Sequence[tuple[StackKey, Stack]], places: Sequence[Frame]) -> None:
        """Add stacks and the words in them. They come before the events: rows of the index grow."""
        for (key, stack), place in zip(stacks, places, strict=True):
            number = self._next_id
            self._next_id += 1
            self._connection.execute("INSERT INTO stack VALUES (?, ?, ?, ?, ?, ?)", (number, *key, *place))
            self._connection.execute(_INSERT_TOKENS, (number, stack_document(key[0], stack.tokens)))

    def add_events(self, rows: Sequence[PreparedRow], places: Sequence[Frame]) -> None:
        """Add the rows and their tokens."""
        first = self._next_id
        self._next_id += len(rows)
        columns = [
            (
                number, *row.key, row.issue, row.timestamp, row.received_at, row.severity,
                self._name(row.environment), self._name(row.release), row.user, *row.position, *place,
            )
            for number, (row, place) in enumerate(zip(rows, places, strict=True), first)
        ]  # fmt: skip
        self._connection.executemany(_INSERT_EVENT, columns)
        self._connection.executemany(_INSERT_TOKENS, enumerate((row.document for row in rows), first))
        self._add_span(first, rows)

    def _name(self, text: str) -> int:
        number = self._names.get(text)
        if number is None:
            number = self.fresh_names.get(text)
        if number is None:
            self._connection.execute("INSERT OR IGNORE INTO name (text) VALUES (?)", (text,))
            number = int(self._connection.execute("SELECT id FROM name WHERE text = ?", (text,)).fetchone()[0])
            self.fresh_names[text] = number
        return number

    def _add_span(self, first: int, rows: Sequence[PreparedRow]) -> None:
        least, greatest = _times(rows)
        last = self._connection.execute("SELECT first, events FROM span ORDER BY first DESC LIMIT 1").fetchone()
        if last is None or last[1] >= SPAN_EVENTS:
            self._connection.execute("INSERT INTO span VALUES (?, ?, ?, ?)", (first, len(rows), least, greatest))
        else:
            self._connection.execute(
                "UPDATE span SET events = events + ?, least = min(least, ?), greatest = max(greatest, ?)"
                " WHERE first = ?",
                (len(rows), least, greatest, last[0]),
            )

    def add_tag_keys(self, rows: Sequence[PreparedRow], known: set[tuple[int, str]]) -> set[tuple[int, str]]:
        """Note which keys the projects' tags have. Returns those that were not known."""
        fresh: set[tuple[int, str]] = set()
        for keys in {row.tag_keys for row in rows}:
            fresh |= keys - known
        self._connection.executemany("INSERT OR IGNORE INTO tag_key VALUES (?, ?)", fresh)
        return fresh

    def count_projects(self, rows: Sequence[PreparedRow]) -> None:
        """Add to the projects' numbers of events."""
        self._connection.executemany(
            "INSERT INTO project VALUES (?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events",
            Counter([row.key[0] for row in rows]).items(),
        )

    def finish(self, rows: Sequence[PreparedRow], segment_end: int) -> None:
        """Record how far the shard is now."""
        least, greatest = _times(rows)
        self._connection.execute(
            "UPDATE meta SET segment_end = ?1, next_id = ?2, events = events + ?3,"
            " least = min(coalesce(least, ?4), ?4), greatest = max(coalesce(greatest, ?5), ?5)",
            (segment_end, self._next_id, len(rows), least, greatest),
        )


def _times(rows: Sequence[PreparedRow]) -> tuple[int, int]:
    times = [row.timestamp for row in rows]
    return min(times), max(times)
