"""hot.db is brought to the schema of this version once, whole, whoever comes first."""

import multiprocessing
import sqlite3

import pytest

from catchall.core.errors import StoreError
from catchall.store.sqlite.hot import SqliteHot
from catchall.store.sqlite.hot_migrations import FOLDER, known_migrations, migrate, statements
from tests.unit.store_hot.batches import key_of

FIRST = "CREATE TABLE one (a INTEGER); -- with a comment; and a semicolon\nINSERT INTO one VALUES (1);\n"
SECOND = "ALTER TABLE one ADD COLUMN b TEXT DEFAULT ';';\n\n-- the end\n"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "migrations"
    made.mkdir()
    (made / "0001_one.sql").write_text(FIRST)
    return made


def rows(path, sql):
    connection = sqlite3.connect(path)
    found = connection.execute(sql).fetchall()
    connection.close()
    return found


def test_each_is_applied_once_and_in_order(folder, tmp_path):
    path = tmp_path / "hot.db"
    assert migrate(path, folder) == 1
    assert migrate(path, folder) == 1
    (folder / "0002_two.sql").write_text(SECOND)
    assert migrate(path, folder) == 2
    assert rows(path, "SELECT * FROM one") == [(1, ";")]
    assert rows(path, "SELECT * FROM migration") == [(1, "0001_one"), (2, "0002_two")]


def test_one_that_fails_leaves_nothing(folder, tmp_path):
    path = tmp_path / "hot.db"
    (folder / "0002_two.sql").write_text("CREATE TABLE two (a INTEGER);\nINSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(StoreError, match="nowhere"):
        migrate(path, folder)
    assert rows(path, "SELECT name FROM sqlite_schema") == []
    (folder / "0002_two.sql").write_text(SECOND)
    assert migrate(path, folder) == 2


def test_a_newer_schema_is_refused_and_left_alone(folder, tmp_path):
    path = tmp_path / "hot.db"
    (folder / "0002_two.sql").write_text(SECOND)
    migrate(path, folder)
    (folder / "0002_two.sql").unlink()
    with pytest.raises(StoreError, match="has schema 2, and this catchall knows schemas up to 1"):
        migrate(path, folder)
    assert rows(path, "SELECT b FROM one") == [(";",)]


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "hot.db"
    path.write_bytes(b"something else " * 1000)
    with pytest.raises(StoreError, match="not a database"):
        SqliteHot(path)


def test_gaps_and_halves_are_refused(folder):
    (folder / "0003_three.sql").write_text(SECOND)
    with pytest.raises(StoreError, match="gaps"):
        known_migrations(folder)
    with pytest.raises(StoreError, match="middle"):
        statements("CREATE TABLE one (a INTEGER);\nINSERT INTO one")


def test_many_processes_start_at_once(tmp_path):
    path = tmp_path / "hot.db"

    def start(number: int) -> None:
        hot = SqliteHot(path)
        hot.create_project("P", slug=f"p-{number}", key=key_of(number), now=1)
        hot.close()

    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=start, args=(number,)) for number in range(6)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * 6
    assert len(SqliteHot(path).projects()) == 6


def test_the_released_migrations_are_read_from_the_package():
    assert [name for _, name, _ in known_migrations()][:1] == ["0001_start"]
    assert (FOLDER / "0001_start.sql").is_file()


def test_a_new_file_opens_no_connection(tmp_path):
    hot = SqliteHot(tmp_path / "hot.db")
    assert hot._database._writer is None
    assert hot._database._idle == []
