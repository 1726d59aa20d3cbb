"""Parameters that several operations take, each with its bounds."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from ninja import Field, Path, Query, Schema
from pydantic import AfterValidator, AwareDatetime, StringConstraints

from catchall.core.event import SEVERITIES, Severity
from catchall.core.limits import (
    LIST_LIMIT_MAX,
    NAME_CHARS_MAX,
    QUERY_CHARS_MAX,
    TAG_KEY_CHARS_MAX,
    TAG_VALUE_CHARS_MAX,
)
from catchall.core.times import MICROSECONDS
from catchall.store.base import EventFilter, IssueFilter
from catchall.web.words import split_words

ID_MAX = 2**53 - 1  # what JSON numbers hold in every language
EVENT_ID = "^[0-9a-f]{32}$"
ISSUE_ID = "^[0-7][0-9a-f]{15}$"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TAGS_ASKED_MAX = 10


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text


def _since_the_epoch(moment: datetime) -> datetime:
    if moment < EPOCH:
        raise ValueError("lies before 1970")
    return moment


Name = Annotated[str, StringConstraints(max_length=NAME_CHARS_MAX), AfterValidator(_without_nul)]
Cursor = Annotated[str, StringConstraints(max_length=QUERY_CHARS_MAX), AfterValidator(_without_nul)]
Words = Annotated[str, StringConstraints(max_length=QUERY_CHARS_MAX), AfterValidator(_without_nul)]
Time = Annotated[AwareDatetime, AfterValidator(_since_the_epoch)]
Tag = Annotated[
    str,
    StringConstraints(max_length=TAG_KEY_CHARS_MAX + 1 + TAG_VALUE_CHARS_MAX, pattern="^[^:\\x00]+:[^\\x00]*$"),
]
ProjectId = Annotated[int, Path(ge=1, le=ID_MAX)]
EventId = Annotated[str, Path(pattern=EVENT_ID)]
IssueId = Annotated[str, Path(pattern=ISSUE_ID)]
Limit = Annotated[int, Query(ge=1, le=LIST_LIMIT_MAX)]


def microseconds(moment: datetime | None) -> int | None:
    """A time parameter as the stores count it."""
    if moment is None:
        return None
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * MICROSECONDS + since.microseconds


class IssueQuery(Schema):
    """Which issues. `since` (inclusive) and `until` (exclusive) bound when an issue was last seen."""

    project_id: int | None = Field(None, ge=1, le=ID_MAX)
    state: Literal["unresolved", "resolved", "ignored"] | None = None
    environment: Name = ""
    release_version: Name = ""
    severity: Severity | None = None
    query: Words = Field("", description="Words that all occur in the title or the culprit.")
    since: Time | None = None
    until: Time | None = None

    def where(self) -> IssueFilter:
        """As the store asks."""
        return IssueFilter(
            project_id=self.project_id,
            state=self.state,
            environment=self.environment,
            release_version=self.release_version,
            severity=self.severity or "",
            words=split_words(self.query),
            since=microseconds(self.since),
            until=microseconds(self.until),
        )


class EventQuery(Schema):
    """Which events. `since` (inclusive) and `until` (exclusive) bound their timestamp."""

    environment: Name = ""
    release_version: Name = ""
    severity: Severity | None = None
    user_id: Name = ""
    trace_id: Name = ""
    query: Words = Field("", description="Words that all occur in the event's text.")
    tag: list[Tag] = Field([], max_length=TAGS_ASKED_MAX, description="key:value, each of which must match.")
    since: Time | None = None
    until: Time | None = None

    def where(self, project_id: int | None, issue_id: int | None) -> EventFilter:
        """As the store asks."""
        tags = [one.partition(":") for one in self.tag]
        return EventFilter(
            project_id=project_id,
            issue_id=issue_id,
            since=microseconds(self.since),
            until=microseconds(self.until),
            environment=self.environment,
            release_version=self.release_version,
            severity=SEVERITIES.index(self.severity) if self.severity else None,
            user_id=self.user_id,
            trace_id=self.trace_id,
            words=split_words(self.query),
            tags=tuple((key, value) for key, _, value in tags),
        )
