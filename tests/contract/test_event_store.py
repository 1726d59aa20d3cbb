"""What every event store promises: one suite, over the day shards and over memory."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from catchall.core.codec import event_json
from catchall.core.errors import StoreError
from catchall.core.identity import Position
from catchall.store import memory
from catchall.store.base import EventFilter, EventRow, EventStore, RowOutcome, StoredRow
from catchall.store.memory import MemoryEventStore
from catchall.store.sqlite import reads
from catchall.store.sqlite.events import SqliteEventStore
from tests.support.rows import DAY, MINUTE, NOON, event_id, row

STORED, SAME, DUPLICATE = RowOutcome.STORED, RowOutcome.SAME_DELIVERY, RowOutcome.DUPLICATE
EVERY_EVENT = EventFilter()
MIDNIGHT = NOON + DAY // 2


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventStore]:
    makers: dict[str, Callable[[], EventStore]] = {
        "sqlite": lambda: SqliteEventStore(tmp_path / "events"),
        "memory": MemoryEventStore,
    }
    made = makers[request.param]()
    yield made
    made.close()


def commit(store: EventStore, *rows: EventRow) -> list[RowOutcome]:
    return [answer.outcome for answer in store.commit(store.prepare(rows))]


def found(store: EventStore, where: EventFilter = EVERY_EVENT) -> list[int]:
    """The numbers of matching events, newest first; asked for in four ways that must agree."""
    ids = [int(summary.event_id, 16) for summary in store.page(where, limit=1000)]
    assert store.count(where) == len(ids)
    assert [int(event.event_id, 16) for event in store.iterate(where)] == ids
    by_neighbours = [ids[0]] if ids else []
    while by_neighbours and (older := store.neighbours(where, event_id(by_neighbours[-1]))[0]):
        by_neighbours.append(int(older, 16))
    assert by_neighbours == ids
    return ids


def test_an_empty_store_has_nothing(store):
    assert found(store) == []
    assert store.get(1, event_id(1)) is None
    assert store.payload(1, event_id(1)) is None
    assert store.neighbours(EVERY_EVENT, event_id(1)) == ("", "")
    assert store.facets(EVERY_EVENT, "os", limit=5) == ([], 0, True)
    assert store.facet_keys(EVERY_EVENT) == []
    assert store.days() == []
    assert store.drop_day("2024-10-04") == 0
    assert store.commit(store.prepare([])) == []


def test_an_event_comes_back_whole(store):
    one = row(1, functions=["main", "pay"], tags=[("region", "eu-1")], trace_id="ab" * 16, user_id="00ff" * 4)
    commit(store, one, row(2, functions=["main", "pay"]))
    event = store.get(1, event_id(1))
    assert event.tags == {"region": "eu-1"}
    assert [frame.function for frame in event.stack_trace] == ["main", "pay"]
    assert bytes(event.exceptions[0].stack_trace[1].locals) == b'{"attempt":2}'
    assert store.payload(1, event_id(1)) == event_json(event)
    assert b'"user_id":"00ff00ff00ff00ff"' in store.payload(1, event_id(1))


@pytest.mark.parametrize("odd", ["", "zz", "0" * 31, "0" * 33, "F" * 32, "../../etc/passwd", "é" * 32, "00 " * 16])
def test_an_id_that_is_none_finds_nothing(store, odd):
    commit(store, row(15))
    assert store.get(1, odd) is None
    assert store.neighbours(EVERY_EVENT, odd) == ("", "")


def test_a_project_sees_only_its_own(store):
    mine = row(1, project_id=1, tags=[("region", "eu")], text="secret word", issue_id=1)
    theirs = row(2, project_id=12, tags=[("region", "us")], text="secret word", issue_id=2)
    commit(store, mine, theirs, row(1, project_id=12, issue_id=2))
    assert found(store, EventFilter(project_id=1)) == [1]
    assert found(store, EventFilter(project_id=12)) == [1, 2]
    assert found(store, EventFilter(project_id=1, words=("secret",))) == [1]
    assert store.facets(EventFilter(project_id=1), "region", limit=5).values == [("eu", 1)]
    assert store.facets(EventFilter(project_id=2), "region", limit=5).values == []
    assert store.facet_keys(EventFilter(project_id=12)) == ["region"]
    assert store.get(12, event_id(2)).project_id == 12
    assert store.get(1, event_id(2)) is None


def test_the_same_delivery_is_known_by_its_position_and_keeps_its_issue(store):
    assert commit(store, row(1, issue_id=7), row(2)) == [STORED, STORED]
    again = store.commit(store.prepare([row(3), row(1, issue_id=8)]))
    assert again == [StoredRow(STORED, 7), StoredRow(SAME, 7)]
    assert found(store, EventFilter(issue_id=8)) == []
    assert found(store) == [3, 2, 1]


def test_the_same_id_from_another_position_is_a_duplicate(store):
    commit(store, row(1))
    for other in (Position(2, 100, 0), Position(1, 101, 0), Position(1, 100, 1)):
        assert commit(store, row(1, position=other)) == [DUPLICATE]
    assert commit(store, row(1, project_id=2)) == [STORED]


def test_duplicates_within_one_batch_are_told_apart(store):
    twice = [row(1), row(1), row(1, position=Position(1, 5, 5)), row(2)]
    assert commit(store, *twice) == [STORED, SAME, DUPLICATE, STORED]
    assert found(store) == [2, 1]


def test_duplicates_are_found_on_other_days(store):
    commit(store, row(1, received_at=NOON))
    commit(store, row(2, received_at=NOON + DAY))
    commit(store, row(3, received_at=NOON + 2 * DAY))
    other = Position(9, 9, 9)
    assert commit(store, row(1, position=other, received_at=NOON + 2 * DAY)) == [DUPLICATE]
    assert commit(store, row(3, position=other, received_at=NOON)) == [DUPLICATE]
    late = [row(4, received_at=NOON), row(4, position=other, received_at=NOON + 2 * DAY)]
    assert commit(store, *late) == [STORED, DUPLICATE]
    assert commit(store, row(4, position=other, received_at=NOON + DAY)) == [DUPLICATE]
    assert found(store) == [3, 2, 4, 1]


def test_a_batch_over_midnight_lands_on_both_days(store):
    rows = [row(number, received_at=MIDNIGHT + (number - 3) * MINUTE) for number in range(6)]
    assert commit(store, *reversed(rows)) == [STORED] * 6
    assert [day for day, _ in store.days()] == ["2024-10-04", "2024-10-05"]
    assert found(store) == [3, 4, 5, 0, 1, 2]
    assert commit(store, *rows) == [SAME] * 6


def test_a_list_goes_on_after_its_cursor(store):
    commit(store, *[row(number, received_at=NOON + number * DAY // 4) for number in range(20)])
    seen: list[int] = []
    after = ""
    while page := store.page(EventFilter(project_id=1), limit=3, after=after):
        assert len(page) == min(3, 20 - len(seen))
        seen += [int(summary.event_id, 16) for summary in page]
        after = page[-1].cursor
    assert seen == list(reversed(range(20)))
    assert store.page(EVERY_EVENT, limit=0) == []


@pytest.mark.parametrize("odd", ["x", "2024-10-04:", "2024-10-04:-1", "2024-10-04:1e9", "2024-10-04", "2024-10-04:²"])
def test_a_cursor_that_is_none_is_refused(store, odd):
    commit(store, row(1))
    with pytest.raises(StoreError):
        store.page(EVERY_EVENT, limit=5, after=odd)


def test_a_summary_says_what_a_list_shows(store):
    one = row(
        1, timestamp=NOON - 5, severity=4, environment="staging", release_version="", user_id="alice", issue_id=2**62
    )
    commit(store, one, row(2, user_id="00FF" * 4), row(3, user_id="00ff" * 4), row(4))
    newest_first = store.page(EVERY_EVENT, limit=10)
    assert [summary.user_id for summary in newest_first] == ["", "00ff" * 4, "00FF" * 4, "alice"]
    last = newest_first[-1]
    assert last[1:] == (1, event_id(1), 2**62, NOON - 5, NOON, 4, "staging", "", "alice")


COLUMNS = [
    ({"issue_id": 9}, EventFilter(issue_id=9)),
    ({"severity": 0}, EventFilter(severity=0)),
    ({"environment": "Ünder Test\n"}, EventFilter(environment="Ünder Test\n")),
    ({"release_version": "Shop 1.0+b"}, EventFilter(release_version="Shop 1.0+b")),
    ({"user_id": "0123456789abcdef"}, EventFilter(user_id="0123456789abcdef")),
    ({"user_id": "Bob \x1c\x00 Smith"}, EventFilter(user_id="Bob \x1c\x00 Smith")),
    ({"trace_id": "ab" * 16}, EventFilter(trace_id="ab" * 16)),
    ({"text": "ledger beyond"}, EventFilter(words=("beyond",))),
    ({"text": "ledger beyond"}, EventFilter(words=("Beyond; LEDGER",))),
    ({"text": "naïve 漢字"}, EventFilter(words=("漢字", "naïve"))),
    ({"functions": ["main", "charge"]}, EventFilter(words=("charge",))),
    ({"functions": ["main", "charge"], "text": "ledger"}, EventFilter(words=("charge", "ledger", "main"))),
    ({"tags": [("Browser Name", "Fire Fox")]}, EventFilter(tags=(("Browser Name", "Fire Fox"),))),
    ({"tags": [("a", ""), ("b", '"x" OR *')]}, EventFilter(tags=(("a", ""), ("b", '"x" OR *')))),
    ({"tags": [("nul", "a\x00b\x1c\x1d\x1b\n")]}, EventFilter(tags=(("nul", "a\x00b\x1c\x1d\x1b\n"),))),
    ({"tags": [("half", "\ud800x")]}, EventFilter(tags=(("half", "\udfffx"),))),
    ({"tags": [("long", "y" * 5000)]}, EventFilter(tags=(("long", "y" * 5000),))),
    ({"timestamp": NOON - 3}, EventFilter(since=NOON - 3, until=NOON - 2)),
]


@pytest.mark.parametrize(("columns", "where"), COLUMNS)
def test_an_event_is_found_by_each_of_its_columns(store, columns, where):
    commit(store, row(1), row(2, **columns), row(3), row(4, project_id=2, issue_id=3))
    assert found(store, where) == [2]
    whose = msgspec.structs.replace(where, project_id=1)
    assert found(store, whose) == [2]
    assert found(store, msgspec.structs.replace(where, project_id=2)) == []


@pytest.mark.parametrize(
    "where",
    [
        EventFilter(words=("pa",)),
        EventFilter(words=("cannot", "nothing")),
        EventFilter(tags=(("Region", "EU"),)),
        EventFilter(tags=(("region", "eu"), ("region", "us"))),
        EventFilter(tags=(("reg", "ion"),)),
        EventFilter(environment="Production"),
        EventFilter(user_id="ALICE"),
        EventFilter(since=NOON + 1),
        EventFilter(until=NOON),
        EventFilter(since=NOON, until=NOON),
        EventFilter(project_id=9),
        EventFilter(issue_id=-1),
        EventFilter(severity=9),
    ],
)
def test_what_does_not_match_whole_is_not_found(store, where):
    commit(store, row(1, tags=[("region", "eu")], user_id="alice"))
    assert found(store, where) == []


@pytest.mark.parametrize("text", ["a\x1cp2", "a\x00p2\x00i1", "a\x1cw2\x1dstolen", '" OR p2', "\ud800 b"])
def test_text_cannot_bring_an_event_into_another_project(store, text):
    other = row(2, project_id=2)
    odd = row(1, text=text, functions=["f"], tags=[(text, text)], environment=text, release_version=text, user_id=text)
    odd.stacks = [stack._replace(tokens=text) for stack in odd.stacks]
    assert commit(store, odd, other) == [STORED, STORED]
    assert found(store, EventFilter(project_id=2)) == [2]
    assert found(store, EventFilter(project_id=2, words=("stolen",))) == []
    assert found(store, EventFilter(project_id=1)) == [1]


def test_event_times_may_lie_far_from_arrival(store):
    old = row(1, timestamp=NOON - 80 * DAY)
    commit(store, old, row(2), row(3, received_at=NOON + DAY, timestamp=NOON - 80 * DAY + 5))
    assert found(store, EventFilter(until=NOON)) == [3, 1]
    assert found(store, EventFilter(since=NOON - DAY)) == [2]
    assert found(store, EventFilter(since=NOON - 80 * DAY, until=NOON - 80 * DAY + 1)) == [1]


def test_neighbours_of_an_event_outside_the_filter_are_those_around_it(store):
    commit(store, *[row(number, issue_id=number % 2, received_at=NOON + number * DAY // 3) for number in range(10)])
    odd = EventFilter(issue_id=1)
    assert store.neighbours(odd, event_id(4)) == (event_id(3), event_id(5))
    assert store.neighbours(odd, event_id(5)) == (event_id(3), event_id(7))
    assert store.neighbours(odd, event_id(9)) == (event_id(7), "")
    assert store.neighbours(odd, event_id(0)) == ("", event_id(1))
    assert store.neighbours(odd, event_id(77)) == ("", "")


def test_facets_count_values_most_frequent_first(store):
    regions = ["eu", "EU", "us", "eu", "É \x1b\n", "us", "eu"]
    rows = [
        row(
            number,
            tags=[("region", region), ("n", str(number))],
            received_at=NOON + number % 2 * DAY,
            issue_id=number % 3,
        )
        for number, region in enumerate(regions)
    ]
    commit(store, *rows)
    whole = store.facets(EventFilter(project_id=1), "region", limit=10)
    assert whole == ([("eu", 3), ("us", 2), ("EU", 1), ("É \x1b\n", 1)], 7, True)
    assert store.facets(EVERY_EVENT, "region", limit=1).values == [("eu", 3)]
    assert store.facets(EventFilter(issue_id=0), "region", limit=10) == ([("eu", 3)], 3, True)
    assert store.facets(EventFilter(project_id=1), "nothing", limit=10) == ([], 7, True)
    assert store.facet_keys(EventFilter(project_id=1)) == ["n", "region"]
    assert store.facet_keys(EventFilter(issue_id=7)) == []


def test_facets_of_many_matching_events_say_how_many_they_looked_at(store, monkeypatch):
    for module in (memory, reads):
        monkeypatch.setattr(module, "FACET_SAMPLE_EVENTS_MAX", 4)
    commit(store, *[row(number, tags=[("k", str(number % 3)), (f"k{number}", "")]) for number in range(10)])
    narrow = EventFilter(project_id=1, issue_id=7)
    assert store.facets(narrow, "k", limit=5) == ([("0", 2), ("1", 1), ("2", 1)], 4, False)
    assert store.facet_keys(narrow) == ["k", "k6", "k7", "k8", "k9"]
    assert store.newest_facets(narrow, limit=2) == {
        "k": ([("0", 2), ("1", 1)], 4, False),
        **{f"k{number}": ([("", 1)], 4, False) for number in range(6, 10)},
    }
    assert store.facets(EventFilter(project_id=1), "k", limit=5).exact
    assert len(store.facet_keys(EventFilter(project_id=1))) == 11


def test_a_tag_with_too_many_values_is_counted_in_the_newest_events(tmp_path, monkeypatch):
    monkeypatch.setattr(reads, "FACET_SCAN_TERMS_MAX", 8)
    monkeypatch.setattr(reads, "FACET_SAMPLE_EVENTS_MAX", 5)
    store = SqliteEventStore(tmp_path / "events")
    tags = [[("request", str(number)), ("few", str(number % 2))] for number in range(10)]
    commit(store, *[row(number, tags=tags[number], received_at=NOON + number // 5 * DAY) for number in range(10)])
    whole = EventFilter(project_id=1)
    assert store.facets(whole, "request", limit=2) == ([("5", 1), ("6", 1)], 5, False)
    assert store.facets(whole, "few", limit=2) == ([("0", 5), ("1", 5)], 10, True)
    store.close()


def test_a_dropped_day_is_gone_and_may_come_again(store):
    rows = [row(number, received_at=NOON + number * DAY, functions=["main"]) for number in range(3)]
    commit(store, *rows)
    assert store.drop_day("2024-10-05") > 0
    assert [day for day, _ in store.days()] == ["2024-10-04", "2024-10-06"]
    assert found(store) == [2, 0]
    assert store.get(1, event_id(1)) is None
    assert commit(store, *rows) == [SAME, STORED, SAME]
    assert found(store) == [2, 1, 0]
    assert [frame.function for frame in store.get(1, event_id(1)).stack_trace] == ["main"]


def test_a_walk_over_all_events_takes_them_in_pieces(store, monkeypatch):
    monkeypatch.setattr(reads, "ITERATE_EVENTS", 3)
    commit(store, *[row(number, received_at=NOON + number * DAY // 7) for number in range(20)])
    assert found(store) == list(reversed(range(20)))


def test_prepared_rows_of_another_store_are_refused(store):
    with pytest.raises(TypeError):
        store.commit(("something", "else"))
