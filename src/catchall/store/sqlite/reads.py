"""Reading the embedded event store: day by day, newest first, never more than one day open at a time."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from catchall.core.codec import event_json
from catchall.core.errors import CursorUnknown
from catchall.core.event import Event
from catchall.core.limits import (
    FACET_SAMPLE_EVENTS_MAX,
    FACET_SCAN_TERMS_MAX,
    FACET_VALUES_MAX,
    ITERATE_EVENTS,
    LIST_LIMIT_MAX,
)
from catchall.store.base import EventFilter, EventSummary, Facet
from catchall.store.sqlite import dense_words, selection
from catchall.store.sqlite.day_filter import DayFilters, hashes_of
from catchall.store.sqlite.dictionary import Dictionaries
from catchall.store.sqlite.folder import ShardFolder, is_day
from catchall.store.sqlite.payloads import FrameReader, packed_tags
from catchall.store.sqlite.selection import Bounds
from catchall.store.sqlite.shard_reader import EventRecord, ShardReader, ShardReaders
from catchall.store.sqlite.tokens import tags_in

DICTIONARIES = "dictionaries"
_NUMBER_DIGITS = 19  # more is no row number of SQLite


class Cursor(NamedTuple):
    """A place in the order of events: day and row number."""

    day: str
    number: int


class SqliteEventReads:
    """The reading half of `EventStore`, for any number of threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = ShardFolder(folder)
        self._dictionaries = Dictionaries(folder / DICTIONARIES)
        self._readers = ShardReaders(self._folder, FrameReader(self._dictionaries))
        self._read_filters = DayFilters()

    # --- one event ----------------------------------------------------------------------------------------------
    def get(self, project_id: int, event_id: str) -> Event | None:
        key = _parse_id(event_id)
        if key is None:
            return None
        for day in self._days_of(project_id, key):
            with self._readers.borrow(day) as reader:
                record = reader.find(project_id, key) if reader else None
                if reader is not None and record is not None:
                    return reader.event(record)
        return None

    def payload(self, project_id: int, event_id: str) -> bytes | None:
        event = self.get(project_id, event_id)
        return event_json(event) if event is not None else None

    def _days_of(self, project_id: int, event_id: bytes) -> Iterator[str]:
        """Days that may have an id, newest first."""
        hashes = hashes_of((project_id, event_id))
        for day in reversed(self._folder.days()):
            of_day = self._read_filters.get(self._folder.day(day).filter)
            if of_day is None or of_day.has(hashes):
                yield day

    # --- many events --------------------------------------------------------------------------------------------
    def page(self, where: EventFilter, *, limit: int, after: str = "") -> list[EventSummary]:
        """Newest arrival first. Raises CursorUnknown for an `after` that is no cursor."""
        limit = min(limit, LIST_LIMIT_MAX)
        found = self._records(where, _parse_cursor(after), max(limit, 1))
        return [reader.summary(record) for reader, record in islice(found, max(limit, 0))]

    def iterate(self, where: EventFilter) -> Iterator[Event]:
        for reader, record in self._records(where, None, ITERATE_EVENTS):
            yield reader.event(record)

    def _records(
        self, where: EventFilter, after: Cursor | None, at_once: int
    ) -> Iterator[tuple[ShardReader, EventRecord]]:
        """Matching rows, newest first, with the reader of their day; `at_once` of them are read at a time."""
        for day in self._days(where):
            if after is not None and day > after.day:
                continue
            below = after.number if after is not None and day == after.day else None
            with self._readers.borrow(day) as reader:
                if reader is None:
                    continue
                stacks_of = selection.StacksWith(reader)
                for found in dense_words.newest(reader, where, below, stacks_of):
                    for record in found.records:
                        yield reader, record
                    below = found.below
                chosen = selection.select(reader, where, stacks_of) if below != 0 else None
                while chosen is not None:
                    records = selection.records(reader, chosen, Bounds(at_once, below=below))
                    for record in records:
                        yield reader, record
                    if len(records) < at_once:
                        break
                    below = records[-1].id

    def _days(self, where: EventFilter) -> Iterator[str]:
        """Days that may have events of the filter's time, newest first."""
        for day in reversed(self._folder.days()):
            if (where.since is None and where.until is None) or self._readers.may_overlap(
                day, where.since, where.until
            ):
                yield day

    def count(self, where: EventFilter) -> int:
        total = 0
        for day in self._days(where):
            with self._readers.borrow(day) as reader:
                if reader is not None and where.project_id is not None and _is_whole(where):
                    total += selection.count_project(reader, where.project_id)
                    continue
                chosen = selection.select(reader, where) if reader else None
                if reader is not None and chosen is not None:
                    total += selection.count(reader, chosen)
        return total

    def neighbours(self, where: EventFilter, event_id: str) -> tuple[str, str]:
        place = self._place(where.project_id, event_id)
        if place is None:
            return "", ""
        older = next(self._records(where, place, 1), None)
        newer = self._next_newer(where, place)
        return older[1].event_id.hex() if older else "", newer.event_id.hex() if newer else ""

    def _place(self, project_id: int | None, event_id: str) -> Cursor | None:
        """Where an event is in the order; of several projects' events with this id the newest."""
        key = _parse_id(event_id)
        if key is None:
            return None
        days = self._days_of(project_id, key) if project_id is not None else reversed(self._folder.days())
        for day in days:
            with self._readers.borrow(day) as reader:
                if reader is None:
                    continue
                projects = [project_id] if project_id is not None else reader.projects()
                found = [record.id for project in projects if (record := reader.find(project, key))]
                if found:
                    return Cursor(day, max(found))
        return None

    def _next_newer(self, where: EventFilter, place: Cursor) -> EventRecord | None:
        for day in reversed(list(self._days(where))):
            if day < place.day:
                continue
            with self._readers.borrow(day) as reader:
                chosen = selection.select(reader, where) if reader else None
                if reader is not None and chosen is not None:
                    bounds = Bounds(1, above=place.number if day == place.day else 0)
                    for record in selection.records(reader, chosen, bounds):
                        return record
        return None

    # --- values of tags -----------------------------------------------------------------------------------------
    def facets(self, where: EventFilter, key: str, *, limit: int) -> Facet:
        limit = max(0, min(limit, FACET_VALUES_MAX))
        whole = self._whole_facet(where, key, limit) if _is_whole(where) else None
        return whole or self._newest_facet(where, key, limit)

    def _newest_facet(self, where: EventFilter, key: str, limit: int) -> Facet:
        counts, looked_at, exact = self._count_newest(where, key)
        return Facet(_most(counts[key], limit), looked_at, exact)

    def newest_facets(self, where: EventFilter, *, limit: int) -> dict[str, Facet]:
        limit = max(0, min(limit, FACET_VALUES_MAX))
        counts, looked_at, exact = self._count_newest(where)
        return {key: Facet(_most(values, limit), looked_at, exact) for key, values in counts.items()}

    def _count_newest(self, where: EventFilter, only: str | None = None) -> tuple[dict[str, Counter[str]], int, bool]:
        """Values by key, counted by reading the newest matching events; how many these are; are they all?"""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        looked_at = 0
        newest = self._records(where, None, ITERATE_EVENTS)
        for tags in _sampled_tags(newest):
            looked_at += 1
            for key, value in set(tags):
                if only is None or key == only:
                    counts[key][value] += 1
        return counts, looked_at, next(newest, None) is None  # not a count: that looks at every matching event

    def _whole_facet(self, where: EventFilter, key: str, limit: int) -> Facet | None:
        """Counted by the index alone: every event, whatever their number. None: the tag has too many values."""
        counts: Counter[str] = Counter()
        sources = cut = 0
        left = FACET_SCAN_TERMS_MAX
        for day in self._folder.days():
            with self._readers.borrow(day) as reader:
                if reader is None:
                    continue
                for project in reader.projects() if where.project_id is None else [where.project_id]:
                    found = selection.tag_values(reader, project, key, left)
                    left -= found.terms
                    if left <= 0:
                        return None
                    sources += found.terms > 0
                    cut += found.terms > len(found.values)
                    counts.update(dict(found.values))
        return Facet(_most(counts, limit), self.count(where), cut == 0 or sources == 1)

    def facet_keys(self, where: EventFilter) -> list[str]:
        """All keys for a project as a whole, else those of the newest matching events; in alphabetical order."""
        keys: set[str] = set()
        if _is_whole(where):
            for day in self._folder.days():
                with self._readers.borrow(day) as reader:
                    if reader is not None:
                        keys.update(selection.tag_keys(reader, where.project_id))
        else:
            for tags in _sampled_tags(self._records(where, None, ITERATE_EVENTS)):
                keys.update(name for name, _ in tags)
        return sorted(keys)

    # --- days ---------------------------------------------------------------------------------------------------
    def days(self) -> list[tuple[str, int]]:
        return [(day, self._folder.day(day).sizes()) for day in self._folder.days()]

    def size(self) -> int:
        """Bytes on disk of everything."""
        return sum(size for _, size in self.days()) + self._dictionaries.bytes_on_disk()

    def close(self) -> None:
        self._read_filters.close()
        self._readers.close()


def _is_whole(where: EventFilter) -> bool:
    """Does the filter let all events of a project, or of the installation, pass?"""
    return where == EventFilter(project_id=where.project_id)


def _sampled_tags(newest: Iterator[tuple[ShardReader, EventRecord]]) -> Iterator[list[tuple[str, str]]]:
    """The tags of the first ones; the iterator is left at the first one that is not looked at."""
    for reader, record in islice(newest, FACET_SAMPLE_EVENTS_MAX):
        yield tags_in(packed_tags(reader.packed(record)))


def _most(counts: Counter[str], limit: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]


def _parse_id(event_id: str) -> bytes | None:
    """The bytes of an id; None for a text that is none, which no event has."""
    try:
        key = bytes.fromhex(event_id)
    except ValueError:
        return None
    return key if key.hex() == event_id else None


def _parse_cursor(text: str) -> Cursor | None:
    if not text:
        return None
    day, _, number = text.partition(":")
    if not is_day(day) or not (number.isascii() and number.isdigit() and len(number) < _NUMBER_DIGITS):
        raise CursorUnknown(f"{text!r} is no cursor of a list of events")
    return Cursor(day, int(number))
