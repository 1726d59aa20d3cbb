"""The day shards when processes die, disks fail and files are damaged: what was committed is there, once."""

import errno
import multiprocessing
import os
import resource
import shutil
import signal
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from catchall.core.errors import StoreError
from catchall.core.identity import Position
from catchall.store.base import EventFilter, EventRow, RowOutcome
from catchall.store.sqlite.events import SqliteEventStore
from catchall.store.sqlite.shard_writer import ShardWriter
from tests.support.rows import DAY, MINUTE, NOON, event_id, row

TODAY, TOMORROW = "2024-10-04", "2024-10-05"
EVERY_EVENT = EventFilter()
STORED, SAME = RowOutcome.STORED, RowOutcome.SAME_DELIVERY


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "events"


@pytest.fixture
def store(folder: Path) -> Iterator[SqliteEventStore]:
    made = SqliteEventStore(folder)
    yield made
    made.close()


def rows(*numbers: int, days: int = 0) -> list[EventRow]:
    return [
        row(number, received_at=NOON + days * DAY, functions=["main", f"f{number % 5}"], text=f"word{number}")
        for number in numbers
    ]


def commit(store: SqliteEventStore, some: list[EventRow]) -> list[RowOutcome]:
    return [answer.outcome for answer in store.commit(store.prepare(some))]


def whole(store: SqliteEventStore) -> list[int]:
    """The numbers of all events, oldest first; every payload is read, every word is looked for."""
    numbers = [int(event.event_id, 16) for event in store.iterate(EVERY_EVENT)]
    for number in numbers:
        assert store.count(EventFilter(project_id=1, words=(f"word{number}", f"f{number % 5}"))) == 1
    return numbers[::-1]


@pytest.mark.parametrize("leftover", [b"", b"\0" * 10, os.urandom(5000)])
def test_what_a_crash_left_behind_the_end_of_the_payloads_is_overwritten(store, folder, leftover):
    commit(store, rows(1, 2))
    with (folder / f"{TODAY}.zseg").open("ab") as file:
        file.write(leftover)
    commit(store, rows(3))
    assert whole(store) == [1, 2, 3]


@pytest.mark.parametrize("call", ["fdatasync", "pwrite"])
def test_a_failing_disk_stores_nothing_and_the_same_batch_goes_in_later(store, monkeypatch, call):
    commit(store, rows(1))
    failing = store.prepare(rows(2, 3, 4))

    def fail(*_: object) -> int:
        raise OSError(errno.EIO, "the disk failed")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(StoreError, match="the disk failed"):
            store.commit(failing)
    assert whole(store) == [1]
    commit(store, rows(3))
    assert [answer.outcome for answer in store.commit(failing)] == [STORED, SAME, STORED]
    assert whole(store) == [1, 3, 2, 4]


def test_a_full_disk_stores_nothing_and_recovers(store):
    commit(store, rows(1))
    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = [row(number, text=" ".join(f"w{number}x{word}" for word in range(400))) for number in range(100, 700)]
    prepared = store.prepare(large)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, most[1]))
    try:
        with pytest.raises(StoreError):
            store.commit(prepared)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert whole(store) == [1]
    store.commit(prepared)
    assert store.count(EVERY_EVENT) == 601


