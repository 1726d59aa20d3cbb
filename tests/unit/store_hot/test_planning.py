"""A commit is planned before it holds the database: what others write in between must not be lost or overwritten."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

import pytest

from catchall.core.errors import FencedOff
from catchall.store.base import IssueFilter
from catchall.store.sqlite import hot_commit, hot_dead_letters, hot_names
from catchall.store.sqlite.hot import SqliteHot
from catchall.store.sqlite.hot_database import HotDatabase
from catchall.store.sqlite.hot_plan import Plan, Planner
from catchall.store.sqlite.hot_retention import Forgetting
from tests.unit.store_hot.batches import Feeder, event, found, issue_of, make_projects


@pytest.fixture
def hot(tmp_path):
    made = SqliteHot(tmp_path / "hot.db")
    make_projects(made)
    yield made
    made.close()


@pytest.fixture
def between(monkeypatch):
    """Do something once, after the next plan and before its transaction."""
    waiting: list[Callable[[], object]] = []

    class Interrupted(Planner):
        def plan(self) -> Plan:
            made = super().plan()
            if waiting:
                waiting.pop()()
            return made

    monkeypatch.setattr(hot_commit, "Planner", Interrupted)
    return waiting.append


def test_an_issue_resolved_in_between_regresses(hot, tmp_path, between):
    feeder = Feeder(hot)
    feeder.commit(event("a"))
    other = SqliteHot(tmp_path / "hot.db")
    between(lambda: other.change_state([issue_of("a")], "resolved", by="ann", now=1))
    assert [one.kind for one in feeder.commit(event("a"))] == ["regressed"]
    assert [one.kind for one in hot.transitions(issue_of("a"), limit=9)] == ["regressed", "resolved", "new"]
    other.close()


def test_another_commit_in_between(hot, tmp_path, between):
    """Both meet new issues, new names and the same user; each number is given once, each event counted once."""
    feeder = Feeder(hot, partitions=(0,))
    other = SqliteHot(tmp_path / "hot.db")
    rival = Feeder(other, partitions=(1,))
    between(lambda: rival.commit(event("b", environment="two", user="u"), event("a", environment="one", user="u")))
    transitions = feeder.commit(event("a", environment="two", user="u"), event("c", environment="three", user="u"))
    assert [(one.kind, one.issue_id) for one in transitions] == [("new", found(hot, "c").issue_id)]
    assert [(found(hot, fault).number, found(hot, fault).events) for fault in "bac"] == [(1, 1), (2, 2), (3, 1)]
    assert found(hot, "a").users == 1
    assert hot.environments(1) == ["one", "three", "two"]
    assert hot.issue_environments(issue_of("a")) == [("one", 1), ("two", 1)]
    feeder.commit(event("a", environment="three"), event("a", environment="one"))
    rival.commit(event("a", environment="three"))
    assert hot.issue_environments(issue_of("a")) == [("one", 2), ("three", 2), ("two", 1)]
    other.close()


def test_a_commit_that_fails_teaches_no_names(hot, tmp_path, between):
    """Numbers of names that were rolled back may be given to other names."""
    feeder = Feeder(hot)
    batch = feeder.batch(event("a", environment="lost"))
    other = SqliteHot(tmp_path / "hot.db")
    between(lambda: other.take_leases("thief", [0, 1]))
    with pytest.raises(FencedOff):
        hot.commit(batch)
    Feeder(other).commit(event("b", environment="other"))
    Feeder(hot).commit(event("a", environment="lost"))
    assert hot.issue_environments(issue_of("a")) == [("lost", 1)]
    assert hot.issue_environments(issue_of("b")) == [("other", 1)]
    other.close()


def test_a_full_cache_of_names_begins_anew(hot, monkeypatch):
    monkeypatch.setattr(hot_names, "NAMES_CACHED_MAX", 3)
    feeder = Feeder(hot)
    for turn in range(20):
        feeder.commit(event("a", environment=f"e{turn % 7}", release=f"r{turn % 5}"))
    assert hot.issue_environments(issue_of("a")) == [(f"e{n}", 3) for n in range(6)] + [("e6", 2)]
    assert hot.issue_releases(issue_of("a")) == [(f"r{n}", 4) for n in range(5)]
    assert all(len(cache._known) <= 3 for cache in hot._committer._names)


def test_names_used_on_many_days_stay(hot):
    feeder = Feeder(hot)
    day = 86_400
    for turn in range(5):
        feeder.commit(event("a", at=turn * day, environment="steady"), at=turn * day)
    hot.forget_before(event("a", at=4 * day).row.timestamp // 900_000_000)
    assert hot.environments(1) == ["steady"]
    assert hot.count_issues(IssueFilter(environment="steady")) == 1


def test_an_issue_that_happens_again_while_retention_runs_keeps_its_people(hot):
    feeder = Feeder(hot)
    feeder.commit(event("a", user="u"), event("b", user="u"))
    day = 86_400

    class Interrupted:
        """After retention has read which issues are old, one of them happens again."""

        writer = hot._database.writer

        @contextmanager
        def reader(self) -> Iterator[sqlite3.Connection]:
            with hot._database.reader() as connection:
                yield connection
            if found(hot, "a").events == 1 and forgetting._removed:
                feeder.commit(event("a", at=9 * day, user="v"), at=9 * day)

    forgetting = Forgetting(
        cast("HotDatabase", Interrupted()), event(at=8 * day).row.timestamp // 900_000_000, lambda: None
    )
    forgetting.run()
    feeder.commit(event("a", at=9 * day, user="u"), event("b", at=9 * day, user="u"), at=9 * day)
    assert (found(hot, "a").users, found(hot, "b").users) == (2, 2)


def test_the_whole_batch_is_one_transaction(hot, monkeypatch):
    """A failure in the last statement takes the first with it."""
    feeder = Feeder(hot)
    feeder.commit(event("a"))

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(hot_dead_letters, "write", fail)
    with pytest.raises(MemoryError):
        feeder.commit(event("a"), event("b"))
    monkeypatch.undo()
    assert found(hot, "a").events == 1
    assert hot.issue(issue_of("b")) is None
    feeder.commit(event("b", environment="later"))
    assert found(hot, "b").number == 2
