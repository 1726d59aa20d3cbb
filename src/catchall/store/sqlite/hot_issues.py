"""Read issues, and change their state."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from catchall.core.errors import CursorUnknown, StoreError
from catchall.core.event import SEVERITIES
from catchall.core.identity import issue_id_text
from catchall.core.issue import Issue, IssueState, IssueTransition, TransitionKind
from catchall.core.limits import LIST_LIMIT_MAX
from catchall.core.priority import PRIORITIES, RULES
from catchall.core.times import rfc3339
from catchall.store.base import IssueFilter, IssueSort
from catchall.store.sqlite.hot_gather import clean
from catchall.store.sqlite.hot_issue_row import ENVIRONMENT_BITS, STATES, environment_bit
from catchall.store.sqlite.hot_lookup import fitting
from catchall.store.sqlite.hot_names import ENVIRONMENTS, RELEASES, number_of

SORT_COLUMNS: Final[dict[IssueSort, str]] = {
    "last_seen": "last_seen",
    "first_seen": "first_seen",
    "events": "events",
    "users": "users",
    "priority": "priority",
}
_ISSUE: Final = """
SELECT i.issue_id, i.project_id, i.number, t.title, t.error_type, t.message, t.culprit, t.service_name, t.platform,
    i.severity, t.category, i.handled, i.state, i.state_changed_at, i.priority, i.priority_rule, i.first_seen,
    i.last_seen, i.events, i.users, first.name, last.name, e.name, t.fingerprint, t.fingerprint_reason,
    t.first_event_id, i.last_event_id
"""
_JOINS: Final = """
    JOIN issue_text t ON t.issue_key = i.issue_key
    LEFT JOIN release first ON first.release_id = i.first_release
    LEFT JOIN release last ON last.release_id = i.last_release
    LEFT JOIN environment e ON e.environment_id = i.last_environment
