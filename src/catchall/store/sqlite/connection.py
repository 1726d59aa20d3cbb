"""How every SQLite database of catchall is opened, and how it is written.

WAL with synchronous=FULL: a commit that returned survives a power cut (https://www.sqlite.org/wal.html,
https://www.sqlite.org/pragma.html#pragma_synchronous). Transactions are only ever begun by `writing`: a transaction
that begins as a reader and then wants to write fails at once when somebody else wrote in between.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from catchall.core.errors import StoreBusy, StoreError
from catchall.core.limits import DATABASE_BUSY_SECONDS, DATABASE_CACHE_BYTES

_OUR_MISTAKES = (sqlite3.IntegrityError, sqlite3.ProgrammingError)  # a broken constraint is the caller's to handle
_BUSY_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})


def open_database(path: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """Open a database file; it is made when it is not there, durably, unless `readonly`.

    The connection begins no transaction by itself and may be handed from thread to thread, one at a time.
    Raises StoreError when the file cannot be opened or is no database.
    """
    is_new = not readonly and not path.exists()
    mode = "ro" if readonly else "rwc"
    try:
        connection = sqlite3.connect(
            f"file:{quote(os.fspath(path))}?mode={mode}",
            uri=True,
            timeout=DATABASE_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
    except sqlite3.Error as error:
        raise StoreError(f"cannot open {path}: {error}") from error
    try:
        _set_up(connection, readonly=readonly)
        if is_new:
            sync_directory(path.parent)
    except (sqlite3.Error, OSError) as error:
        connection.close()
        raise sqlite_error(error, path) from error
    return connection


def _set_up(connection: sqlite3.Connection, *, readonly: bool) -> None:
    connection.execute(f"PRAGMA cache_size=-{DATABASE_CACHE_BYTES // 1024}")
    connection.execute("PRAGMA temp_store=MEMORY")
    connection.execute("PRAGMA trusted_schema=OFF")
    if readonly:
        connection.execute("PRAGMA query_only=ON")
        return
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":
        raise sqlite3.OperationalError(f"the journal mode is {mode}, not wal: the file system has no shared memory")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One write transaction: committed at the end of the block, rolled back when it raises.

    Raises StoreBusy when another process holds the database longer than the limit, StoreError for a failed disk and
    the like; other exceptions of the block pass as they are. In each case nothing of the block is stored.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, _OUR_MISTAKES):
            raise sqlite_error(error, None) from error
        raise


def empty_log(connection: sqlite3.Connection) -> None:
    """Move what is in the write-ahead log into the database and cut the log off; nobody is waited for.

    With somebody in the way, as much is done as can be: the log is whole and read all the same.
    """
    connection.execute("PRAGMA busy_timeout=0")
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        connection.execute("PRAGMA shrink_memory")
    except sqlite3.OperationalError as error:
        if not is_busy(error):
            raise
    finally:
        connection.execute(f"PRAGMA busy_timeout={int(DATABASE_BUSY_SECONDS * 1000)}")


def is_busy(error: sqlite3.Error) -> bool:
    """Does the error mean that somebody else holds the database for now?"""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _BUSY_CODES


def sync_directory(folder: Path) -> None:
    """Make the names in a folder durable: needed after a file is made, renamed or removed."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sqlite_error(error: sqlite3.Error | OSError, path: Path | None) -> StoreError:
    """What to raise for an error of SQLite or the disk: StoreBusy for "try again", else StoreError."""
    where = f"{path}: " if path else ""
    if isinstance(error, sqlite3.Error) and is_busy(error):
        return StoreBusy(f"{where}{error}; another process holds the database, try again")
    return StoreError(f"{where}{error}")
