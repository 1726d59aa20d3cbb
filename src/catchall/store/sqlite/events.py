"""The embedded event store: one SQLite shard and one payload segment per day of arrival, in DIR/events.

Why days, why these tokens: docs/decisions. Any number of processes read; one at a time commits, under the lock of the
data folder, which the caller holds.
"""

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from catchall.core.errors import StoreError
from catchall.core.limits import DICTIONARY_DAYS_MAX, DICTIONARY_EVENTS_MIN, SHARDS_WRITTEN_MAX
from catchall.store.base import EventRow, Prepared, RowOutcome, StoredRow
from catchall.store.sqlite import selection, training
from catchall.store.sqlite.day_filter import Key
from catchall.store.sqlite.dictionary import NONE
from catchall.store.sqlite.duplicates import Duplicates
from catchall.store.sqlite.folder import is_day
from catchall.store.sqlite.lookup import StoredKey
from catchall.store.sqlite.payloads import FrameWriter
from catchall.store.sqlite.prepared import PreparedBatch, PreparedRow, StackKey, prepare_rows, shown_user
from catchall.store.sqlite.reads import SqliteEventReads
from catchall.store.sqlite.selection import Bounds
from catchall.store.sqlite.shard_writer import ShardWriter


class SqliteEventStore(SqliteEventReads):
    """`EventStore` on one machine. `folder`: DIR/events, made with the first commit.

    Reading is for any number of threads and processes; `prepare` and `commit` for one thread of each process.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._frame_writer = FrameWriter(self._dictionaries)
        self._duplicates = Duplicates(self._folder, self._readers)
        self._writers: OrderedDict[str, ShardWriter] = OrderedDict()

    def prepare(self, rows: Sequence[EventRow]) -> Prepared:
        """Compress, with the newest dictionary, and tokenize."""
        self._frame_writer.refresh()
        return prepare_rows(rows, self._frame_writer, self._knows_stack)

    def commit(self, prepared: Prepared) -> list[StoredRow]:
        """Make the rows durable. Raises StoreError (or StoreBusy); the same batch may then be committed again.

        A batch over midnight is stored day by day. What was stored before a failure is known by its position then.
        """
        if not isinstance(prepared, PreparedBatch):
            raise TypeError(f"{type(prepared).__name__} was not made by this store's prepare")
        if not prepared.rows:
            return []
        answers, fresh = self._sort_out(prepared)
        for day in sorted(fresh):
            rows = fresh[day]
            self._duplicates.announce(day, [row.key for row in rows])
            self._writer(day).store(rows, prepared.stacks, self._frame_writer)
        self._duplicates.build_some()
        return answers

    def _sort_out(self, batch: PreparedBatch) -> tuple[list[StoredRow], dict[str, list[PreparedRow]]]:
        """What becomes of each row, in their order, and those that are new, by day."""
        known = self._stored([row.key for _, row in batch.rows], {day for day, _ in batch.rows})
        answers: list[StoredRow] = []
        fresh: dict[str, list[PreparedRow]] = {}
        for day, row in batch.rows:
            stored = known.get(row.key)
            if stored is None:
                known[row.key] = StoredKey(row.position, row.issue)
                fresh.setdefault(day, []).append(row)
                answers.append(StoredRow(RowOutcome.STORED, row.issue))
            elif stored.position == row.position:
                answers.append(StoredRow(RowOutcome.SAME_DELIVERY, stored.issue))
            else:
                answers.append(StoredRow(RowOutcome.DUPLICATE, stored.issue))
        return answers, fresh

    def _stored(self, keys: list[Key], days: set[str]) -> dict[Key, StoredKey]:
        found = self._duplicates.stored_elsewhere(keys, days)
        existing = set(self._folder.days())
        for day in sorted(days & existing):
            found.update(self._writer(day).stored(keys))
        return found

    def _writer(self, day: str) -> ShardWriter:
        """The writer of a day, which is made when it is new. A few stay open."""
        writer = self._writers.get(day)
        if writer is not None and not writer.is_current():
            self._writers.pop(day).close()
            writer = None
        if writer is None:
            writer = self._writers[day] = ShardWriter(self._folder.make_day(day))
            while len(self._writers) > SHARDS_WRITTEN_MAX:
                self._writers.popitem(last=False)[1].close()
        self._writers.move_to_end(day)
        return writer

    def _knows_stack(self, day: str, key: StackKey) -> bool:
        writer = self._writers.get(day)
        return writer is not None and writer.knows_stack(key)

    def should_learn(self) -> bool:
        if not self._dictionaries.is_due():
            return False
        try:
            return self._events_on(self._folder.days()[-DICTIONARY_DAYS_MAX:]) >= DICTIONARY_EVENTS_MIN
        finally:
            self._readers.close()  # who asks forks next, and no connection of SQLite may be open across a fork

    def learn(self) -> None:
        """Train a new dictionary on what is stored; it is kept if it is clearly better than the present one."""
        with self._dictionaries.training() as alone:
            if not alone:
                return
            samples = self._samples()
            newest = self._dictionaries.newest()
            old = self._dictionaries.load(newest) if newest != NONE else None
            made = training.train(samples)
            if made is not None and training.is_better(made, old, samples):
                self._dictionaries.publish(made)

    def _samples(self) -> list[training.Sample]:
        """The newest stored payloads, for a dictionary."""
        samples: list[training.Sample] = []
        for day in reversed(self._folder.days()[-DICTIONARY_DAYS_MAX:]):
            with self._readers.borrow(day) as reader:
                if reader is not None and len(samples) < DICTIONARY_EVENTS_MIN:
                    bounds = Bounds(limit=DICTIONARY_EVENTS_MIN - len(samples))
                    for record in selection.records(reader, selection.EVERYTHING, bounds):
                        packed = reader.packed(record)
                        samples.append(training.Sample(packed, shown_user(record.user), record.issue))
        return samples

    def _events_on(self, days: Sequence[str]) -> int:
        total = 0
        for day in days:
            with self._readers.borrow(day) as reader:
                total += selection.count(reader, selection.EVERYTHING) if reader else 0
        return total

    def settle(self) -> None:
        for writer in self._writers.values():
            writer.settle()

    # --- days ---------------------------------------------------------------------------------------------------
    def drop_day(self, day: str) -> int:
        if not is_day(day):
            raise StoreError(f"{day!r} is no day: YYYY-MM-DD")
        writer = self._writers.pop(day, None)
        if writer is not None:
            writer.close()
        return self._folder.drop_day(day)

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()
        self._duplicates.close()
        super().close()
