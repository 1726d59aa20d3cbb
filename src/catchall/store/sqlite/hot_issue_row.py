"""The row of `issue` that changes with events, and how events change it."""

from typing import Final

import msgspec

from catchall.core.issue import IssueState, TransitionKind, after_event
from catchall.core.priority import PRIORITIES, RULES, priority_rule
from catchall.store.base import EventRow

STATES: Final[tuple[IssueState, ...]] = ("unresolved", "resolved", "ignored")  # stored as the index
ENVIRONMENT_BITS: Final = 62  # environments with a small number are bits of the row: filtering by them costs nothing
NEVER: Final = -2  # a quarter that is neither any event's nor the one before

Numbers = dict[tuple[int, str], int]
"""Project and name to the name's number."""


class IssueRow(msgspec.Struct, gc=False):
    """The changing columns of an issue, in the order of `COLUMNS`. Times are microseconds."""

    state: int
    priority: int
    priority_rule: int
    severity: int
    handled: int | None
    first_seen: int
    last_seen: int
    events: int
    users: int
    recent_quarter: int
    recent_events: int
    before_events: int
    environments: int
    last_environment: int
    first_release: int
    last_release: int
    text_digest: int
    state_changed_at: int | None
    last_event_id: bytes
    issue_key: int

    def add_quarter(self, quarter: int, count: int) -> None:
        """Keep the newest quarter with events, the events in it and those in the one before. Oldest quarter first."""
        if quarter == self.recent_quarter:
            self.recent_events += count
        elif quarter > self.recent_quarter:
            self.before_events = self.recent_events if quarter == self.recent_quarter + 1 else 0
            self.recent_quarter = quarter
            self.recent_events = count
        elif quarter == self.recent_quarter - 1:
            self.before_events += count

    def begin_with(self, oldest: EventRow, releases: Numbers) -> None:
        """An older event than any before."""
        self.first_seen = oldest.timestamp
        self.first_release = releases[oldest.project_id, oldest.release_version]

    def end_with(self, newest: EventRow, environments: Numbers, releases: Numbers) -> None:
        """An event as new as the newest, or newer."""
        project = newest.project_id
        self.last_seen = newest.timestamp
        self.last_event_id = bytes.fromhex(newest.event_id)
        self.last_environment = environments[project, newest.environment]
        self.last_release = releases[project, newest.release_version]
        self.severity = newest.severity
        self.handled = newest.handled

    def happen_again(self, now: int) -> TransitionKind | None:
        """The state after more events, and the transition that this is."""
        state, kind = after_event(STATES[self.state])
        if kind is not None:
            self.state = STATES.index(state)
            self.state_changed_at = now
        return kind

    def decide_priority(self) -> None:
        """How urgent the issue is now."""
        self.priority_rule = priority_rule(
            severity=self.severity,
            handled=None if self.handled is None else bool(self.handled),
            users=self.users,
            events_half_hour=self.recent_events + self.before_events,
        )
        self.priority = _RANKS[self.priority_rule]


_RANKS: Final = [PRIORITIES.index(priority) for priority, _ in RULES]


def environment_bit(environment: int) -> int:
    """The bit of an environment; 0 for the empty name and for those that have none."""
    return 1 << (environment - 1) if 0 < environment <= ENVIRONMENT_BITS else 0


COLUMNS: Final = IssueRow.__struct_fields__


def new_row(issue_key: int, oldest: EventRow, releases: Numbers) -> IssueRow:
    """The row of an issue that a batch brings into the world: its first event known, nothing counted yet."""
    row = IssueRow(
        state=STATES.index("unresolved"),
        priority=0,
        priority_rule=0,
        severity=0,
        handled=None,
        first_seen=0,
        last_seen=oldest.timestamp,
        events=0,
        users=0,
        recent_quarter=NEVER,
        recent_events=0,
        before_events=0,
        environments=0,
        last_environment=0,
        first_release=0,
        last_release=0,
        text_digest=-1,
        state_changed_at=None,
        last_event_id=b"",
        issue_key=issue_key,
    )
    row.begin_with(oldest, releases)
    return row
