"""Bring hot.db to the schema that this version of catchall knows: numbered SQL files, each applied once, in order."""

import sqlite3
from pathlib import Path
from typing import Final

from catchall.core.errors import StoreError
from catchall.store.sqlite.connection import open_database, writing

FOLDER: Final = Path(__file__).parent / "migrations" / "hot"
SQLITE_MIN: Final = (3, 37, 0)  # STRICT tables

_TABLE = "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT"


def known_migrations(folder: Path = FOLDER) -> list[tuple[int, str, str]]:
    """Number, name and SQL of each migration, in order: files named NNNN_what.sql."""
    found = [(int(path.stem[:4]), path.stem, path.read_text("utf-8")) for path in sorted(folder.glob("*.sql"))]
    if [number for number, _, _ in found] != list(range(1, len(found) + 1)):
        raise StoreError(f"the migrations in {folder} are not numbered without gaps from 1; install catchall afresh")
    return found


def migrate(path: Path, folder: Path = FOLDER) -> int:
    """Apply what is missing, all in one transaction, and return the number of the schema.

    Several processes may do this at once: one does the work, the others wait and find it done. No connection is left
    open. Raises StoreError for a schema that a newer catchall wrote, and for a SQLite library that is too old.
    """
    if sqlite3.sqlite_version_info < SQLITE_MIN:
        wanted = ".".join(str(part) for part in SQLITE_MIN)
        raise StoreError(f"catchall needs SQLite {wanted} or newer; Python here uses {sqlite3.sqlite_version}")
    known = known_migrations(folder)
    connection = open_database(path)
    try:
        if _applied(connection, path, len(known)) < len(known):
            with writing(connection):
                connection.execute(_TABLE)
                for number, name, script in known[_applied(connection, path, len(known)) :]:
                    for statement in statements(script):
                        connection.execute(statement)
                    connection.execute("INSERT INTO migration (number, name) VALUES (?, ?)", (number, name))
    finally:
        connection.close()
    return len(known)


def _applied(connection: sqlite3.Connection, path: Path, known: int) -> int:
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'migration'").fetchone():
        return 0
    number: int = connection.execute("SELECT coalesce(max(number), 0) FROM migration").fetchone()[0]
    if number > known:
        raise StoreError(
            f"{path} has schema {number}, and this catchall knows schemas up to {known}: a newer catchall wrote it; "
            "install that version again, or restore a backup made before the upgrade"
        )
    return number


def statements(script: str) -> list[str]:
    """The statements of a script. `executescript` would commit the transaction that they shall share."""
    found = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    if any(line.strip() and not line.lstrip().startswith("--") for line in pending.splitlines()):
        raise StoreError(f"a migration ends in the middle of a statement: {pending.strip()[:100]}")
    return found
