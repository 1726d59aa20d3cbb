"""The day shards against the naive store: whatever is committed, replayed, dropped and asked, both say the same."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from catchall.core.identity import Position
from catchall.core.times import day_of
from catchall.store.base import EventFilter, EventRow
from catchall.store.memory import MemoryEventStore
from catchall.store.sqlite import dense_words, duplicates, reads
from catchall.store.sqlite.events import SqliteEventStore
from tests.support.rows import DAY, NOON, event_id, row

DAYS = 4
WORDS = ["pay", "refund", "naïve", "漢字", "x1"]
ODD_TEXTS = st.sampled_from(["eu", "EU", "Eu West", "", "a\x1cb", "\x00", "é\x1b", '"*', "p2"])
TAGS = st.lists(st.tuples(st.sampled_from(["region", "Region", "k\x1d"]), ODD_TEXTS), max_size=3)
TIMES = st.builds(lambda day, part: NOON + day * DAY + part, st.integers(0, DAYS - 1), st.integers(-3, 3))
TEXTS = st.lists(st.sampled_from(WORDS), max_size=3, unique=True)

ROWS = st.builds(
    row,
    st.integers(0, 30),
    project_id=st.integers(1, 2),
    position=st.one_of(st.none(), st.builds(Position, st.just(1), st.integers(0, 3), st.just(0))),
    received_at=TIMES,
    timestamp=st.one_of(st.none(), TIMES),
    severity=st.integers(0, 4),
    environment=st.sampled_from(["", "production", "Staging \x1c"]),
    release_version=st.sampled_from(["", "shop@1", "Shop@1"]),
    issue_id=st.integers(1, 3),
    user_id=st.sampled_from(["", "00ff" * 4, "00FF" * 4, "alice"]),
    trace_id=st.sampled_from(["", "ab" * 16]),
    text=TEXTS.map(" ".join),
    tags=TAGS,
    functions=TEXTS,
)

FILTERS = st.builds(
    EventFilter,
    project_id=st.sampled_from([None, 1, 2, 3]),
    issue_id=st.sampled_from([None, None, 1, 2]),
    since=st.one_of(st.none(), TIMES),
    until=st.one_of(st.none(), TIMES),
    environment=st.sampled_from(["", "", "production", "Staging \x1c", "staging"]),
    release_version=st.sampled_from(["", "", "shop@1", "Shop@1"]),
    severity=st.sampled_from([None, None, 3]),
    user_id=st.sampled_from(["", "", "00ff" * 4, "00FF" * 4, "alice"]),
    trace_id=st.sampled_from(["", "", "ab" * 16]),
    words=st.lists(st.sampled_from([*WORDS, "PAY", "pay refund", "p2"]), max_size=2).map(tuple),
    tags=st.one_of(st.just([]), TAGS).map(tuple),
)


class Twins(RuleBasedStateMachine):
    """One history, two stores."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.shards = SqliteEventStore(self.folder / "events")
        self.other = SqliteEventStore(self.folder / "events")
        self.naive = MemoryEventStore()
        self.log: list[EventRow] = []

    @rule()
    def another_worker_takes_its_turn(self) -> None:
        """Two processes of one installation commit by turns; each has its own memory of what is stored."""
        self.shards, self.other = self.other, self.shards

    def commit(self, rows: Sequence[EventRow]) -> None:
        shards = self.shards.commit(self.shards.prepare(rows))
        assert shards == self.naive.commit(self.naive.prepare(rows))

    @rule(rows=st.lists(ROWS, min_size=1, max_size=8))
    def commit_new(self, rows: list[EventRow]) -> None:
        self.log.extend(rows)
        self.commit(rows)

    @rule(start=st.integers(0, 40), size=st.integers(1, 10), issue_id=st.integers(1, 3))
    def read_the_log_again(self, start: int, size: int, issue_id: int) -> None:
        """As after a crash: the same records in other batches, refined by newer rules."""
        self.commit([msgspec.structs.replace(old, issue_id=issue_id) for old in self.log[start : start + size]])

    @rule(day=st.integers(0, DAYS - 1))
    def drop(self, day: int) -> None:
        name = day_of(NOON + day * DAY)
        self.shards.drop_day(name)
        self.naive.drop_day(name)

    @rule()
    def open_again(self) -> None:
        self.shards.close()
        self.shards = SqliteEventStore(self.folder / "events")

    @rule(where=FILTERS, limit=st.integers(1, 5))
    def ask(self, where: EventFilter, limit: int) -> None:
        listed = [summary[1:] for summary in self.naive.page(where, limit=1000)]
        assert self.pages(where, limit) == listed
        assert self.shards.count(where) == self.naive.count(where) == len(listed)
        for key in ("region", "Region", "k\x1d", "trace_id"):
            assert self.shards.facets(where, key, limit=3) == self.naive.facets(where, key, limit=3)
        assert self.shards.facet_keys(where) == self.naive.facet_keys(where)
        assert self.shards.newest_facets(where, limit=3) == self.naive.newest_facets(where, limit=3)
        assert list(self.shards.iterate(where)) == list(self.naive.iterate(where))

    def pages(self, where: EventFilter, limit: int) -> list[tuple[object, ...]]:
        seen: list[tuple[object, ...]] = []
        after = ""
        while page := self.shards.page(where, limit=limit, after=after):
            seen += [summary[1:] for summary in page]
            after = page[-1].cursor
        return seen

    @rule(where=FILTERS, number=st.integers(0, 30))
    def ask_for_one(self, where: EventFilter, number: int) -> None:
        one = event_id(number)
        assert self.shards.neighbours(where, one) == self.naive.neighbours(where, one)
        for project in (1, 2):
            assert self.shards.payload(project, one) == self.naive.payload(project, one)

    @invariant()
    def the_same_days(self) -> None:
        assert [day for day, _ in self.shards.days()] == [day for day, _ in self.naive.days()]

    def teardown(self) -> None:
        self.shards.close()
        self.other.close()
        shutil.rmtree(self.folder)


@pytest.mark.parametrize("dense", [{}, {"MIN": 1, "SHARE": 0.0}, {"MIN": 1, "SHARE": 0.6}], ids=str)
def test_shards_and_naive_store_say_the_same(monkeypatch, dense):
    """With limits so small that every piece has an end within the examples.

    `dense`: words are looked for in the events themselves, always or until too few of them match.
    """
    if dense:
        monkeypatch.setattr(dense_words, "DENSE_STACKS_MIN", dense["MIN"])
        monkeypatch.setattr(dense_words, "DENSE_SHARE_MIN", dense["SHARE"])
        monkeypatch.setattr(dense_words, "DENSE_CANDIDATES", 2)
    monkeypatch.setattr(reads, "ITERATE_EVENTS", 2)
    monkeypatch.setattr(duplicates, "FILTER_ROWS_PER_COMMIT", 3)
    run_state_machine_as_test(Twins, settings=settings(max_examples=40, stateful_step_count=25))
