"""The connections of one process to hot.db: one that writes, and some that read."""

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catchall.core.errors import StoreBusy, StoreError
from catchall.core.limits import HOT_READER_CACHE_BYTES, HOT_READERS_IDLE_MAX, HOT_WAL_PAGES
from catchall.store.sqlite.connection import is_busy, open_database


class HotDatabase:
    """Opens on first use, so that a process may be forked before; a fork never uses its parent's connections.

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
        self._pid = os.getpid()

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

    def leave_to_parent(self) -> None:
        """Forget, in a child just forked, what belongs to the parent.

        The connections are kept, unused, for as long as the child lives: SQLite says that even closing one in a child
        can harm the parent's (https://www.sqlite.org/howtocorrupt.html, section 2.6).
        """
        _left.append((self._writer, self._idle))
        self._start()


_databases: "weakref.WeakSet[HotDatabase]" = weakref.WeakSet()
_left: list[object] = []


def _after_fork() -> None:
    for database in list(_databases):
        if database._pid != os.getpid():  # noqa: SLF001 - the class's own hook
            database.leave_to_parent()


os.register_at_fork(after_in_child=_after_fork)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if is_busy(error):
            raise StoreBusy(f"hot.db: {error}; another process holds the database, try again") from error
        raise StoreError(f"hot.db: {error}") from error
    except OverflowError as error:
        raise StoreError("a number in the request is larger than 64 bits") from error
