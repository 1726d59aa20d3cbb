"""Many rows by their keys in few statements: a list of values of fixed length, prepared once, joined to the table."""

import sqlite3
from typing import Any, Final

VALUES_PER_STATEMENT: Final = 64


def values(columns: int) -> str:
    """The list of values, as the body of a common table expression."""
    return "VALUES " + ",".join(["(" + ",".join("?" * columns) + ")"] * VALUES_PER_STATEMENT)


def lookup(connection: sqlite3.Connection, sql: str, keys: list[int], columns: int) -> list[Any]:
    """Rows of `sql`, which begins `WITH wanted (...) AS (` + values(columns) + `)`, for all keys.

    `keys`: their columns one after the other. The last list is filled up with NULLs, which equal nothing.
    """
    width = VALUES_PER_STATEMENT * columns
    found: list[Any] = []
    for begin in range(0, len(keys), width):
        some: list[int | None] = [*keys[begin : begin + width]]
        some += [None] * (width - len(some))
        found += connection.execute(sql, some)
    return found


def fitting(number: int) -> int:
    """The number, or the nearest that SQLite can hold: so an id that is too large is an id that nothing has."""
    return max(-_LARGEST, min(number, _LARGEST))


_LARGEST: Final = 2**63 - 1
