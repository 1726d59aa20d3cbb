"""What a commit will write, worked out by reading: outside the lock, so that the lock is held for writing alone.

The plan holds whole rows, not changes. It is right only while nobody else writes; `hot_commit` makes sure of that.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from catchall.core.errors import StoreError
from catchall.core.identity import issue_id_text
from catchall.core.issue import IssueTransition, TransitionKind
from catchall.core.times import DAY_SECONDS, MICROSECONDS, QUARTER_SECONDS, rfc3339
from catchall.store.base import EventRow
from catchall.store.sqlite.hot_gather import (
    ALL_PROJECTS,
    Gathered,
    clean,
    issue_text,
    oldest_and_newest,
    text_digest,
    user_number,
)
from catchall.store.sqlite.hot_issue_row import COLUMNS, ENVIRONMENT_BITS, IssueRow, environment_bit, new_row
from catchall.store.sqlite.hot_lookup import lookup, values
from catchall.store.sqlite.hot_names import NameCache, Resolved

SLOTS_PER_BLOCK: Final = 16  # quarters of an hour whose rows lie together
_QUARTER: Final = QUARTER_SECONDS * MICROSECONDS

_ISSUES: Final = (
    f"WITH wanted (id) AS ({values(1)}) SELECT issue_id, {', '.join(COLUMNS)}"  # noqa: S608 - our own names
    " FROM wanted CROSS JOIN issue ON issue_id = wanted.id"
)
_USERS: Final = (
    f"WITH wanted (k, u) AS ({values(2)}) SELECT issue_key, user"  # noqa: S608
    " FROM wanted CROSS JOIN issue_user ON issue_key = wanted.k AND user = wanted.u"
)
_PROJECTS: Final = (
    "SELECT project_id, issues, first_event_at FROM project WHERE project_id IN (SELECT value FROM json_each(?))"
)

Cell = tuple[int, int, int, int]
"""Project, quarter, environment, severity."""


class Plan:
    """Rows to write, by statement."""

    def __init__(self, environments: Resolved, releases: Resolved) -> None:
        self.environments = environments
        self.releases = releases
        self.new_issues: list[tuple[Any, ...]] = []
        self.changed_issues: list[tuple[Any, ...]] = []
        self.new_texts: list[tuple[Any, ...]] = []
        self.changed_texts: list[tuple[Any, ...]] = []
        self.changed_firsts: list[tuple[bytes, int]] = []
        self.users: list[tuple[int, int]] = []
        self.quarters: list[tuple[int, int, int, int, int, int]] = []
        self.issue_environments: list[tuple[int, int]] = []
        self.issue_releases: list[tuple[int, int]] = []
        self.project_quarters: list[tuple[int, int, int, int, int, int]] = []
        self.projects: list[tuple[int, int, int]] = []
        self.transitions: list[IssueTransition] = []
        self.transition_rows: list[tuple[Any, ...]] = []


class Planner:
    """Reads what a batch meets and makes the plan of its commit. `now`: microseconds."""

    def __init__(
        self, connection: sqlite3.Connection, gathered: Gathered, now: int, names: tuple[NameCache, NameCache]
    ) -> None:
        self._connection = connection
        self._gathered = gathered
        self._now = now
        day = now // (DAY_SECONDS * MICROSECONDS)
        self._plan = Plan(
            names[0].resolve(connection, gathered.environments, day),
            names[1].resolve(connection, gathered.releases, day),
        )
        self._changed: list[IssueRow] = []
        self._project_cells: dict[Cell, int] = {}
        self._environments = self._plan.environments.ids
        self._releases = self._plan.releases.ids
        self._transition = _newest(connection, "SELECT max(transition_id) FROM transition")

    def plan(self) -> Plan:
        """The plan. Raises StoreError when the batch names a project that is not there."""
        issues = self._gathered.issues
        rows = {row[0]: IssueRow(*row[1:]) for row in lookup(self._connection, _ISSUES, list(issues), 1)}
        users = self._new_users(rows)
        numbers = self._make_new(rows)
        for issue_id, events in issues.items():
            row = rows[issue_id]
            self._count(row, events)
            new_users = users[issue_id]
            if new_users:
                key = row.issue_key
                row.users += len(new_users)
                self._plan.users += [(key, user) for user in new_users]
            self._issue(issue_id, events, row, numbers.get(issue_id))
        return self._finished()

    def _finished(self) -> Plan:
        """In the order of the tables: rows that lie together are written together."""
        plan = self._plan
        plan.changed_issues = [astuple(row) for row in sorted(self._changed, key=_key)]
        plan.changed_texts.sort(key=_last)
        for rows in (plan.users, plan.quarters, plan.issue_environments, plan.issue_releases):
            rows.sort()
        plan.project_quarters = _with_totals(self._project_cells)
        return plan

    def _new_users(self, rows: dict[int, IssueRow]) -> dict[int, set[int]]:
        """For each issue the users that it has not had."""
        users: dict[int, set[int]] = {}
        of_key: dict[int, set[int]] = {}
        pairs: list[int] = []
        for issue_id, events in self._gathered.issues.items():
            numbers = users[issue_id] = {user_number(event.user_id) for event in events if event.user_id}
            row = rows.get(issue_id)
            if row is not None:
                key = row.issue_key
                of_key[key] = numbers
                for number in numbers:
                    pairs += (key, number)
        for key, user in lookup(self._connection, _USERS, pairs, 2):
            of_key[key].discard(user)
        return users

    def _make_new(self, rows: dict[int, IssueRow]) -> dict[int, int]:
        """Make the rows of new issues. Returns their numbers; projects get their new counts and first events."""
        wanted = msgspec.json.encode(list(self._gathered.first_at)).decode()
        found = self._connection.execute(_PROJECTS, (wanted,))
        counts: dict[int, tuple[int, int | None]] = {project: (issues, first) for project, issues, first in found}
        changed: dict[int, tuple[int, int, int]] = {}
        for project, first_at in self._gathered.first_at.items():
            if project not in counts:
                raise StoreError(f"there is no project {project}; its events cannot be counted")
            count, first = counts[project]
            if first is None:
                counts[project] = (count, first_at)
                changed[project] = (count, first_at, project)
        key = _newest(self._connection, "SELECT max(issue_key) FROM issue")
        numbers: dict[int, int] = {}
        for issue_id, events in self._gathered.issues.items():
            if issue_id not in rows:
                project = events[0].project_id
                count, first = counts[project]
                assert first is not None  # set above
                counts[project] = (count + 1, first)
                changed[project] = (count + 1, first, project)
                numbers[issue_id] = count + 1
                key += 1
                rows[issue_id] = new_row(key, oldest_and_newest(events)[0], self._releases)
        self._plan.projects = list(changed.values())
        return numbers

    def _count(self, row: IssueRow, events: Sequence[EventRow]) -> None:
        """Add events to the cells of their issue and project."""
        cells: dict[tuple[int, int, int], int] = {}
        project_cells = self._project_cells
        for event in events:
            project = event.project_id
            environment = self._environments[project, event.environment]
            quarter = event.timestamp // _QUARTER
            cell = (quarter, environment, self._releases[project, event.release_version])
            cells[cell] = cells.get(cell, 0) + 1
            place = (project, quarter, environment, event.severity)
            project_cells[place] = project_cells.get(place, 0) + 1
        plan = self._plan
        key = row.issue_key
        for (quarter, environment, release), count in sorted(cells.items()) if len(cells) > 1 else cells.items():
            row.add_quarter(quarter, count)
            block, slot = divmod(quarter, SLOTS_PER_BLOCK)
            plan.quarters.append((block, key, slot, environment, release, count))
            if environment <= ENVIRONMENT_BITS:
                row.environments |= environment_bit(environment)
            else:
                plan.issue_environments.append((environment, key))
            plan.issue_releases.append((release, key))
        row.events += len(events)

    def _issue(self, issue_id: int, events: Sequence[EventRow], row: IssueRow, number: int | None) -> None:
        """What the events change in their issue. `number`: of a new one."""
        first = events[0]
        oldest, newest = oldest_and_newest(events) if len(events) > 1 else (first, first)
        kind: TransitionKind | None = "new" if number is not None else row.happen_again(self._now)
        if kind is not None:
            self._transition_to(issue_id, first, row.issue_key, kind)
        if oldest.timestamp < row.first_seen:
            row.begin_with(oldest, self._releases)
            self._plan.changed_firsts.append((bytes.fromhex(oldest.event_id), row.issue_key))
        is_newest = newest.timestamp >= row.last_seen
        if is_newest:
            row.end_with(newest, self._environments, self._releases)
        row.decide_priority()
        plan = self._plan
        if is_newest:
            digest = text_digest(newest)
            if number is None and digest != row.text_digest:
                plan.changed_texts.append((*issue_text(newest), row.issue_key))
            row.text_digest = digest
        if number is None:
            self._changed.append(row)
        else:
            plan.new_issues.append((issue_id, first.project_id, number, *astuple(row)))
            fixed = (clean(first.fingerprint), clean(first.fingerprint_reason), bytes.fromhex(oldest.event_id))
            plan.new_texts.append((row.issue_key, *issue_text(newest), *fixed))

    def _transition_to(self, issue_id: int, event: EventRow, key: int, kind: TransitionKind) -> None:
        self._transition += 1
        transition = IssueTransition(
            transition_id=self._transition,
            issue_id=issue_id_text(issue_id),
            project_id=event.project_id,
            kind=kind,
            at=rfc3339(self._now),
            event_id=event.event_id,
        )
        plan = self._plan
        plan.transitions.append(transition)
        plan.transition_rows.append((self._transition, key, kind, self._now, transition.by, "", event.event_id))


def _with_totals(cells: dict[Cell, int]) -> list[tuple[int, int, int, int, int, int]]:
    """Cells of projects, and of all projects together, as rows."""
    totals: dict[Cell, int] = {}
    for (_, quarter, environment, severity), count in cells.items():
        cell = (ALL_PROJECTS, quarter, environment, severity)
        totals[cell] = totals.get(cell, 0) + count
    return sorted(
        (quarter // SLOTS_PER_BLOCK, project, quarter % SLOTS_PER_BLOCK, environment, severity, count)
        for some in (totals, cells)
        for (project, quarter, environment, severity), count in some.items()
    )


def _newest(connection: sqlite3.Connection, sql: str) -> int:
    return connection.execute(sql).fetchone()[0] or 0


def _last(row: tuple[Any, ...]) -> Any:
    return row[-1]


def _key(row: IssueRow) -> int:
    return row.issue_key
