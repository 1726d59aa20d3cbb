"""The hot tables in SQLite under several processes: writers side by side, forks, kill -9."""

import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from catchall.core.errors import StoreBusy
from catchall.core.ledger import LedgerKey
from catchall.core.times import MICROSECONDS
from catchall.store.base import IssueFilter
from catchall.store.sqlite.hot import SqliteHot
from tests.unit.store_hot.batches import START, Feeder, event, found, issue_of, make_projects

FORK = multiprocessing.get_context("fork")
FAULTS = [f"f{number}" for number in range(20)]
STORED = LedgerKey(1, "error", "stored", "")
DEADLINE = 60.0


@pytest.fixture
def hot(tmp_path: Path) -> Iterator[SqliteHot]:
    made = SqliteHot(tmp_path / "hot.db")
    make_projects(made)
    yield made
    made.close()


def run_in_children(*works: Callable[[], None]) -> None:
    """Run each in a forked process of its own, all at once, and expect them to end well."""
    children = [FORK.Process(target=work) for work in works]
    for child in children:
        child.start()
    for child in children:
        child.join(DEADLINE)
    assert [child.exitcode for child in children] == [0] * len(works)


def feed(hot: SqliteHot, rounds: int, *, partition: int = 0) -> None:
    """Commit batches that hold each fault twice."""
    feeder = Feeder(hot, partitions=(partition,))
    for turn in range(rounds):
        feeder.commit(*(event(fault, at=turn, user=f"{partition}-{feeder.offset}") for fault in FAULTS * 2), at=turn)


def check_whole(hot: SqliteHot, batches: int) -> None:
    """All that so many batches of `feed` count, and nothing of any other."""
    snapshot = hot.ledger()
    assert snapshot.rows.get(STORED, 0) == snapshot.requests_committed == batches * 40
    issues = hot.issues(IssueFilter(), sort="events", limit=100)[0]
    assert [issue.events for issue in issues] == [batches * 2] * (20 if batches else 0)
    assert [issue.users for issue in issues] == [batches] * len(issues)
    assert sorted(issue.number for issue in issues) == list(range(1, len(issues) + 1))
    since = START - START % 900
    assert hot.project_series(1, since=since, until=since + 9000, step=9000)[0].count == batches * 40
    series = hot.issue_series([issue_of(fault) for fault in FAULTS], since=since, until=since + 9000, step=9000)
    assert {points[0].count for points in series.values()} == {batches * 2}


def test_commits_and_state_changes_side_by_side(hot):
    def triage() -> None:
        for turn in range(150):
            state = ("resolved", "ignored", "unresolved")[turn % 3]
            hot.change_state([issue_of(fault) for fault in FAULTS], state, by="ann", now=turn)

    def set_up() -> None:
        for turn in range(100):
            hot.update_project(1, {"name": f"Name {turn}"})
            hot.discard_dead_letter(turn)

    run_in_children(lambda: feed(hot, 60), lambda: feed(hot, 60, partition=1), triage, set_up)
    assert hot.ledger().rows[STORED] == 120 * 40
    for fault in FAULTS:
        assert (found(hot, fault).events, found(hot, fault).users) == (240, 120)
        check_life(hot, fault)


def check_life(hot: SqliteHot, fault: str) -> None:
    """Every transition follows from the state that the one before left."""
    after = {"new": "unresolved", "regressed": "unresolved", "reopened": "unresolved"}
    before = {"regressed": {"resolved"}, "reopened": {"resolved", "ignored"}, "new": {""}}
    state = ""
    for transition in reversed(hot.transitions(issue_of(fault), limit=1000)):
        assert state in before.get(transition.kind, {"unresolved", "resolved", "ignored"} - {transition.kind})
        state = after.get(transition.kind, transition.kind)
    assert state == found(hot, fault).state


def test_kill_in_the_middle_leaves_all_or_nothing(hot, tmp_path):
    log = Feeder(hot).log
    for turn in range(12):
        child = FORK.Process(target=feed, args=(hot, 10_000))
        child.start()
        grown(lambda: hot.positions(log)[0], hot.positions(log)[0] + 200)
        time.sleep(0.003 * turn)  # another moment of the commit each time; nothing waits for it
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join(DEADLINE)
        check_whole(hot, hot.positions(log)[0] // 100)
    hot.close()
    connection = sqlite3.connect(tmp_path / "hot.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def grown(read: Callable[[], int], least: int) -> None:
    """Wait until a number has grown."""
    end = time.monotonic() + DEADLINE
    while read() < least:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_fork_opens_its_own_connections(hot):
    feed(hot, 3)
    mine = hot._database._writer
    assert mine is not None

    def in_child() -> None:
        assert hot._database._writer is None
        check_whole(hot, 3)
        feed(hot, 2)
        check_whole(hot, 5)
        hot.close()

    run_in_children(in_child)
    assert hot._database._writer is mine
    feed(hot, 1)
    check_whole(hot, 6)


def test_a_fork_while_a_thread_writes(hot):
    """The lock of the parent's writer is held by a thread that does not exist in the child."""
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.0005):
            hot.update_project(2, {"name": "from a thread"})

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for turn in range(20):
            run_in_children(partial(rename, hot, f"child {turn}"))
            assert hot.projects()[0].name == f"child {turn}"
    finally:
        stop.set()
        writing.join(DEADLINE)


def rename(hot: SqliteHot, name: str) -> None:
    hot.update_project(1, {"name": name})


def test_threads_read_while_one_writes(hot):
    wrong: list[str] = []

    def read() -> None:
        for _ in range(40):
            snapshot = hot.ledger()
            if snapshot.rows.get(STORED, 0) != snapshot.requests_committed:
                wrong.append("the ledger moved within one snapshot")
            page = hot.issues(IssueFilter(), sort="users", limit=50)[0]
            if len({issue.events for issue in page}) > 1:
                wrong.append("a list shows half a batch")

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    feed(hot, 30)
    for reader in readers:
        reader.join(DEADLINE)
    assert wrong == []
    check_whole(hot, 30)


def test_a_database_that_others_hold_is_busy_and_nothing_is_lost(hot, tmp_path, monkeypatch):
    monkeypatch.setattr("catchall.store.sqlite.connection.DATABASE_BUSY_SECONDS", 0.05)
    hot.close()
    feeder = Feeder(hot)
    batch = feeder.batch(event("a"))
    holder = sqlite3.connect(tmp_path / "hot.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy):
        hot.commit(batch)
    with pytest.raises(StoreBusy):
        hot.change_state([1], "resolved", by="ann", now=START * MICROSECONDS)
    assert hot.count_issues(IssueFilter()) == 0
    holder.execute("ROLLBACK")
    holder.close()
    hot.commit(batch)
    assert found(hot, "a").events == 1
