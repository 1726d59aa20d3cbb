"""Environments and releases as small numbers: clients repeat the same few names with every event.

A number is never given to another name, so each process remembers what it has seen. Which project used a name, and on
which day last, is kept apart and forgotten with retention: it bounds how many names a project may bring.
"""

import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from catchall.core.limits import ENVIRONMENTS_PER_PROJECT_MAX, NAMES_CACHED_MAX, RELEASES_PER_PROJECT_MAX
from catchall.store.sqlite.hot_gather import clean

NO_NAME: Final = 0  # the number of the empty name: the client said none
OTHER: Final = "(other)"  # stands for what a project brings beyond its limit

Wanted = tuple[int, str]
"""A project and a name that one of its events has."""


class NameTable(NamedTuple):
    """Where one kind of name is kept."""

    table: str
    column: str
    per_project_max: int

    @property
    def of_project(self) -> str:
        """The table that says which project used which name."""
        return f"project_{self.table}"


ENVIRONMENTS: Final = NameTable("environment", "environment_id", ENVIRONMENTS_PER_PROJECT_MAX)
RELEASES: Final = NameTable("release", "release_id", RELEASES_PER_PROJECT_MAX)


class Resolved(msgspec.Struct):
    """Numbers of names, and what has to be written for them."""

    where: NameTable
    day: int
    ids: dict[Wanted, int] = {}
    new: list[tuple[int, str]] = []
    used: list[tuple[int, int, int]] = []  # project, number, day
    other: int | None = None  # the number of the stand-in, once somebody needed it


class NameCache:
    """What one process knows of one kind of name. Only what was committed gets in."""

    def __init__(self, where: NameTable) -> None:
        self.where = where
        self._known: dict[Wanted, tuple[int, int]] = {}

    def resolve(self, connection: sqlite3.Connection, wanted: Iterable[Wanted], day: int) -> Resolved:
        """The numbers of names used on a day (days since the epoch). Reads only; `write` writes what is new."""
        resolved = Resolved(self.where, day)
        missing: list[Wanted] = []
        for key in wanted:
            number, last_day = self._known.get(key, (NO_NAME, -1))
            if not key[1]:
                resolved.ids[key] = NO_NAME
            elif last_day >= day:
                resolved.ids[key] = number
            else:
                missing.append(key)
        if missing:
            _Resolving(connection, resolved, missing).run()
        return resolved

    def learn(self, resolved: Resolved) -> None:
        """Remember what a committed transaction wrote."""
        if len(self._known) + len(resolved.used) > NAMES_CACHED_MAX:
            self._known.clear()
        used = {(project, number): day for project, number, day in resolved.used}
        for key, number in resolved.ids.items():
            day = used.get((key[0], number))
            if day is not None and (number != resolved.other or key[1] == OTHER):  # there may be room tomorrow
                self._known[key] = (number, day)


class _Resolving:
    """One look-up of names that this process does not know yet, or has not seen today."""

    def __init__(self, connection: sqlite3.Connection, resolved: Resolved, missing: list[Wanted]) -> None:
        self._connection = connection
        self._resolved = resolved
        self._missing = missing
        self._where = resolved.where
        names = sorted({clean(name) for _, name in missing} | {OTHER})
        where = "name IN (SELECT value FROM json_each(?))"
        sql = f"SELECT name, {self._where.column} FROM {self._where.table} WHERE {where}"  # noqa: S608 - our own names
        self._numbers: dict[str, int] = dict(connection.execute(sql, (msgspec.json.encode(names).decode(),)))
        sql = f"SELECT coalesce(max({self._where.column}), 0) FROM {self._where.table}"  # noqa: S608
        self._newest: int = connection.execute(sql).fetchone()[0]
        self._room: dict[int, int] = {}
        self._written: set[tuple[int, int]] = set()

    def run(self) -> None:
        for project, name in self._missing:
            number = self._number_for(project, clean(name))
            if number is None:
                number = self._resolved.other = self._number_for(project, OTHER)
            assert number is not None  # the stand-in always finds room
            self._resolved.ids[project, name] = number

    def _number_for(self, project: int, name: str) -> int | None:
        """The number of a name for a project; None when the project has no room for one more."""
        number = self._numbers.get(name)
        last_day = self._last_day(project, number) if number is not None else None
        if last_day is None and name != OTHER:
            if self._room_of(project) <= 0:
                return None
            self._room[project] -= 1
        if number is None:
            self._newest += 1
            number = self._numbers[name] = self._newest
            self._resolved.new.append((number, name))
        day = max(self._resolved.day, -1 if last_day is None else last_day)
        if (project, number) not in self._written:
            self._written.add((project, number))
            self._resolved.used.append((project, number, day))
        return number

    def _last_day(self, project: int, number: int) -> int | None:
        if (project, number) in self._written:
            return self._resolved.day
        sql = f"SELECT last_day FROM {self._where.of_project} WHERE project_id = ? AND {self._where.column} = ?"  # noqa: S608
        row = self._connection.execute(sql, (project, number)).fetchone()
        return row[0] if row else None

    def _room_of(self, project: int) -> int:
        if project not in self._room:
            sql = f"SELECT count(*) FROM {self._where.of_project} WHERE project_id = ?"  # noqa: S608
            used = self._connection.execute(sql, (project,)).fetchone()[0]
            self._room[project] = self._where.per_project_max - used
        return self._room[project]


def write(connection: sqlite3.Connection, resolved: Resolved) -> None:
    """Store names that are new and the day on which they were used."""
    if resolved.new:
        connection.executemany(f"INSERT INTO {resolved.where.table} VALUES (?, ?)", resolved.new)  # noqa: S608
    if resolved.used:
        connection.executemany(f"INSERT OR REPLACE INTO {resolved.where.of_project} VALUES (?, ?, ?)", resolved.used)  # noqa: S608


def number_of(connection: sqlite3.Connection, where: NameTable, name: str) -> int | None:
    """The number of a name, None when no event ever had it."""
    if not name:
        return NO_NAME
    row = connection.execute(f"SELECT {where.column} FROM {where.table} WHERE name = ?", (name,)).fetchone()  # noqa: S608
    return row[0] if row else None
