"""Forget what is older than retention, a little at a time, so that others may write in between."""

from collections.abc import Callable, Sequence
from typing import Final

from catchall.core.limits import FORGET_ROWS_PER_TRANSACTION
from catchall.core.times import DAY_SECONDS, MICROSECONDS, QUARTER_SECONDS
from catchall.store.sqlite import hot_dead_letters
from catchall.store.sqlite.connection import writing
from catchall.store.sqlite.hot_database import HotDatabase
from catchall.store.sqlite.hot_plan import SLOTS_PER_BLOCK

_QUARTER: Final = QUARTER_SECONDS * MICROSECONDS

_DEAD_LETTERS_AT_ONCE: Final = 20  # their bytes are overwritten, up to some megabytes each


class Forgetting:
    """One run of retention: `quarter` is the first one that stays. `pause` is called between two transactions."""

    def __init__(self, database: HotDatabase, quarter: int, pause: Callable[[], None]) -> None:
        self._database = database
        self._quarter = quarter
        self._pause = pause
        self._removed = 0

    def run(self) -> int:
        """Remove what is older; returns how many rows that were.

        Counts of quarters before; users, environments and releases of issues that have not happened since; names that
        no project used since that day; bytes of dead letters made before. Issues, transitions and the ledger stay.
        """
        for sql, arguments in self._deletions():
            self._repeat(sql, (*arguments, FORGET_ROWS_PER_TRANSACTION))
        for table, column in (("user", "user"), ("environment", "environment_id"), ("release", "release_id")):
            self._of_old_issues(f"issue_{table}", column)
        found = 1
        while found:
            with self._database.writer() as connection, writing(connection):
                found = hot_dead_letters.discard_made_before(
                    connection, self._quarter * _QUARTER, _DEAD_LETTERS_AT_ONCE
                )
            self._pause()
        return self._removed

    def _repeat(self, sql: str, arguments: Sequence[object]) -> None:
        count = 1
        while count:
            with self._database.writer() as connection, writing(connection):
                count = connection.execute(sql, arguments).rowcount
            self._removed += count
            self._pause()

    def _of_old_issues(self, table: str, column: str) -> None:
        """Remove a table's rows that belong to issues not seen since.

        An issue may happen again before its turn comes: each removal looks at it again, where nobody else can write.
        """
        old = f"SELECT issue_key, {column}, ?1 FROM {table} JOIN issue USING (issue_key) WHERE last_seen < ?1 LIMIT ?2"  # noqa: S608
        remove = (
            f"DELETE FROM {table} WHERE issue_key = ?1 AND {column} = ?2"  # noqa: S608
            " AND (SELECT last_seen FROM issue WHERE issue_key = ?1) < ?3"
        )
        while True:
            with self._database.reader() as connection:
                found = connection.execute(old, (self._quarter * _QUARTER, FORGET_ROWS_PER_TRANSACTION)).fetchall()
            if not found:
                return
            with self._database.writer() as connection, writing(connection):
                self._removed += connection.executemany(remove, found).rowcount
            self._pause()

    def _deletions(self) -> list[tuple[str, Sequence[object]]]:
        """Statements that remove a bounded number of rows each time, with their arguments but for that bound."""
        quarter = self._quarter
        block, slot = divmod(quarter, SLOTS_PER_BLOCK)
        found: list[tuple[str, Sequence[object]]] = []
        of_issue = "block, issue_key, slot, environment_id, release_id"
        of_project = "block, project_id, slot, environment_id, severity"
        for table, key in (("issue_quarter", of_issue), ("project_quarter", of_project)):
            found.append((_limited(table, key, "block < ?"), (block,)))
            found.append((_limited(table, key, "block = ? AND slot < ?"), (block, slot)))
        with self._database.reader() as connection:
            kinds = connection.execute("SELECT DISTINCT project_id, kind FROM rollup").fetchall()
        forget_bits = (
            "UPDATE issue SET environments = 0 WHERE issue_key IN"
            " (SELECT issue_key FROM issue WHERE environments != 0 AND last_seen < ? LIMIT ?)"
        )
        found.append((forget_bits, (quarter * _QUARTER,)))
        condition = "project_id = ? AND kind = ? AND quarter < ?"
        rollup = _limited("rollup", "project_id, kind, quarter, key", condition)
        found += [(rollup, (*kind, quarter)) for kind in kinds]
        day = quarter * QUARTER_SECONDS // DAY_SECONDS
        names = ("environment", "release")
        found += [(_limited(f"project_{name}", f"project_id, {name}_id", "last_day < ?"), (day,)) for name in names]
        return found


def _limited(table: str, key: str, condition: str) -> str:
    return f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {condition} LIMIT ?)"  # noqa: S608