def test_a_crash_between_two_days_of_a_batch_is_healed_by_the_replay(store, monkeypatch):
    midnight = NOON + DAY // 2
    batch = [row(number, received_at=midnight + (number - 2) * MINUTE, text=f"word{number}", functions=[f"f{number}"])
             for number in range(4)]  # fmt: skip
    really = ShardWriter.store

    def die_on_the_second_day(self: ShardWriter, *args: object) -> None:
        if self.files.day == TOMORROW:
            raise KeyboardInterrupt
        really(self, *args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(ShardWriter, "store", die_on_the_second_day)
        with pytest.raises(KeyboardInterrupt):
            commit(store, batch)
    assert whole(store) == [0, 1]
    assert commit(store, batch[1:3]) == [SAME, STORED]
    assert commit(store, batch) == [SAME, SAME, SAME, STORED]
    assert whole(store) == [0, 1, 2, 3]


def test_a_new_day_has_nothing_of_a_dropped_one(store, folder, tmp_path):
    """A crash in the middle of `drop_day` leaves files behind; an old write-ahead log would even be replayed."""
    commit(store, rows(1, 2))
    shutil.copytree(folder, tmp_path / "kept")
    store.drop_day(TODAY)
    for kept in (tmp_path / "kept").iterdir():
        if kept.is_file() and kept.suffix != ".db":
            shutil.copy(kept, folder / kept.name)
    assert (folder / f"{TODAY}.db-wal").stat().st_size > 0
    assert store.days() == []
    assert commit(store, rows(2, 3)) == [STORED, STORED]
    assert whole(store) == [2, 3]


def test_dropping_a_day_sweeps_up_after_earlier_crashes(store, folder):
    commit(store, rows(1))
    commit(store, rows(2, days=1))
    (folder / f"{TODAY}.db").rename(folder / f"{TODAY}.db.part")  # where drop_day may die
    assert whole(store) == [2]
    assert store.drop_day(TOMORROW) > 0
    assert [path.name for path in folder.iterdir()] == [".lock"]


def test_a_day_dropped_by_another_process_is_written_anew(store, folder):
    commit(store, rows(1))
    prepared = store.prepare(rows(1, 2))
    SqliteEventStore(folder).drop_day(TODAY)
    assert [answer.outcome for answer in store.commit(prepared)] == [STORED, STORED]
    assert whole(store) == [1, 2]


def test_a_day_dropped_in_the_middle_of_a_commit_is_no_success(store, folder, monkeypatch):
    commit(store, rows(1))
    finish = ShardWriter._write_frames

    def drop_meanwhile(self: ShardWriter, *args: object) -> object:
        SqliteEventStore(folder).drop_day(TODAY)
        return finish(self, *args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(ShardWriter, "_write_frames", drop_meanwhile)
        with pytest.raises(StoreError, match="dropped"):
            commit(store, rows(2))
    assert commit(store, rows(2)) == [STORED]
    assert whole(store) == [2]


def test_a_damaged_payload_is_an_error_and_not_an_event(store, folder):
    commit(store, rows(1, 2))
    segment = folder / f"{TODAY}.zseg"
    data = bytearray(segment.read_bytes())
    data[-10] ^= 1
    segment.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"):
        store.get(1, event_id(2))
    assert store.get(1, event_id(1)) is not None
    segment.write_bytes(data[:-5])
    with pytest.raises(StoreError, match="ends before"):
        store.get(1, event_id(2))


def test_a_shard_of_a_newer_version_is_refused(store, folder):
    commit(store, rows(1))
    store.close()
    with (folder / f"{TODAY}.db").open("r+b") as file:
        file.seek(60)  # the user version: https://www.sqlite.org/fileformat.html#user_version_number
        file.write((99).to_bytes(4, "big"))
    with pytest.raises(StoreError, match="version 99"):
        store.count(EVERY_EVENT)


def test_readers_in_other_threads_see_whole_batches_while_there_are_commits(store, folder):
    """Each batch has 10 events: no reader ever counts another number, whatever it is in the middle of."""
    wrong: list[object] = []
    done = threading.Event()
    reading = SqliteEventStore(folder)

    def read() -> None:
        try:
            while not done.is_set():
                counted = reading.count(EventFilter(project_id=1))
                listed = reading.page(EventFilter(issue_id=7), limit=25)
                if counted % 10 or len(listed) % 5 or any(reading.get(1, one.event_id) is None for one in listed[:2]):
                    wrong.append((counted, len(listed)))
        except BaseException as error:
            wrong.append(error)
            raise

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(0, 400, 10):
        commit(store, rows(*range(number, number + 10), days=number // 200))
    done.set()
    for thread in threads:
        thread.join(30)
    reading.close()
    assert wrong == []


def _commit_for_ever(folder: Path, done: Connection) -> None:
    store = SqliteEventStore(folder)
    number = 0
    while True:
        batch = rows(*range(number, number + 7), days=number // 100 % 3)
        store.commit(store.prepare(batch))
        done.send(number + 7)
        number += 7


@pytest.mark.chaos
@pytest.mark.parametrize("after", [1, 3, 10, 25, 60])
def test_what_a_killed_process_committed_is_there_and_the_rest_comes_with_the_replay(folder, after):
    context = multiprocessing.get_context("spawn")
    mine, its = context.Pipe(duplex=False)
    process = context.Process(target=_commit_for_ever, args=(folder, its), daemon=True)
    process.start()
    its.close()
    committed = 0
    for _ in range(after):
        assert mine.poll(30)
        committed = mine.recv()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(30)
    while mine.poll():
        try:
            committed = mine.recv()
        except EOFError:
            break
    store = SqliteEventStore(folder)
    there = sorted(int(event.event_id, 16) for event in store.iterate(EVERY_EVENT))
    assert there[:committed] == list(range(committed))
    assert len(there) in (committed, committed + 7)  # the last batch may be durable without having said so
    sent = committed + 14
    for start in range(0, sent, 11):  # other batches than before, over the same days
        batch = [
            one
            for number in range(start, min(start + 11, sent))
            for one in rows(number, days=number // 7 * 7 // 100 % 3)
        ]
        outcomes = commit(store, batch)
        assert outcomes == [SAME if int(one.event_id, 16) in there else STORED for one in batch]
    assert sorted(whole(store)) == list(range(sent))
    assert commit(store, [row(0, position=Position(5, 5, 5), received_at=NOON + 2 * DAY)]) == [RowOutcome.DUPLICATE]
    store.close()
