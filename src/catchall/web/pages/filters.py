"""What a list shows lives in its address: project, state, sort, time range, environment and words.

A link pasted into a chat shows somebody else the same. Whatever the address says wrongly falls back to the default:
an old bookmark is no error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import get_args
from urllib.parse import urlencode

from django.http import QueryDict

from catchall.core.event import SEVERITIES
from catchall.core.issue import IssueState
from catchall.core.limits import NAME_CHARS_MAX, QUERY_CHARS_MAX
from catchall.core.times import DAY_SECONDS, MICROSECONDS, QUARTER_SECONDS
from catchall.store.base import EventFilter, IssueFilter, IssueSort, Project
from catchall.web.words import split_words

HOUR = 3600
RANGES: Mapping[str, tuple[int, str]] = {
    "1h": (HOUR, "Last hour"),
    "24h": (24 * HOUR, "Last 24 hours"),
    "7d": (7 * DAY_SECONDS, "Last 7 days"),
    "14d": (14 * DAY_SECONDS, "Last 14 days"),
    "30d": (30 * DAY_SECONDS, "Last 30 days"),
    "90d": (90 * DAY_SECONDS, "Last 90 days"),
}
RANGE = "14d"
STEPS = (900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY_SECONDS, 7 * DAY_SECONDS)
STATES: tuple[IssueState, ...] = get_args(IssueState)
ANY_STATE = "all"
SORTS: Mapping[IssueSort, str] = {
    "last_seen": "Last seen",
    "first_seen": "First seen",
    "events": "Events",
    "users": "Users",
    "priority": "Priority",
}
EPOCH_SECONDS_MAX = 4_102_444_800  # the year 2100: charts can be drawn up to there


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the address says. `since` and `until` (epoch seconds) win over `range`."""

    project: str = ""
    state: str = "unresolved"
    sort: IssueSort = "last_seen"
    range: str = RANGE
    since: int | None = None
    until: int | None = None
    environment: str = ""
    release: str = ""
    severity: str = ""
    words: str = ""
    after: str = ""

    def address(self, **changes: object) -> str:
        """The query string of this view with changes; what is as by default is left out."""
        changed = replace(self, **{"after": "", **changes})  # type: ignore[arg-type]
        plain = View()
        pairs = [
            ("q" if name == "words" else name, str(getattr(changed, name)))
            for name in self.__slots__
            if getattr(changed, name) != getattr(plain, name)
        ]
        return "?" + urlencode(pairs)

    @property
    def range_text(self) -> str:
        """The time range in words."""
        if self.since is None or self.until is None:
            return RANGES[self.range][1]
        return f"{_short(self.since)} to {_short(self.until)} UTC"

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the state hides issues: an empty list then says so."""
        return (
            bool(self.environment or self.release or self.severity or self.words or self.since) or self.range != RANGE
        )

    def span(self, now: int) -> tuple[int, int]:
        """The time range in epoch seconds, from inclusive, to exclusive. `now`: microseconds."""
        if self.since is not None and self.until is not None:
            return self.since, self.until
        until = now // MICROSECONDS + 1
        return until - RANGES[self.range][0], until

    def series_span(self, now: int, points_wanted: int) -> tuple[int, int, int]:
        """(since, until, step) for a chart of at most about `points_wanted` points, on whole steps."""
        since, until = self.span(now)
        step = next((step for step in STEPS if (until - since) / step <= points_wanted), STEPS[-1])
        while (until - since) / step > points_wanted:
            step *= 2
        first = since - since % step
        if until - since >= step:  # the youngest point is never a half: the oldest gives way
            first += step if first < since and first + step < until else 0
        return first, until + -until % step, step

    def issues(self, project: Project | None, now: int) -> IssueFilter:
        """The issues that this view shows."""
        since, until = self.span(now)
        return IssueFilter(
            project_id=project.project_id if project else None,
            state=None if self.state == ANY_STATE else self.state,  # type: ignore[arg-type]
            environment=self.environment,
            release_version=self.release,
            severity=self.severity,
            words=split_words(self.words),
            since=since * MICROSECONDS,
            until=until * MICROSECONDS if self.until is not None else None,
        )

    def events(self, project_id: int | None, issue_id: int | None, now: int) -> EventFilter:
        """The events that this view shows."""
        since, until = self.span(now)
        return EventFilter(
            project_id=project_id,
            issue_id=issue_id,
            since=since * MICROSECONDS,
            until=until * MICROSECONDS if self.until is not None else None,
            environment=self.environment,
            release_version=self.release,
            severity=SEVERITIES.index(self.severity) if self.severity else None,
            words=split_words(self.words),
        )


def read_view(query: QueryDict, **defaults: object) -> View:
    """Read the address."""
    plain = replace(View(), **defaults)  # type: ignore[arg-type]
    since, until = _seconds(query.get("since", "")), _seconds(query.get("until", ""))
    if since is None or until is None or since >= until:
        since = until = None
    return View(
        project=_text(query, "project"),
        state=_choice(query, "state", (*STATES, ANY_STATE), plain.state),
        sort=_choice(query, "sort", tuple(SORTS), plain.sort),  # type: ignore[arg-type]
        range=_choice(query, "range", tuple(RANGES), plain.range),
        since=since,
        until=until,
        environment=_text(query, "environment"),
        release=_text(query, "release"),
        severity=_choice(query, "severity", SEVERITIES, ""),
        words=_text(query, "q", QUERY_CHARS_MAX),
        after=_text(query, "after", QUERY_CHARS_MAX),
    )


def _text(query: QueryDict, name: str, longest: int = NAME_CHARS_MAX) -> str:
    return query.get(name, "").replace("\0", "").strip()[:longest]


def _choice(query: QueryDict, name: str, choices: tuple[str, ...], default: str) -> str:
    value = query.get(name, "")
    return value if value in choices else default


def _seconds(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()) or len(text) > 12:
        return None
    value = int(text)
    return value if value <= EPOCH_SECONDS_MAX else None


def _short(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%b %d %H:%M}"


assert all(seconds % QUARTER_SECONDS == 0 for seconds in STEPS)