"""
_KIND_OF: Final[dict[IssueState, TransitionKind]] = {
    "resolved": "resolved",
    "ignored": "ignored",
    "unresolved": "reopened",
}


def issue(connection: sqlite3.Connection, issue_id: int) -> Issue | None:
    """One issue."""
    row = connection.execute(f"{_ISSUE} FROM issue i {_JOINS} WHERE i.issue_id = ?", (fitting(issue_id),)).fetchone()
    return _issue(row) if row else None


def issue_by_number(connection: sqlite3.Connection, project_id: int, number: int) -> int | None:
    """The id of an issue by its number in its project."""
    sql = "SELECT issue_id FROM issue WHERE project_id = ? AND number = ?"
    row = connection.execute(sql, (fitting(project_id), fitting(number))).fetchone()
    return row[0] if row else None


def issues(
    connection: sqlite3.Connection, where: IssueFilter, *, sort: IssueSort, limit: int, after: str
) -> tuple[list[Issue], str]:
    """A page of issues, greatest first; of equal ones the last seen and then the newest issue first.

    An issue whose place does not change while somebody pages is seen exactly once. One that happens again moves to
    the front, before the cursor.
    """
    if sort not in SORT_COLUMNS:
        raise StoreError(f"issues cannot be sorted by {sort}; by {', '.join(SORT_COLUMNS)}")
    condition, arguments = _condition(connection, where)
    place = f"i.{SORT_COLUMNS[sort]}, i.last_seen, i.issue_key"
    if after:
        condition += f" AND ({place}) < (?, ?, ?)"
        arguments += _read_cursor(sort, after)
    order = f"i.{SORT_COLUMNS[sort]} DESC, i.last_seen DESC, i.issue_key DESC"
    limit = max(1, min(limit, LIST_LIMIT_MAX))
    sql = (
        f"WITH page AS MATERIALIZED (SELECT i.issue_key FROM issue i WHERE {condition} ORDER BY {order} LIMIT ?)"  # noqa: S608
        f"{_ISSUE}, {place} FROM page CROSS JOIN issue i ON i.issue_key = page.issue_key {_JOINS} ORDER BY {order}"
    )
    rows = connection.execute(sql, (*arguments, limit + 1)).fetchall()
    cursor = f"{sort}:{':'.join(str(part) for part in rows[limit - 1][-3:])}" if len(rows) > limit else ""
    return [_issue(row) for row in rows[:limit]], cursor


def count_issues(connection: sqlite3.Connection, where: IssueFilter) -> int:
    """How many issues a filter lets through."""
    condition, arguments = _condition(connection, where)
    count: int = connection.execute(f"SELECT count(*) FROM issue i WHERE {condition}", arguments).fetchone()[0]  # noqa: S608
    return count


def _condition(connection: sqlite3.Connection, where: IssueFilter) -> tuple[str, list[object]]:
    """A filter in SQL: our own words, its values as arguments."""
    parts: list[str] = ["TRUE"]
    arguments: list[object] = []

    def add(part: str, *values: object) -> None:
        parts.append(part)
        arguments.extend(values)

    if where.project_id is not None:
        add("i.project_id = ?", where.project_id)
    if where.state is not None:
        add("i.state = ?", STATES.index(where.state) if where.state in STATES else -1)
    if where.severity:
        ranks: dict[str, int] = {name: rank for rank, name in enumerate(SEVERITIES)}
        add("i.severity = ?", ranks.get(where.severity, -1))
    if where.since is not None:
        add("i.last_seen >= ?", where.since)
    if where.until is not None:
        add("i.last_seen < ?", where.until)
    if where.environment:
        number = number_of(connection, ENVIRONMENTS, clean(where.environment))
        if number is not None and number <= ENVIRONMENT_BITS:
            add("(i.environments & ?) != 0", environment_bit(number))
        else:
            add("i.issue_key IN (SELECT issue_key FROM issue_environment WHERE environment_id = ?)", number)
    if where.release_version:
        number = number_of(connection, RELEASES, clean(where.release_version))
        add("i.issue_key IN (SELECT issue_key FROM issue_release WHERE release_id = ?)", number)
    if where.words:
        found = " AND ".join(["instr(search, ?)"] * len(where.words))
        words = (clean(word.lower()) for word in where.words)
        add(f"i.issue_key IN (SELECT issue_key FROM issue_text WHERE {found})", *words)  # noqa: S608
    return " AND ".join(parts), arguments


def _read_cursor(sort: IssueSort, text: str) -> list[object]:
    name, *parts = text.split(":")
    try:
        place: list[object] = [int(part) for part in parts if len(part) < 19]
    except ValueError:
        place = []
    if name != sort or len(place) != 3 or not text.isascii():
        raise CursorUnknown(f"this is not where a list sorted by {sort} goes on: begin at its first page again")
    return place


def _issue(row: tuple[Any, ...]) -> Issue:
    return Issue(
        issue_id=issue_id_text(row[0]),
        project_id=row[1],
        number=row[2],
        title=row[3],
        error_type=row[4],
        message=row[5],
        culprit=row[6],
        service_name=row[7],
        platform=row[8],
        severity=SEVERITIES[row[9]],
        category=row[10],
        handled=None if row[11] is None else bool(row[11]),
        state=STATES[row[12]],
        state_changed_at="" if row[13] is None else rfc3339(row[13]),
        priority=PRIORITIES[row[14]],
        priority_reason=RULES[row[15]][1],
        first_seen=rfc3339(row[16]),
        last_seen=rfc3339(row[17]),
        events=row[18],
        users=row[19],
        first_release=row[20] or "",
        last_release=row[21] or "",
        last_environment=row[22] or "",
        fingerprint=row[23],
        fingerprint_reason=row[24],
        first_event_id=row[25].hex(),
        last_event_id=row[26].hex(),
    )


def change_state(
    connection: sqlite3.Connection, issue_ids: Sequence[int], state: IssueState, *, by: str, now: int, reason: str
) -> list[IssueTransition]:
    """Inside a transaction: give issues a state. Those that have it already, and unknown ids, are left alone."""
    if state not in STATES:
        raise StoreError(f"an issue cannot be {state}; it can be {', '.join(STATES)}")
    made = []
    for issue_id in issue_ids:
        row = connection.execute(
            "UPDATE issue SET state = ?1, state_changed_at = ?2 WHERE issue_id = ?3 AND state != ?1"
            " RETURNING issue_key, project_id",
            (STATES.index(state), now, fitting(issue_id)),
        ).fetchall()
        if row:
            made.append(_record(connection, issue_id, row[0], _KIND_OF[state], (by, now, reason)))
    return made


def _record(
    connection: sqlite3.Connection,
    issue_id: int,
    found: tuple[int, int],
    kind: TransitionKind,
    why: tuple[str, int, str],
) -> IssueTransition:
    by, now, reason = why
    cursor = connection.execute(
        "INSERT INTO transition (issue_key, kind, at, by, reason, event_id) VALUES (?, ?, ?, ?, ?, '')",
        (found[0], kind, now, clean(by), clean(reason)),
    )
    assert cursor.lastrowid is not None
    return IssueTransition(
        transition_id=cursor.lastrowid,
        issue_id=issue_id_text(issue_id),
        project_id=found[1],
        kind=kind,
        at=rfc3339(now),
        by=clean(by),
        reason=clean(reason),
    )


def transitions(connection: sqlite3.Connection, issue_id: int, limit: int) -> list[IssueTransition]:
    """What happened to an issue, newest first."""
    sql = (
        "SELECT transition_id, issue_id, project_id, kind, at, by, reason, event_id"
        " FROM issue JOIN transition USING (issue_key) WHERE issue_id = ? ORDER BY transition_id DESC LIMIT ?"
    )
    return [
        IssueTransition(
            transition_id=row[0],
            issue_id=issue_id_text(row[1]),
            project_id=row[2],
            kind=row[3],
            at=rfc3339(row[4]),
            by=row[5],
            reason=row[6],
            event_id=row[7],
        )
        for row in connection.execute(sql, (fitting(issue_id), min(limit, LIST_LIMIT_MAX)))
    ]


def environments(connection: sqlite3.Connection, project_id: int | None) -> list[str]:
    """Names of environments that a project, or any project, used within retention, by name."""
    sql = (
        "SELECT DISTINCT name FROM project_environment JOIN environment USING (environment_id)"
        " WHERE ?1 IS NULL OR project_id = ?1 ORDER BY name LIMIT ?2"
    )
    return [row[0] for row in connection.execute(sql, (project_id, LIST_LIMIT_MAX))]
