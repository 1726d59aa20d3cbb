"""Dead letters: kept while they wait, within bounds; settled ones stay in the list without their bytes."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from catchall.core.identity import Position
from catchall.core.limits import DEAD_LETTERS_BYTES_MAX, DEAD_LETTERS_MAX, DEAD_LETTERS_SETTLED_MAX, LIST_LIMIT_MAX
from catchall.store.base import DeadLetter, HotBatch
from catchall.store.sqlite.hot_gather import clean
from catchall.store.sqlite.hot_ledger import add_to_counter, counter
from catchall.store.sqlite.hot_lookup import fitting

_COLUMNS: Final = (
    "dead_letter_id, project_id, category, reason, detail, received_at, log, log_offset, log_index, protocol, state"
)


def write(connection: sqlite3.Connection, batch: HotBatch) -> None:
    """Inside a commit: settle what was replayed, keep what died, make room."""
    _settle(connection, batch.replayed, "replayed")
    for letter in batch.dead_letters:
        _insert(connection, letter, batch.now)
    if batch.dead_letters:
        _make_room(connection)
    if batch.dead_letters or batch.replayed:
        _forget_settled(connection)


def _insert(connection: sqlite3.Connection, letter: DeadLetter, now: int) -> None:
    size = len(letter.data) + len(letter.record)
    cursor = connection.execute(
        "INSERT INTO dead_letter (project_id, state, category, reason, detail, received_at, made_at, log, log_offset,"
        " log_index, protocol, bytes) VALUES (?, 'waiting', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            letter.project_id,
            letter.category,
            letter.reason,
            clean(letter.detail),
            letter.received_at,
            now,
            *letter.position,
            letter.protocol,
            size,
        ),
    )
    connection.execute("INSERT INTO dead_letter_data VALUES (?, ?, ?)", (cursor.lastrowid, letter.data, letter.record))
    _count(connection, 1, size)


def _count(connection: sqlite3.Connection, letters: int, size: int) -> None:
    add_to_counter(connection, "dead_letters_waiting", letters)
    add_to_counter(connection, "dead_letters_bytes", size)


def _settle(connection: sqlite3.Connection, ids: Sequence[int], state: str) -> None:
    """Inside a transaction: give dead letters their last state, and their bytes up."""
    for dead_letter_id in ids:
        row = connection.execute("SELECT bytes FROM dead_letter WHERE dead_letter_id = ?", (dead_letter_id,)).fetchone()
        connection.execute("DELETE FROM dead_letter_data WHERE dead_letter_id = ?", (dead_letter_id,))
        connection.execute(
            "UPDATE dead_letter SET state = ?, bytes = 0 WHERE dead_letter_id = ?", (state, dead_letter_id)
        )
        _count(connection, -1, -row[0])
    add_to_counter(connection, "dead_letters_settled", len(ids))


def _make_room(connection: sqlite3.Connection) -> None:
    """Discard the oldest that wait until all that is kept lies within the bounds. The ledger keeps counting them."""
    while (
        counter(connection, "dead_letters_waiting") > DEAD_LETTERS_MAX
        or counter(connection, "dead_letters_bytes") > DEAD_LETTERS_BYTES_MAX
    ):
        oldest = connection.execute("SELECT min(dead_letter_id) FROM dead_letter WHERE state = 'waiting'").fetchone()[0]
        if oldest is None:
            return  # all are being replayed: they go when that is done
        _settle(connection, [oldest], "discarded")


def _forget_settled(connection: sqlite3.Connection) -> None:
    too_many = counter(connection, "dead_letters_settled") - DEAD_LETTERS_SETTLED_MAX
    if too_many > 0:
        connection.execute(
            "DELETE FROM dead_letter WHERE dead_letter_id IN (SELECT dead_letter_id FROM dead_letter"
            " WHERE state IN ('replayed', 'discarded') ORDER BY dead_letter_id LIMIT ?)",
            (too_many,),
        )
        add_to_counter(connection, "dead_letters_settled", -too_many)


def are_replaying(connection: sqlite3.Connection, ids: Sequence[int]) -> bool:
    """Inside a transaction: whether all these dead letters still wait for the replay that is being committed."""
    return all(_state(connection, dead_letter_id) == "replaying" for dead_letter_id in ids)


def _state(connection: sqlite3.Connection, dead_letter_id: int) -> str | None:
    row = connection.execute(
        "SELECT state FROM dead_letter WHERE dead_letter_id = ?", (fitting(dead_letter_id),)
    ).fetchone()
    return row[0] if row else None


def discard(connection: sqlite3.Connection, dead_letter_id: int) -> bool:
    """Inside a transaction: discard a dead letter that waits."""
    if _state(connection, dead_letter_id) != "waiting":
        return False
    _settle(connection, [dead_letter_id], "discarded")
    _forget_settled(connection)
    return True


def discard_made_before(connection: sqlite3.Connection, before: int, limit: int) -> int:
    """Inside a transaction: discard the oldest dead letters that wait and were made before a time. Returns how many."""
    sql = "SELECT dead_letter_id, made_at FROM dead_letter WHERE state = 'waiting' ORDER BY dead_letter_id LIMIT ?"
    old = [dead_letter_id for dead_letter_id, made_at in connection.execute(sql, (limit,)) if made_at < before]
    _settle(connection, old, "discarded")
    _forget_settled(connection)
    return len(old)


def request_replay(connection: sqlite3.Connection, dead_letter_id: int) -> bool:
    """Inside a transaction: mark a dead letter that waits and has a record to replay."""
    changed = connection.execute(
        "UPDATE dead_letter SET state = 'replaying' WHERE dead_letter_id = ?1 AND state = 'waiting'"
        " AND EXISTS (SELECT 1 FROM dead_letter_data WHERE dead_letter_id = ?1 AND length(record) > 0)",
        (fitting(dead_letter_id),),
    )
    return changed.rowcount == 1


def replay_requests(connection: sqlite3.Connection, limit: int) -> list[DeadLetter]:
    """Dead letters to be replayed, oldest first, with their bytes."""
    rows = connection.execute(
        f"SELECT {_COLUMNS}, data, record FROM dead_letter JOIN dead_letter_data USING (dead_letter_id)"  # noqa: S608
        " WHERE state = 'replaying' ORDER BY dead_letter_id LIMIT ?",
        (min(limit, LIST_LIMIT_MAX),),
    )
    return [_letter(row) for row in rows]


def dead_letter(connection: sqlite3.Connection, dead_letter_id: int) -> DeadLetter | None:
    """One dead letter with the bytes that are still kept."""
    row = connection.execute(
        f"SELECT {_COLUMNS}, coalesce(data, x''), coalesce(record, x'') FROM dead_letter"  # noqa: S608
        " LEFT JOIN dead_letter_data USING (dead_letter_id) WHERE dead_letter_id = ?",
        (fitting(dead_letter_id),),
    ).fetchone()
    return _letter(row) if row else None


def dead_letters(
    connection: sqlite3.Connection, *, project_id: int | None, state: str, limit: int, before: int
) -> list[DeadLetter]:
    """Dead letters, newest first, without bytes. No `state`: in any."""
    conditions = ["TRUE"]
    arguments: list[object] = []
    if project_id is not None:
        conditions.append("project_id = ?")
        arguments.append(project_id)
    if state:
        conditions.append("state = ?")
        arguments.append(state)
    if before:
        conditions.append("dead_letter_id < ?")
        arguments.append(before)
    rows = connection.execute(
        f"SELECT {_COLUMNS}, x'', x'' FROM dead_letter WHERE {' AND '.join(conditions)}"  # noqa: S608 - our own words
        " ORDER BY dead_letter_id DESC LIMIT ?",
        (*arguments, min(limit, LIST_LIMIT_MAX)),
    )
    return [_letter(row) for row in rows]


def _letter(row: tuple[Any, ...]) -> DeadLetter:
    return DeadLetter(
        dead_letter_id=row[0],
        project_id=row[1],
        category=row[2],
        reason=row[3],
        detail=row[4],
        received_at=row[5],
        position=Position(row[6], row[7], row[8]),
        protocol=row[9],
        state=row[10],
        data=row[11],
        record=row[12],
    )
