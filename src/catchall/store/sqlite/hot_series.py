"""Counts over time: quarters of an hour, added up to the steps that somebody asks for."""

import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from catchall.core.errors import StoreError
from catchall.core.limits import LIST_LIMIT_MAX, SERIES_POINTS_MAX
from catchall.core.times import QUARTER_SECONDS
from catchall.store.base import SeriesPoint
from catchall.store.sqlite.hot_gather import ALL_PROJECTS, clean
from catchall.store.sqlite.hot_names import ENVIRONMENTS, NameTable, number_of
from catchall.store.sqlite.hot_plan import SLOTS_PER_BLOCK

# Rows of one time lie together in blocks: each statement visits the blocks of its span that exist.
_BLOCKS: Final = """
WITH RECURSIVE block (block) AS (
    SELECT max(:first / :slots, (SELECT min(block) FROM {table}))
    UNION ALL
    SELECT block + 1 FROM block WHERE block < min(:last / :slots, (SELECT max(block) FROM {table}))
)
"""
_IN_SPAN: Final = """
WHERE q.block * :slots + q.slot BETWEEN :first AND :last
    AND (:environment IS NULL OR q.environment_id = :environment)
"""
_OF_ISSUES: Final = f"""
{_BLOCKS.format(table="issue_quarter")},
wanted (issue_key, issue_id) AS MATERIALIZED (
    SELECT issue_key, issue_id FROM json_each(:issues) JOIN issue ON issue_id = value
)
SELECT issue_id, (q.block * :slots + q.slot - :first) / :width AS point, sum(q.events)
FROM block CROSS JOIN wanted CROSS JOIN issue_quarter q ON q.block = block.block AND q.issue_key = wanted.issue_key
{_IN_SPAN}
GROUP BY issue_id, point
"""  # noqa: S608 - our own words
_OF_PROJECT: Final = f"""
{_BLOCKS.format(table="project_quarter")}
SELECT (q.block * :slots + q.slot - :first) / :width AS point, sum(q.events)
FROM block CROSS JOIN project_quarter q ON q.block = block.block AND q.project_id = :project
{_IN_SPAN}
GROUP BY point
"""  # noqa: S608


class Span:
    """The points of a series: from `since` (its quarter's begin) in steps to `until`, in epoch seconds.

    Raises StoreError for a step that is no multiple of a quarter of an hour, and for more points than the limit.
    """

    def __init__(self, since: int, until: int, step: int) -> None:
        if step <= 0 or step % QUARTER_SECONDS:
            raise StoreError(f"the step of a series is a multiple of {QUARTER_SECONDS} seconds, not {step}")
        self.first = since // QUARTER_SECONDS
        begin = self.first * QUARTER_SECONDS
        count = max(0, -(-(until - begin) // step))
        if count > SERIES_POINTS_MAX:
            raise StoreError(f"a series has {SERIES_POINTS_MAX} points at most, not {count}; take a longer step")
        self.width = step // QUARTER_SECONDS
        self.last = -(-until // QUARTER_SECONDS) - 1
        self.starts = [begin + index * step for index in range(count)]

    def arguments(self, environment: int | None) -> dict[str, object]:
        """What the statements above need."""
        return {
            "first": self.first,
            "last": self.last,
            "width": self.width,
            "slots": SLOTS_PER_BLOCK,
            "environment": environment,
        }

    def points(self, counts: dict[int, int]) -> list[SeriesPoint]:
        """All points, those without events too."""
        return [SeriesPoint(start, counts.get(index, 0)) for index, start in enumerate(self.starts)]


def issue_series(
    connection: sqlite3.Connection, issue_ids: Sequence[int], span: Span, environment: str
) -> dict[int, list[SeriesPoint]]:
    """Events of issues; every id asked for gets its points."""
    if len(issue_ids) > LIST_LIMIT_MAX:
        raise StoreError(f"series of {LIST_LIMIT_MAX} issues at most are read at once, not of {len(issue_ids)}")
    counts: dict[int, dict[int, int]] = {issue_id: {} for issue_id in issue_ids}
    number = _environment(connection, environment)
    if span.starts and number != _UNKNOWN:
        arguments = span.arguments(number) | {"issues": msgspec.json.encode(list(counts)).decode()}
        for issue_id, point, count in connection.execute(_OF_ISSUES, arguments):
            counts[issue_id][point] = count
    return {issue_id: span.points(found) for issue_id, found in counts.items()}


def project_series(
    connection: sqlite3.Connection, project_id: int | None, span: Span, environment: str
) -> list[SeriesPoint]:
    """Events of a project, or of all."""
    number = _environment(connection, environment)
    if not span.starts or number == _UNKNOWN:
        return span.points({})
    arguments = span.arguments(number) | {"project": ALL_PROJECTS if project_id is None else project_id}
    return span.points(dict(connection.execute(_OF_PROJECT, arguments)))


def names_of_issue(connection: sqlite3.Connection, issue_id: int, names: NameTable) -> list[tuple[str, int]]:
    """Environments or releases of an issue with their events within retention, most first."""
    sql = f"""
WITH RECURSIVE
    block (block) AS (
        SELECT min(block) FROM issue_quarter
        UNION ALL SELECT block + 1 FROM block WHERE block < (SELECT max(block) FROM issue_quarter)
    ),
    counted (number, events) AS MATERIALIZED (
        SELECT q.{names.column}, sum(q.events)
        FROM issue CROSS JOIN block
            CROSS JOIN issue_quarter q ON q.block = block.block AND q.issue_key = issue.issue_key
        WHERE issue.issue_id = ? GROUP BY 1
    )
SELECT coalesce(n.name, '') AS name, events FROM counted LEFT JOIN {names.table} n ON n.{names.column} = counted.number
ORDER BY events DESC, name LIMIT ?
"""  # noqa: S608 - our own names
    return connection.execute(sql, (issue_id, LIST_LIMIT_MAX)).fetchall()


_UNKNOWN: Final = -1


def _environment(connection: sqlite3.Connection, name: str) -> int | None:
    """The number of an environment to look for; None for any, _UNKNOWN for one that nobody ever used."""
    if not name:
        return None
    number = number_of(connection, ENVIRONMENTS, clean(name))
    return _UNKNOWN if number is None else number
