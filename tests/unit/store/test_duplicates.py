"""Duplicates over many days: filters are built in steps, used, kept up, and never needed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from catchall.core.identity import Position
from catchall.store.base import EventFilter, RowOutcome
from catchall.store.sqlite import duplicates
from catchall.store.sqlite.day_filter import DayFilter
from catchall.store.sqlite.events import SqliteEventStore
from catchall.store.sqlite.shard_reader import ShardReader
from tests.support.rows import DAY, NOON, row

ELSEWHERE = Position(9, 9, 9)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "events"


@pytest.fixture
def store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteEventStore]:
    monkeypatch.setattr(duplicates, "FILTER_ROWS_PER_COMMIT", 8)
    made = SqliteEventStore(folder)
    yield made
    made.close()


def commit(store: SqliteEventStore, *numbers: int, day: int, position: Position | None = None) -> set[RowOutcome]:
    rows = [row(number, received_at=NOON + day * DAY, position=position) for number in numbers]
    return {answer.outcome for answer in store.commit(store.prepare(rows))}


def filters(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.bloom"))


def test_a_closed_day_gets_its_filter_in_steps_and_every_id_is_found_meanwhile(store, folder):
    commit(store, *range(20), day=0)
    assert filters(folder) == []
    commit(store, 100, day=1)
    for built in ([], ["2024-10-04.bloom"], ["2024-10-04.bloom"]):  # 20 rows, 8 in each step, the first one done
        assert commit(store, *range(20), day=1, position=ELSEWHERE) == {RowOutcome.DUPLICATE}
        assert filters(folder) == built
    assert commit(store, *range(20), day=2, position=ELSEWHERE) == {RowOutcome.DUPLICATE}


def test_a_day_with_a_filter_is_not_asked_for_ids_it_cannot_have(store, folder, monkeypatch):
    commit(store, *range(5), day=0)
    commit(store, 100, day=1)
    assert filters(folder) == ["2024-10-04.bloom"]
    asked: list[str] = []
    really = ShardReader.stored

    def note(self: ShardReader, keys: list[tuple[int, bytes]]) -> object:
        asked.append(self.files.day)
        return really(self, keys)

    monkeypatch.setattr(ShardReader, "stored", note)
    commit(store, *range(200, 240), day=1)
    assert asked == []
    assert commit(store, 3, day=1, position=ELSEWHERE) == {RowOutcome.DUPLICATE}
    assert asked == ["2024-10-04"]


def test_late_rows_are_in_the_filter_before_they_are_stored(store, folder):
    commit(store, 0, day=0)
    commit(store, 100, day=1)
    commit(store, 1, day=0)
    assert commit(store, 1, day=2, position=ELSEWHERE) == {RowOutcome.DUPLICATE}


def test_a_filter_with_too_many_late_rows_is_made_anew(store, folder):
    commit(store, 0, day=0)
    commit(store, 10_000, day=1)
    small = DayFilter(folder / "2024-10-04.bloom", writable=False).size
    commit(store, *range(1, 300), day=0)
    while not filters(folder):
        commit(store, 20_000 + len(os.listdir(folder)) + store.count(EventFilter()), day=1)
    assert DayFilter(folder / "2024-10-04.bloom", writable=False).size > 4 * small
    assert commit(store, *range(300), day=1, position=ELSEWHERE) == {RowOutcome.DUPLICATE}


@pytest.mark.parametrize("damage", [None, b"", b"damaged"])
def test_a_lost_or_damaged_filter_is_made_again(store, folder, damage):
    commit(store, *range(5), day=0)
    commit(store, 100, day=1)
    path = folder / "2024-10-04.bloom"
    if damage is None:
        path.unlink()
    else:
        path.write_bytes(damage)
    assert commit(store, *range(5), day=1, position=ELSEWHERE) == {RowOutcome.DUPLICATE}
    assert DayFilter(path, writable=False).size > 0


def test_times_of_a_day_are_read_again_when_it_changes(store, folder):
    """Even when the files look old: what is kept in mind is bound to their size and time."""
    commit(store, 0, day=0)
    later = EventFilter(since=NOON + 5)
    for path in folder.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))
    assert store.count(later) == 0
    store.commit(store.prepare([row(1, timestamp=NOON + 7)]))
    assert store.count(later) == 1
