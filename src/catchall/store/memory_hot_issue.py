"""An issue of the hot tables in memory: all its events, and what they come to."""

import msgspec

from catchall.core.event import SEVERITIES
from catchall.core.fingerprint import title_of
from catchall.core.identity import issue_id_text
from catchall.core.issue import Issue, IssueState
from catchall.core.limits import ISSUE_TEXT_CHARS_MAX
from catchall.core.priority import PRIORITIES, priority_of
from catchall.core.times import quarter_of, rfc3339
from catchall.store.base import EventRow, IssueFilter, IssueSort


class NamedEvent(msgspec.Struct):
    """An event with the names under which it counts. `is_counted`: until retention."""

    row: EventRow
    environment: str
    release: str
    is_counted: bool = True


class MemoryIssue:
    """One issue. `key` grows with each issue made."""

    def __init__(self, key: int, issue_id: int, project_id: int, number: int) -> None:
        self.key = key
        self.issue_id = issue_id
        self.project_id = project_id
        self.number = number
        self.state: IssueState = "unresolved"
        self.state_changed_at: int | None = None
        self.events: list[NamedEvent] = []
        self.users = 0
        self._users: set[str] = set()
        self._environments: set[str] = set()
        self._releases: set[str] = set()

    def add(self, event: NamedEvent) -> None:
        """One more event."""
        self.events.append(event)
        self._environments.add(event.environment)
        self._releases.add(event.release)
        if event.row.user_id and event.row.user_id not in self._users:
            self._users.add(event.row.user_id)
            self.users += 1

    def forget_before(self, time: int) -> int:
        """Retention: counts before a time go, and all names when nothing happened since. Returns counts forgotten."""
        old = [event for event in self.counted() if event.row.timestamp < time]
        for event in old:
            event.is_counted = False
        if self._newest().row.timestamp < time:
            self._users.clear()
            self._environments.clear()
            self._releases.clear()
        return len(old)

    def counted(self) -> list[NamedEvent]:
        """Events that retention has left."""
        return [event for event in self.events if event.is_counted]

    def quarters(self) -> list[tuple[int, str]]:
        """Quarter and environment of each of them."""
        return [(quarter_of(event.row.timestamp), event.environment) for event in self.counted()]

    def _newest(self) -> NamedEvent:
        newest = max(event.row.timestamp for event in self.events)
        return [event for event in self.events if event.row.timestamp == newest][-1]

    def _oldest(self) -> NamedEvent:
        return min(self.events, key=lambda event: event.row.timestamp)

    def matches(self, where: IssueFilter) -> bool:
        """Whether a filter lets it through."""
        newest = self._newest().row
        text = in_unicode(f"{_title(newest)[:ISSUE_TEXT_CHARS_MAX]}\n{newest.culprit[:ISSUE_TEXT_CHARS_MAX]}").lower()
        return (
            where.project_id in {None, self.project_id}
            and where.state in {None, self.state}
            and where.severity in {"", SEVERITIES[newest.severity]}
            and (not where.environment or in_unicode(where.environment) in self._environments)
            and (not where.release_version or in_unicode(where.release_version) in self._releases)
            and (where.since is None or newest.timestamp >= where.since)
            and (where.until is None or newest.timestamp < where.until)
            and all(in_unicode(word.lower()) in text for word in where.words)
        )

    def place(self, sort: IssueSort) -> tuple[int, int, int]:
        """Where it stands in a list."""
        last_seen = self._newest().row.timestamp
        seen = self.seen()
        first = {
            "last_seen": last_seen,
            "first_seen": self._oldest().row.timestamp,
            "events": seen.events,
            "users": seen.users,
            "priority": PRIORITIES.index(seen.priority),
        }
        return first[sort], last_seen, self.key

    def seen(self) -> Issue:
        """As lists and pages show it."""
        oldest, newest = self._oldest(), self._newest()
        row = newest.row
        quarters = [quarter_of(event.row.timestamp) for event in self.events]
        half_hour = quarters.count(max(quarters)) + quarters.count(max(quarters) - 1)
        priority, reason = priority_of(
            severity=row.severity, handled=row.handled, users=self.users, events_half_hour=half_hour
        )
        return Issue(
            issue_id=issue_id_text(self.issue_id),
            project_id=self.project_id,
            number=self.number,
            title=in_unicode(_title(row)[:ISSUE_TEXT_CHARS_MAX]),
            error_type=in_unicode(row.error_type),
            message=in_unicode(row.message[:ISSUE_TEXT_CHARS_MAX]),
            culprit=in_unicode(row.culprit[:ISSUE_TEXT_CHARS_MAX]),
            service_name=in_unicode(row.service_name),
            platform=in_unicode(row.platform),
            severity=SEVERITIES[row.severity],
            category=row.category,
            handled=row.handled,
            state=self.state,
            state_changed_at="" if self.state_changed_at is None else rfc3339(self.state_changed_at),
            priority=priority,
            priority_reason=reason,
            first_seen=rfc3339(oldest.row.timestamp),
            last_seen=rfc3339(row.timestamp),
            events=len(self.events),
            users=self.users,
            first_release=oldest.release,
            last_release=newest.release,
            last_environment=newest.environment,
            fingerprint=self.events[0].row.fingerprint,
            fingerprint_reason=in_unicode(self.events[0].row.fingerprint_reason),
            first_event_id=oldest.row.event_id,
            last_event_id=row.event_id,
        )


def in_unicode(text: str) -> str:
    """The text as UTF-8 can say it: lone surrogates become question marks."""
    return text.encode("utf-8", "replace").decode()


def _title(row: EventRow) -> str:
    return title_of(row.error_type, row.message, row.transaction)
