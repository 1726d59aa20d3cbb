"""Words that very many stacks have: lists look for them in the newest events themselves."""

import pytest

from catchall.store.base import EventFilter
from catchall.store.sqlite import dense_words
from catchall.store.sqlite.events import SqliteEventStore
from tests.support.rows import DAY, NOON, row

EVENTS = 24


@pytest.fixture(params=[(1000, 0.0), (1, 0.0), (1, 0.6)], ids=["index", "events", "events, then index"])
def store(request, tmp_path, monkeypatch):
    """Two days; every event has a stack of its own. "main" is in the stack of two of three, "pay" in a text of four."""
    monkeypatch.setattr(dense_words, "DENSE_STACKS_MIN", request.param[0])
    monkeypatch.setattr(dense_words, "DENSE_SHARE_MIN", request.param[1])
    monkeypatch.setattr(dense_words, "DENSE_CANDIDATES", 4)
    found = SqliteEventStore(tmp_path / "events")
    rows = [
        row(
            number,
            project_id=1 + number % 2,
            received_at=NOON + number // (EVENTS // 2) * DAY,
            text="cannot pay" if number % 4 == 0 else "cannot",
            functions=["main" if number % 3 else "other", f"f{number}"],
        )
        for number in range(EVENTS)
    ]
    found.commit(found.prepare(rows))
    yield found
    found.close()


def numbers(store, limit=1000, after="", **where):
    """The events that are listed."""
    return [int(one.event_id, 16) for one in store.page(EventFilter(**where), limit=limit, after=after)]


def newest_first(condition):
    return [number for number in reversed(range(EVENTS)) if condition(number)]


def test_the_newest_come_first_and_none_is_missing(store):
    assert numbers(store, words=("main",)) == newest_first(lambda number: number % 3)
    assert numbers(store, words=("main",), project_id=2) == newest_first(lambda number: number % 3 and number % 2)
    assert numbers(store, words=("main",), limit=3) == [23, 22, 20]


def test_a_word_may_be_in_the_text_or_in_the_stack(store):
    assert numbers(store, words=("f7",)) == [7]
    assert numbers(store, words=("main", "pay")) == newest_first(lambda number: number % 3 and number % 4 == 0)
    assert numbers(store, words=("other", "main")) == []


def test_a_list_goes_on_where_it_ended(store):
    seen = []
    after = ""
    while page := store.page(EventFilter(words=("main",)), limit=5, after=after):
        seen += [int(one.event_id, 16) for one in page]
        after = page[-1].cursor
    assert seen == newest_first(lambda number: number % 3)


def test_no_more_events_are_read_than_the_list_needs(store, monkeypatch):
    monkeypatch.setattr(dense_words, "DENSE_STACKS_MIN", 1)
    looked_at = []
    matching = dense_words._matching

    def watched(reader, some, words):
        looked_at.extend(some)
        return matching(reader, some, words)

    monkeypatch.setattr(dense_words, "_matching", watched)
    numbers(store, words=("main",), limit=2)
    assert len(looked_at) == 4
