"""The connections of one process to hot.db: one that writes, and some that read."""

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catchall.core.errors import StoreError
from catchall.core.limits import HOT_READER_CACHE_BYTES, HOT_READERS_IDLE_MAX, HOT_WAL_PAGES
from catchall.store.sqlite.connection import open_database, sqlite_error


class HotDatabase:
    """Opens on first use, and a fork never uses its parent's connections. Fork while no thread reads.

    Safe for threads: readers have a connection each while they read, writers take turns.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start()
        _databases.add(self)

    def _start(self) -> None:
        self._write_lock = threading.RLock()
        self._writer: sqlite3.Connection | None = None
        self._idle: list[sqlite3.Connection] = []

    @contextmanager
    def writer(self) -> Iterator[sqlite3.Connection]:
        """The connection that writes, to one thread at a time. What fails in SQLite is raised as StoreError."""
        with self._write_lock, _translated():
            if self._writer is None:
                self._writer = open_database(self.path)
                # what was deleted is overwritten: dead letters hold bytes that nobody has scrubbed
                self._writer.execute("PRAGMA secure_delete=ON")
                self._writer.execute(f"PRAGMA wal_autocheckpoint={HOT_WAL_PAGES}")
            yield self._writer

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """A connection that cannot write. What fails in SQLite is raised as StoreError."""
        with _translated():
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = open_database(self.path, readonly=True)
                connection.execute(f"PRAGMA cache_size=-{HOT_READER_CACHE_BYTES // 1024}")
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            if len(self._idle) < HOT_READERS_IDLE_MAX:
                self._idle.append(connection)
            else:
                connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A reader for which the database stands still."""
        with self.reader() as connection:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")

    def close(self) -> None:
        """Close all connections that are not in use. The next use opens new ones."""
        with self._write_lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
        while self._idle:
            self._idle.pop().close()

    def before_fork(self) -> None:
        """Wait for a write in another thread.

        A child inherits what SQLite remembers of this process's locks on the file: of one held at this moment the child
        would believe for ever that somebody holds it.
        """
        self._write_lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._write_lock.release()

    def after_fork_in_child(self) -> None:
        """Forget what belongs to the parent.

        The connections are kept, unused, for as long as the child lives: SQLite says that even closing one in a child
        can harm the parent's (https://www.sqlite.org/howtocorrupt.html, section 2.6).
        """
        _left.append((self._writer, self._idle))
        self._start()


_databases: "weakref.WeakSet[HotDatabase]" = weakref.WeakSet()
_left: list[object] = []
_forking: list[HotDatabase] = []


def _before_fork() -> None:
    _forking[:] = list(_databases)
    for database in _forking:
        database.before_fork()


def _after_fork_in_parent() -> None:
    for database in _forking:
        database.after_fork_in_parent()
    _forking.clear()


def _after_fork_in_child() -> None:
    for database in _forking:
        database.after_fork_in_child()
    _forking.clear()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise sqlite_error(error, Path("hot.db")) from error
    except OverflowError as error:
        raise StoreError("a number in the request is larger than 64 bits") from error
