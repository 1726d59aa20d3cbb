"""How databases are opened and written."""

import sqlite3
from pathlib import Path

import pytest

from catchall.core.errors import StoreBusy, StoreError
from catchall.store.sqlite import connection
from catchall.store.sqlite.connection import open_database, writing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "odd ?#%.db"


def make(path: Path) -> sqlite3.Connection:
    made = open_database(path)
    with writing(made):
        made.execute("CREATE TABLE thing (name TEXT UNIQUE)")
    return made


def count(one: sqlite3.Connection) -> int:
    return int(one.execute("SELECT count(*) FROM thing").fetchone()[0])


def test_a_database_is_durable_at_each_commit(path):
    made = make(path)
    assert path.exists()
    assert made.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert made.execute("PRAGMA synchronous").fetchone() == (2,)
    assert made.execute("PRAGMA foreign_keys").fetchone() == (1,)
    made.close()


def test_a_reader_sees_commits_and_writes_nothing(path):
    made = make(path)
    reader = open_database(path, readonly=True)
    with writing(made):
        made.execute("INSERT INTO thing VALUES ('a')")
        assert count(reader) == 0
    assert count(reader) == 1
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM thing")
    made.close()
    reader.close()


def insert_and_raise(one: sqlite3.Connection, mistake: BaseException) -> None:
    with writing(one):
        one.execute("INSERT INTO thing VALUES ('a')")
        raise mistake


def test_a_block_that_raises_stores_nothing(path):
    made = make(path)
    for mistake in (KeyError("x"), KeyboardInterrupt()):
        with pytest.raises(type(mistake)):
            insert_and_raise(made, mistake)
    assert count(made) == 0
    with pytest.raises(sqlite3.IntegrityError), writing(made):
        made.executemany("INSERT INTO thing VALUES (?)", [("a",), ("a",)])
    assert count(made) == 0
    assert not made.in_transaction
    made.close()


def test_a_writer_that_waits_too_long_is_told_to_try_again(path, monkeypatch):
    monkeypatch.setattr(connection, "DATABASE_BUSY_SECONDS", 0.01)
    first, second = make(path), open_database(path)
    with writing(first), pytest.raises(StoreBusy, match="try again"):
        writing(second).__enter__()
    with writing(second):
        second.execute("INSERT INTO thing VALUES ('a')")
    first.close()
    second.close()


def test_what_is_missing_or_no_database_is_named(path):
    with pytest.raises(StoreError, match="odd"):
        open_database(path, readonly=True)
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="odd"):
        open_database(path)
