"""A filter, as it is asked of one shard: which rows, how many, which values."""

from typing import NamedTuple

from catchall.core.limits import FACET_TERMS_MAX
from catchall.store.base import EventFilter
from catchall.store.sqlite.shard_reader import COLUMNS, EventRecord, ShardReader
from catchall.store.sqlite.tokens import StacksOf, event_query, shown, stack_query, tag_range


class Selection(NamedTuple):
    """Conditions on the rows of one shard. `match`: None for every row; `first` to before `end`: row numbers."""

    match: str | None
    since: int | None
    until: int | None
    first: int | None = None
    end: int | None = None


EVERYTHING = Selection(None, None, None)


class Bounds(NamedTuple):
    """How far to look: row numbers after (`above`) or before (`below`) this one, so many."""

    limit: int
    below: int | None = None
    above: int | None = None


def select(reader: ShardReader, where: EventFilter, stacks_of: StacksOf | None = None) -> Selection | None:
    """The conditions of a filter in this shard; None when nothing here can match."""
    projects = projects_of(reader, where)
    if not projects:
        return None
    least, greatest = reader.connection.execute("SELECT least, greatest FROM meta").fetchone()
    since = where.since if where.since is not None and where.since > least else None
    until = where.until if where.until is not None and where.until <= greatest else None
    if (since is not None and since > greatest) or (until is not None and until <= least):
        return None
    match = event_query(where, projects, stacks_of or StacksWith(reader))
    if since is None and until is None:
        return Selection(match, None, None)
    first, end = _span(reader, since, until)
    return Selection(match, since, until, first, end) if first is not None else None


def projects_of(reader: ShardReader, where: EventFilter) -> list[int]:
    """The projects of this shard that a filter allows."""
    if where.project_id is None:
        return reader.projects()
    return [where.project_id] if reader.has_project(where.project_id) else []


class StacksWith:
    """Digests of a project's stacks that have a word; remembered for as long as one question takes."""

    def __init__(self, reader: ShardReader) -> None:
        self._reader = reader
        self._known: dict[tuple[int, str], list[bytes]] = {}

    def __call__(self, project: int, word: str) -> list[bytes]:
        known = self._known.get((project, word))
        if known is None:
            sql = "SELECT s.digest FROM token t CROSS JOIN stack s ON s.id = t.rowid WHERE t.token MATCH ?"
            rows = self._reader.connection.execute(sql, (stack_query(project, word),))
            known = self._known[project, word] = [digest for (digest,) in rows]
        return known


def _span(reader: ShardReader, since: int | None, until: int | None) -> tuple[int | None, int | None]:
    """The rows between which all of a time lie, by the time map. Both None: there are none."""
    first, last = reader.connection.execute(
        "SELECT min(first), max(first) FROM span"
        " WHERE greatest >= coalesce(?1, greatest) AND least < coalesce(?2, least + 1)",
        (since, until),
    ).fetchone()
    if first is None:
        return None, None
    (end,) = reader.connection.execute("SELECT min(first) FROM span WHERE first > ?", (last,)).fetchone()
    return first, end


def _conditions(chosen: Selection, bounds: Bounds | None) -> tuple[str, list[object]]:
    """FROM and WHERE of a selection."""
    conditions: list[tuple[str, object]] = []
    number = "t.rowid" if chosen.match is not None else "e.id"
    if chosen.match is not None:
        conditions.append(("t.token MATCH ?", chosen.match))
    lowest = [
        edge for edge in (chosen.first, bounds.above + 1 if bounds and bounds.above is not None else None) if edge
    ]
    highest = [edge for edge in (chosen.end, bounds.below if bounds else None) if edge is not None]
    if lowest:
        conditions.append((f"{number} >= ?", max(lowest)))
    if highest:
        conditions.append((f"{number} < ?", min(highest)))
    if chosen.since is not None:
        conditions.append(("e.timestamp >= ?", chosen.since))
    if chosen.until is not None:
        conditions.append(("e.timestamp < ?", chosen.until))
    tables = "event e" if chosen.match is None else "token t CROSS JOIN event e ON e.id = t.rowid"
    text = " AND ".join(condition for condition, _ in conditions) or "TRUE"
    return f"FROM {tables} WHERE {text}", [value for _, value in conditions]


def records(reader: ShardReader, chosen: Selection, bounds: Bounds) -> list[EventRecord]:
    """Rows of a selection: newest first, or, `above` a row, oldest first."""
    source, parameters = _conditions(chosen, bounds)
    number = "t.rowid" if chosen.match is not None else "e.id"
    order = "ASC" if bounds.above is not None else "DESC"
    sql = f"SELECT {COLUMNS} {source} ORDER BY {number} {order} LIMIT ?"
    return [EventRecord(*row) for row in reader.connection.execute(sql, [*parameters, bounds.limit])]


def numbers(reader: ShardReader, match: str, first: int, last: int) -> set[int]:
    """Row numbers between two, both included, that match an expression."""
    sql = "SELECT rowid FROM token WHERE token MATCH ? AND rowid BETWEEN ? AND ?"
    return {number for (number,) in reader.connection.execute(sql, (match, first, last))}


def count(reader: ShardReader, chosen: Selection) -> int:
    """How many rows a selection has."""
    if chosen == EVERYTHING:
        return int(reader.connection.execute("SELECT events FROM meta").fetchone()[0])
    if chosen.match is not None and chosen.since is None and chosen.until is None:
        sql = "SELECT count(*) FROM token WHERE token MATCH ?"
        return int(reader.connection.execute(sql, (chosen.match,)).fetchone()[0])
    source, parameters = _conditions(chosen, None)
    sql = f"SELECT count(*) {source}"
    return int(reader.connection.execute(sql, parameters).fetchone()[0])


class TagValues(NamedTuple):
    """The most frequent values of a tag; `terms`: how many there are, all looked at."""

    values: list[tuple[str, int]]
    terms: int


def tag_values(reader: ShardReader, project: int, key: str, terms_max: int) -> TagValues:
    """Values of a tag among all events of a project on this day, read off the vocabulary, `terms_max` at most."""
    start, end = tag_range(project, key)
    sql = (
        "SELECT term, doc, count(*) OVER ()"
        " FROM (SELECT term, doc FROM vocabulary WHERE term >= ? AND term < ? LIMIT ?) ORDER BY doc DESC LIMIT ?"
    )
    rows = reader.connection.execute(sql, (start, end, terms_max, FACET_TERMS_MAX)).fetchall()
    return TagValues([(shown(term[len(start) :]), found) for term, found, _ in rows], rows[0][2] if rows else 0)


def count_project(reader: ShardReader, project: int) -> int:
    """How many events a project has on this day."""
    row = reader.connection.execute("SELECT events FROM project WHERE id = ?", (project,)).fetchone()
    return int(row[0]) if row else 0


def tag_keys(reader: ShardReader, project: int | None) -> list[str]:
    """Keys of tags that events of a project, or of all, have on this day."""
    if project is None:
        found = reader.connection.execute("SELECT DISTINCT key FROM tag_key")
    else:
        found = reader.connection.execute("SELECT key FROM tag_key WHERE project = ?", (project,))
    return [key for (key,) in found]
