"""The event store that is obviously right: a list, searched from end to end. For tests, and to test the others by."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from catchall.core.codec import event_json, join
from catchall.core.errors import CursorUnknown
from catchall.core.event import Event
from catchall.core.limits import FACET_SAMPLE_EVENTS_MAX, FACET_VALUES_MAX, LIST_LIMIT_MAX
from catchall.core.times import day_of
from catchall.store.base import EventFilter, EventRow, EventSummary, Facet, Prepared, RowOutcome, StoredRow
from catchall.store.terms import TRACE_TAG, searchable, tag_of, tags_of, wanted_words


class _Stored(NamedTuple):
    """A row with its place in the order of arrival, and what it can be found by."""

    number: int
    day: str
    row: EventRow
    words: set[str]
    tags: set[tuple[str, str]]


class MemoryEventStore:
    """`EventStore` in a list."""

    def __init__(self) -> None:
        self._events: list[_Stored] = []

    def prepare(self, rows: Sequence[EventRow]) -> Prepared:
        return list(rows)

    def commit(self, prepared: Prepared) -> list[StoredRow]:
        if not isinstance(prepared, list):
            raise TypeError(f"{type(prepared).__name__} was not made by this store's prepare")
        return [self._store(row) for row in prepared]

    def _store(self, row: EventRow) -> StoredRow:
        for stored in self._events:
            if (stored.row.project_id, stored.row.event_id) == (row.project_id, row.event_id):
                same = stored.row.position == row.position
                outcome = RowOutcome.SAME_DELIVERY if same else RowOutcome.DUPLICATE
                return StoredRow(outcome, stored.row.issue_id)
        words = set(searchable(row.text).split(" "))
        for stack in row.stacks:
            words.update(searchable(stack.tokens).split(" "))
        number = max((stored.number for stored in self._events), default=0) + 1
        self._events.append(
            _Stored(number, day_of(row.received_at), row, words, {tag_of(*tag) for tag in tags_of(row)})
        )
        return StoredRow(RowOutcome.STORED, row.issue_id)

    def _newest_first(self, where: EventFilter) -> list[_Stored]:
        found = [stored for stored in self._events if _matches(stored, where)]
        return sorted(found, key=_order, reverse=True)

    def get(self, project_id: int, event_id: str) -> Event | None:
        for stored in self._events:
            if (stored.row.project_id, stored.row.event_id) == (project_id, event_id):
                return self._event(stored)
        return None

    def _event(self, stored: _Stored) -> Event:
        frames = {
            stack.digest: stack.frames
            for other in self._events
            if other.row.project_id == stored.row.project_id
            for stack in other.row.stacks
        }
        return join(stored.row.body, frames.__getitem__)

    def payload(self, project_id: int, event_id: str) -> bytes | None:
        event = self.get(project_id, event_id)
        return event_json(event) if event is not None else None

    def page(self, where: EventFilter, *, limit: int, after: str = "") -> list[EventSummary]:
        found = [
            _summary(stored) for stored in self._newest_first(where) if not after or _order(stored) < _place(after)
        ]
        return found[: max(0, min(limit, LIST_LIMIT_MAX))]

    def iterate(self, where: EventFilter) -> Iterator[Event]:
        for stored in self._newest_first(where):
            yield self._event(stored)

    def count(self, where: EventFilter) -> int:
        return len(self._newest_first(where))

    def neighbours(self, where: EventFilter, event_id: str) -> tuple[str, str]:
        same_project = EventFilter(project_id=where.project_id)
        here = next((stored for stored in self._newest_first(same_project) if stored.row.event_id == event_id), None)
        if here is None:
            return "", ""
        found = self._newest_first(where)
        older = [stored for stored in found if _order(stored) < _order(here)]
        newer = [stored for stored in found if _order(stored) > _order(here)]
        return older[0].row.event_id if older else "", newer[-1].row.event_id if newer else ""

    def facets(self, where: EventFilter, key: str, *, limit: int) -> Facet:
        found = self._newest_first(where)
        looked_at = found if _is_whole(where) else found[:FACET_SAMPLE_EVENTS_MAX]
        counts = Counter(value for stored in looked_at for name, value in stored.tags if name == key)
        values = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return Facet(values[: max(0, min(limit, FACET_VALUES_MAX))], len(looked_at), looked_at == found)

    def facet_keys(self, where: EventFilter) -> list[str]:
        found = self._newest_first(where)
        looked_at = found if _is_whole(where) else found[:FACET_SAMPLE_EVENTS_MAX]
        return sorted({name for stored in looked_at for name, _ in stored.tags})

    def newest_facets(self, where: EventFilter, *, limit: int) -> dict[str, Facet]:
        found = self._newest_first(where)
        looked_at = found[:FACET_SAMPLE_EVENTS_MAX]
        counts: dict[str, Counter[str]] = {}
        for stored in looked_at:
            for name, value in set(stored.tags):
                counts.setdefault(name, Counter())[value] += 1
        return {
            key: Facet(
                sorted(values.items(), key=lambda item: (-item[1], item[0]))[: max(0, min(limit, FACET_VALUES_MAX))],
                len(looked_at),
                looked_at == found,
            )
            for key, values in counts.items()
        }

    def days(self) -> list[tuple[str, int]]:
        sizes: Counter[str] = Counter()
        for stored in self._events:
            sizes[stored.day] += len(stored.row.body)
        return sorted(sizes.items())

    def drop_day(self, day: str) -> int:
        freed = dict(self.days()).get(day, 0)
        self._events = [stored for stored in self._events if stored.day != day]
        return freed

    def should_learn(self) -> bool:
        """There is nothing to learn."""
        return False

    def learn(self) -> None:
        """Nothing is made smaller here."""

    def settle(self) -> None:
        """Everything is as it stays."""

    def close(self) -> None:
        """Nothing is open."""


def _order(stored: _Stored) -> tuple[str, int]:
    return stored.day, stored.number


def _matches(stored: _Stored, where: EventFilter) -> bool:
    row = stored.row
    return (
        (where.project_id is None or row.project_id == where.project_id)
        and (where.issue_id is None or row.issue_id == where.issue_id)
        and (where.since is None or row.timestamp >= where.since)
        and (where.until is None or row.timestamp < where.until)
        and (not where.environment or row.environment == where.environment)
        and (not where.release_version or row.release_version == where.release_version)
        and (where.severity is None or row.severity == where.severity)
        and (not where.user_id or row.user_id == where.user_id)
        and (not where.trace_id or tag_of(TRACE_TAG, where.trace_id) in stored.tags)
        and all(word in stored.words for word in wanted_words(where.words))
        and all(tag_of(key, value) in stored.tags for key, value in where.tags)
    )


def _summary(stored: _Stored) -> EventSummary:
    row = stored.row
    return EventSummary(
        f"{stored.day}:{stored.number}",
        row.project_id,
        row.event_id,
        row.issue_id,
        row.timestamp,
        row.received_at,
        row.severity,
        row.environment,
        row.release_version,
        row.user_id,
    )


def _place(cursor: str) -> tuple[str, int]:
    day, _, number = cursor.partition(":")
    if not number.isascii() or not number.isdigit():
        raise CursorUnknown(f"{cursor!r} is no cursor of a list of events")
    return day, int(number)


def _is_whole(where: EventFilter) -> bool:
    return where == EventFilter(project_id=where.project_id)
