"""Counts that must add up, and how far each log is committed: ledger, rollups, positions, leases."""

import sqlite3
from collections.abc import Iterable
from typing import Final

from catchall.core.errors import FencedOff, StoreError
from catchall.core.ledger import LedgerKey
from catchall.core.limits import LOG_PARTITIONS
from catchall.core.times import QUARTER_SECONDS
from catchall.store.base import HotBatch, Lease, LedgerSnapshot, RollupCell
from catchall.store.sqlite.hot_gather import clean

_ADD_LEDGER: Final = (
    "INSERT INTO ledger VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity"
)
_ADD_ROLLUP: Final = (
    "INSERT INTO rollup (project_id, kind, key, quarter, quantity) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity"
)


def write(connection: sqlite3.Connection, batch: HotBatch) -> None:
    """Inside a commit: add to the ledger and the rollups, move the positions on."""
    many = connection.executemany
    many(_ADD_LEDGER, [(*key, quantity) for key, quantity in batch.ledger.items() if quantity])
    many(
        _ADD_ROLLUP,
        [
            (cell.project_id, cell.kind, clean(cell.key), cell.quarter, quantity)
            for cell, quantity in batch.rollups.items()
            if quantity
        ],
    )
    many(
        "INSERT OR REPLACE INTO position VALUES (?, ?, ?)",
        [(log, partition, offset) for (log, partition), offset in batch.positions.items()],
    )
    if batch.requests:
        add_to_counter(connection, "requests_committed", batch.requests)


def add_to_counter(connection: sqlite3.Connection, name: str, by: int) -> None:
    """Change a counter inside a transaction."""
    connection.execute("UPDATE counter SET value = value + ? WHERE name = ?", (by, name))


def counter(connection: sqlite3.Connection, name: str) -> int:
    """The value of a counter."""
    value: int = connection.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()[0]
    return value


def check_leases(connection: sqlite3.Connection, leases: Iterable[Lease]) -> None:
    """Raises FencedOff when one of the leases is not the newest."""
    newest: dict[int, int] = dict(connection.execute("SELECT partition, epoch FROM lease"))
    for partition, epoch in leases:
        if newest.get(partition) != epoch:
            raise FencedOff(f"partition {partition} was taken over: epoch {epoch} is not {newest.get(partition)}")


def check_positions(connection: sqlite3.Connection, batch: HotBatch) -> None:
    """A batch may only move positions on, and only those of partitions that it has leases for.

    Raises FencedOff for one that lies at or before what is committed: its records were counted already.
    """
    leased = {lease.partition for lease in batch.leases}
    for (log, partition), offset in batch.positions.items():
        if partition not in leased:
            raise StoreError(f"a batch moves partition {partition} without a lease for it")
        row = connection.execute(
            "SELECT next_offset FROM position WHERE log = ? AND partition = ?", (log, partition)
        ).fetchone()
        if row is not None and row[0] >= offset:
            raise FencedOff(
                f"log {log}, partition {partition} is committed up to {row[0]}, this batch ends at {offset}"
            )


def take_leases(connection: sqlite3.Connection, worker: str, partitions: Iterable[int]) -> list[Lease]:
    """Inside a transaction: take partitions over."""
    sql = (
        "INSERT INTO lease VALUES (?, 1, ?)"
        " ON CONFLICT DO UPDATE SET epoch = epoch + 1, worker = excluded.worker RETURNING partition, epoch"
    )
    return [Lease(*connection.execute(sql, (partition, worker)).fetchall()[0]) for partition in partitions]


def register_log(connection: sqlite3.Connection, uuid: bytes, lane: int) -> int:
    """Inside a transaction: the number of a log."""
    connection.execute("INSERT INTO log (uuid, lane) VALUES (?, ?) ON CONFLICT DO NOTHING", (uuid, lane))
    number: int = connection.execute("SELECT log FROM log WHERE uuid = ?", (uuid,)).fetchone()[0]
    return number


def positions(connection: sqlite3.Connection, log: int) -> list[int]:
    """The next offset of each partition, 0 where nothing was committed."""
    found = [0] * LOG_PARTITIONS
    for partition, offset in connection.execute("SELECT partition, next_offset FROM position WHERE log = ?", (log,)):
        found[partition] = offset
    return found


def ledger(connection: sqlite3.Connection) -> LedgerSnapshot:
    """The ledger; the caller reads in one snapshot."""
    rows = {LedgerKey(*row[:4]): row[4] for row in connection.execute("SELECT * FROM ledger WHERE quantity != 0")}
    logs = connection.execute("SELECT uuid, log FROM log ORDER BY log").fetchall()
    return LedgerSnapshot(
        rows=rows,
        requests_committed=counter(connection, "requests_committed"),
        positions={uuid: positions(connection, log) for uuid, log in logs},
        dead_letters_waiting=counter(connection, "dead_letters_waiting"),
    )


def rollups(
    connection: sqlite3.Connection, project_id: int | None, kind: str, since: int, until: int
) -> dict[RollupCell, int]:
    """Cells of a kind whose quarter begins within [since, until), both epoch seconds."""
    first, last = -(-since // QUARTER_SECONDS), -(-until // QUARTER_SECONDS)
    if project_id is None:
        projects = [row[0] for row in connection.execute("SELECT project_id FROM project")]
    else:
        projects = [project_id]
    sql = (
        "SELECT project_id, kind, key, quarter, quantity FROM rollup"
        " WHERE project_id = ? AND kind = ? AND quarter >= ? AND quarter < ? AND quantity != 0"
    )
    return {
        RollupCell(*row[:4]): row[4]
        for project in projects
        for row in connection.execute(sql, (project, kind, first, last))
    }
