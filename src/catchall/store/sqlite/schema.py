"""The tables of a day shard, and how a shard comes into being: whole, or not at all."""

import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from catchall.core.errors import StoreError
from catchall.store.sqlite.connection import open_database, sync_directory, writing
from catchall.store.sqlite.tokens import TOKEN_CHARACTERS

VERSION = 1

_TABLES = (
    """CREATE TABLE event (
        id INTEGER PRIMARY KEY,            -- grows with arrival; shared with `stack`: both are rows of the index
        project INTEGER NOT NULL,
        event_id BLOB NOT NULL,            -- 16 bytes
        issue INTEGER NOT NULL,
        timestamp INTEGER NOT NULL,        -- microseconds since the epoch
        received_at INTEGER NOT NULL,
        severity INTEGER NOT NULL,
        environment INTEGER NOT NULL,      -- name.id, 0 for none
        release INTEGER NOT NULL,
        user ANY,                          -- the 8 bytes of a hashed id, or a text
        log INTEGER NOT NULL,              -- the position
        log_offset INTEGER NOT NULL,
        log_index INTEGER NOT NULL,
        place INTEGER NOT NULL,            -- of the payload's frame in the segment
        length INTEGER NOT NULL,
        dictionary INTEGER NOT NULL,       -- 0: compressed without one
        UNIQUE (project, event_id)
    ) STRICT""",
    """CREATE TABLE stack (
        id INTEGER PRIMARY KEY,
        project INTEGER NOT NULL,
        digest BLOB NOT NULL,
        place INTEGER NOT NULL,
        length INTEGER NOT NULL,
        dictionary INTEGER NOT NULL,
        UNIQUE (project, digest)
    ) STRICT""",
    "CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT",
    "CREATE TABLE project (id INTEGER PRIMARY KEY, events INTEGER NOT NULL) STRICT",
    "CREATE TABLE tag_key (project INTEGER, key TEXT, PRIMARY KEY (project, key)) STRICT, WITHOUT ROWID",
    """CREATE TABLE span (                -- the time map: rows from `first` to before the next entry's
        first INTEGER PRIMARY KEY,
        events INTEGER NOT NULL,
        least INTEGER NOT NULL,            -- event times within
        greatest INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE meta (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        segment_end INTEGER NOT NULL,      -- what lies behind it in the segment is a crash's leftover
        next_id INTEGER NOT NULL,
        events INTEGER NOT NULL,
        least INTEGER,                     -- event times of the shard
        greatest INTEGER
    ) STRICT""",
    "INSERT INTO meta (one, segment_end, next_id, events) VALUES (1, 0, 1, 0)",
)

_MERGE_LATER = (
    "INSERT INTO token (token, rank) VALUES ('automerge', 8)"  # 4 writes each word once more; reads take as long
)
_VOCABULARY = "CREATE VIRTUAL TABLE vocabulary USING fts5vocab(token, row)"


def index_table() -> str:
    """The statement that makes the index: see tokens.py. Contentless, for the tokens are made of what is stored."""
    characters = TOKEN_CHARACTERS.replace("'", "''").replace('"', '""')
    return (
        "CREATE VIRTUAL TABLE token USING fts5(tokens, content='', columnsize=0, detail=none, "
        f"tokenize=\"ascii tokenchars '{characters}'\")"
    )


class DayFiles(NamedTuple):
    """The files of one day."""

    folder: Path
    day: str

    @property
    def database(self) -> Path:
        """Rows and index. The day exists when this file does."""
        return self.folder / f"{self.day}.db"

    @property
    def log(self) -> Path:
        """The database's write-ahead log."""
        return self.folder / f"{self.day}.db-wal"

    @property
    def segment(self) -> Path:
        """Payloads."""
        return self.folder / f"{self.day}.zseg"

    @property
    def filter(self) -> Path:
        """Which ids a closed day may have."""
        return self.folder / f"{self.day}.bloom"

    @property
    def unfinished(self) -> Path:
        """A database on its way into being or out of it."""
        return self.folder / f"{self.day}.db.part"

    def beside(self) -> list[Path]:
        """All but the database: without it they mean nothing."""
        names = [self.segment, self.filter, self.filter.with_suffix(".bloom.part"), self.unfinished]
        names += [Path(f"{name}{end}") for name in (self.database, self.unfinished) for end in ("-wal", "-shm")]
        return names

    def sizes(self) -> int:
        """Bytes on disk, as allocated. 0 when the day is gone."""
        return sum(_allocated(path) for path in [self.database, *self.beside()])


def _allocated(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:
        return 0


def create_day(files: DayFiles) -> None:
    """Make an empty shard; afterwards it is durable, or the disk failed (StoreError) and there is none.

    Leftovers of a day that was dropped go first: a stale write-ahead log beside a new database would be replayed.
    """
    try:
        remove_beside(files)
        os.close(os.open(files.segment, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        connection = open_database(files.unfinished)
        try:
            with writing(connection):
                for statement in (
                    *_TABLES,
                    index_table(),
                    _MERGE_LATER,
                    _VOCABULARY,
                    f"PRAGMA user_version={VERSION}",
                ):
                    connection.execute(statement)
        finally:
            connection.close()
        files.unfinished.rename(files.database)
        sync_directory(files.folder)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot make the shard {files.database}: {error}") from error


def remove_beside(files: DayFiles) -> None:
    """Remove what a day that does not exist left behind."""
    for path in files.beside():
        path.unlink(missing_ok=True)


def remove_day(files: DayFiles) -> int:
    """Remove a day and what it left behind. Returns the bytes freed; the database goes first and at once."""
    freed = files.sizes()
    if files.database.exists():
        files.database.rename(files.unfinished)
        sync_directory(files.folder)
    remove_beside(files)
    sync_directory(files.folder)
    return freed


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Raises StoreError for a shard that this program does not understand."""
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found != VERSION:
        raise StoreError(f"{path} has version {found}; this catchall reads version {VERSION}: run the newer one")
