"""Looking up ids in a shard, many at a time: the question behind "once and only once"."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from catchall.core.identity import Position
from catchall.core.limits import LOOKUP_KEYS
from catchall.store.sqlite.day_filter import Key


class StoredKey(NamedTuple):
    """Where a stored event came from, and its issue."""

    position: Position
    issue: int


_FIND = (
    f"WITH wanted (project, event_id) AS (VALUES {', '.join(['(?, ?)'] * LOOKUP_KEYS)})"  # noqa: S608 - no text of others
    " SELECT e.project, e.event_id, e.log, e.log_offset, e.log_index, e.issue FROM wanted"
    " CROSS JOIN event e ON e.project = wanted.project AND e.event_id = wanted.event_id"
)


def stored_keys(connection: sqlite3.Connection, keys: Sequence[Key]) -> dict[Key, StoredKey]:
    """Which of the keys are stored. One statement of one size, the last key repeated: it is compiled once."""
    found: dict[Key, StoredKey] = {}
    for start in range(0, len(keys), LOOKUP_KEYS):
        some = list(keys[start : start + LOOKUP_KEYS])
        some.extend(some[-1:] * (LOOKUP_KEYS - len(some)))
        parameters = [part for key in some for part in key]
        for project, event_id, log, offset, index, issue in connection.execute(_FIND, parameters):
            found[project, event_id] = StoredKey(Position(log, offset, index), issue)
    return found
