"""Many rows by their keys in few statements: a list of values of fixed length, prepared once, joined to the table."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

VALUES_PER_STATEMENT: Final = 64


def values(columns: int) -> str:
    """The list of values, as the body of a common table expression."""
    return "VALUES " + ",".join(["(" + ",".join("?" * columns) + ")"] * VALUES_PER_STATEMENT)


def lookup(connection: sqlite3.Connection, sql: str, keys: Iterable[Sequence[object]], columns: int) -> Iterator[Any]:
    """Rows of `sql`, which begins `WITH wanted (...) AS (` + values(columns) + `)`, for all keys.

    The last list is filled up with NULLs, which equal nothing.
    """
    iterator = iter(keys)
    width = VALUES_PER_STATEMENT * columns
    while chunk := list(islice(iterator, VALUES_PER_STATEMENT)):
        flat = [value for key in chunk for value in key]
        flat += [None] * (width - len(flat))
        yield from connection.execute(sql, flat)


def fitting(number: int) -> int:
    """The number, or the nearest that SQLite can hold: so an id that is too large is an id that nothing has."""
    return max(-_LARGEST, min(number, _LARGEST))


_LARGEST: Final = 2**63 - 1
