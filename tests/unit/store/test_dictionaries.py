"""Dictionaries come one after another and stay; the store makes one when it has seen enough."""

import os
from pathlib import Path

import pytest
import zstandard

from catchall.core.errors import StoreError
from catchall.core.limits import DICTIONARY_SECONDS_MIN
from catchall.store.base import EventFilter
from catchall.store.sqlite import events
from catchall.store.sqlite.dictionary import NONE, Dictionaries
from catchall.store.sqlite.events import SqliteEventStore
from catchall.store.sqlite.payloads import FrameReader, FrameWriter
from tests.support.rows import event_id, row


@pytest.fixture
def dictionaries(tmp_path: Path) -> Dictionaries:
    (tmp_path / "events").mkdir()
    return Dictionaries(tmp_path / "events" / "dictionaries")


def trained(number: int) -> bytes:
    samples = [b"event %d of %d: cannot pay the order %d" % (one, number, one * number) * 3 for one in range(500)]
    return zstandard.train_dictionary(2000, [*samples]).as_bytes()


def test_numbers_grow_and_old_frames_stay_readable(dictionaries):
    writer, reader = FrameWriter(dictionaries), FrameReader(dictionaries)
    kept = [(writer.compress(b"plain" * 20), writer.dictionary, b"plain" * 20)]
    for number in (1, 2):
        with dictionaries.training() as alone:
            assert alone
            assert dictionaries.publish(trained(number)) == number
        writer.refresh()
        assert writer.dictionary == dictionaries.newest() == number
        kept.append((writer.compress(b"%d" % number * 50), number, b"%d" % number * 50))
    for frame, number, content in kept:
        assert reader.inflate(frame, number) == content
    with pytest.raises(StoreError, match="dictionary"):
        reader.inflate(kept[0][0], 7)


def test_a_damaged_dictionary_does_not_stop_new_events(dictionaries):
    with dictionaries.training():
        dictionaries.publish(b"damaged" * 100)
    writer = FrameWriter(dictionaries)
    writer.refresh()
    assert writer.dictionary == NONE
    assert FrameReader(dictionaries).inflate(writer.compress(b"event"), writer.dictionary) == b"event"


def test_one_process_trains_at_a_time(dictionaries):
    with dictionaries.training() as alone, Dictionaries(dictionaries.folder).training() as other:
        assert (alone, other) == (True, False)


def test_another_training_is_due_after_a_day(dictionaries):
    assert dictionaries.is_due()
    with dictionaries.training():
        dictionaries.publish(b"x" * 100)
    assert not dictionaries.is_due()
    lock = dictionaries.folder / ".lock"
    then = lock.stat().st_mtime - DICTIONARY_SECONDS_MIN - 1
    os.utime(lock, (then, then))
    assert dictionaries.is_due()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SqliteEventStore:
    monkeypatch.setattr(events, "DICTIONARY_EVENTS_MIN", 300)
    return SqliteEventStore(tmp_path / "events")


def commit(store: SqliteEventStore, start: int, end: int) -> None:
    store.commit(store.prepare([
        row(number, user_id=f"{number % 40:016x}", message=f"cannot pay order {number} of customer {number}",
            tags=[("region", "eu-1"), ("queue", f"payments-{number % 3}")])
        for number in range(start, end)
    ]))  # fmt: skip


def test_the_store_learns_once_it_has_seen_enough(store, tmp_path):
    folder = tmp_path / "events" / "dictionaries"
    assert not store.should_learn()
    commit(store, 0, 299)
    assert not store.should_learn()
    commit(store, 299, 300)
    assert store.should_learn()
    aside = SqliteEventStore(tmp_path / "events")
    aside.learn()
    aside.close()
    assert [path.name for path in folder.glob("*.zdict")] == ["1.zdict"]
    assert not store.should_learn()
    commit(store, 300, 320)
    other = SqliteEventStore(tmp_path / "events")
    assert other.count(EventFilter()) == len(list(other.iterate(EventFilter()))) == 320
    for number in (0, 305, 315):
        event = other.get(1, event_id(number))
        assert event is not None
        assert event.message.endswith(f"customer {number}")
    store.close()
    other.close()


def test_a_store_whose_dictionary_is_lost_says_so(store, tmp_path):
    commit(store, 0, 300)
    store.learn()
    commit(store, 300, 310)
    (tmp_path / "events" / "dictionaries" / "1.zdict").unlink()
    fresh = SqliteEventStore(tmp_path / "events")
    with pytest.raises(StoreError, match="dictionary"):
        fresh.get(1, event_id(305))
    assert fresh.get(1, event_id(5)) is not None
    store.close()
    fresh.close()
