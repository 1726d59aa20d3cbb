"""One batch into the hot tables: planned by reading, then written in one short transaction, or not at all."""

import sqlite3
from typing import Final

from catchall.core.errors import FencedOff
from catchall.core.issue import IssueTransition
from catchall.store.base import HotBatch
from catchall.store.sqlite import hot_dead_letters, hot_ledger, hot_names
from catchall.store.sqlite.connection import writing
from catchall.store.sqlite.hot_gather import Gathered
from catchall.store.sqlite.hot_issue_row import COLUMNS
from catchall.store.sqlite.hot_names import ENVIRONMENTS, RELEASES, NameCache
from catchall.store.sqlite.hot_plan import Plan, Planner

_NEW_ISSUE: Final = (
    f"INSERT INTO issue (issue_id, project_id, number, {', '.join(COLUMNS)})"  # noqa: S608 - our own names
    f" VALUES (?, ?, ?{', ?' * len(COLUMNS)})"
)
_CHANGED_ISSUE: Final = f"UPDATE issue SET {', '.join(f'{name} = ?' for name in COLUMNS[:-1])} WHERE {COLUMNS[-1]} = ?"  # noqa: S608
_CHANGED_TEXT: Final = (
    "UPDATE issue_text SET search = ?, title = ?, culprit = ?, error_type = ?, message = ?, service_name = ?,"
    " platform = ?, category = ? WHERE issue_key = ?"
)
_ADD_QUARTER: Final = (
    "INSERT INTO issue_quarter VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events"
)
_ADD_PROJECT_QUARTER: Final = (
    "INSERT INTO project_quarter VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events"
)


class HotCommitter:
    """Commits batches for one process. Not safe for threads: the caller holds the writing connection."""

    def __init__(self) -> None:
        self._names = (NameCache(ENVIRONMENTS), NameCache(RELEASES))

    def commit(self, connection: sqlite3.Connection, batch: HotBatch) -> list[IssueTransition]:
        """Apply a batch. Raises FencedOff when a lease is not the newest, or the batch was committed before."""
        gathered = Gathered(batch.events)
        version = _data_version(connection)
        plan = Planner(connection, gathered, batch.now, self._names).plan()
        with writing(connection):
            _check(connection, batch)
            if _data_version(connection) != version:
                # somebody wrote between reading and locking: from here on nobody can
                plan = Planner(connection, gathered, batch.now, self._names).plan()
            _write(connection, plan)
            hot_ledger.write(connection, batch)
            hot_dead_letters.write(connection, batch)
        for cache, resolved in zip(self._names, (plan.environments, plan.releases), strict=True):
            cache.learn(resolved)
        return plan.transitions


def _data_version(connection: sqlite3.Connection) -> int:
    """Changes when another connection commits (https://www.sqlite.org/pragma.html#pragma_data_version)."""
    version: int = connection.execute("PRAGMA data_version").fetchone()[0]
    return version


def _check(connection: sqlite3.Connection, batch: HotBatch) -> None:
    hot_ledger.check_leases(connection, batch.leases)
    hot_ledger.check_positions(connection, batch)
    if not hot_dead_letters.are_replaying(connection, batch.replayed):
        raise FencedOff("a dead letter of this batch was replayed or discarded by somebody else")


def _write(connection: sqlite3.Connection, plan: Plan) -> None:
    hot_names.write(connection, plan.environments)
    hot_names.write(connection, plan.releases)
    many = connection.executemany
    many("UPDATE project SET issues = ?, first_event_at = ? WHERE project_id = ?", plan.projects)
    many(_NEW_ISSUE, plan.new_issues)
    many("INSERT INTO issue_text VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", plan.new_texts)
    many(_CHANGED_ISSUE, plan.changed_issues)
    many(_CHANGED_TEXT, plan.changed_texts)
    many("UPDATE issue_text SET first_event_id = ? WHERE issue_key = ?", plan.changed_firsts)
    many("INSERT INTO transition VALUES (?, ?, ?, ?, ?, ?, ?)", plan.transition_rows)
    many("INSERT OR IGNORE INTO issue_user VALUES (?, ?)", plan.users)  # two user ids may share a number
    many(_ADD_QUARTER, plan.quarters)
    many("INSERT OR IGNORE INTO issue_environment VALUES (?, ?)", plan.issue_environments)
    many("INSERT OR IGNORE INTO issue_release VALUES (?, ?)", plan.issue_releases)
    many(_ADD_PROJECT_QUARTER, plan.project_quarters)
