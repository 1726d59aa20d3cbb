"""What a batch brings, before anything is read or locked: the rows of each issue, the names, the projects."""

from collections.abc import Sequence
from typing import Final
from zlib import crc32

from catchall.core.fingerprint import title_of
from catchall.core.limits import ISSUE_TEXT_CHARS_MAX
from catchall.store.base import AppliedEvent, EventRow

ALL_PROJECTS: Final = 0
_HALF: Final = 2**31  # SQLite stores signed numbers up to this one in four bytes


class Gathered:
    """The events of a batch, by issue in the order of arrival. The dicts of names serve as ordered sets."""

    __slots__ = ("environments", "first_at", "issues", "releases")

    def __init__(self, events: Sequence[AppliedEvent]) -> None:
        self.issues: dict[int, list[EventRow]] = {}
        self.environments: dict[tuple[int, str], None] = {}
        self.releases: dict[tuple[int, str], None] = {}
        self.first_at: dict[int, int] = {}  # project -> least received_at
        for row, issue_id in events:
            rows = self.issues.get(issue_id)
            if rows is None:
                self.issues[issue_id] = [row]
            else:
                rows.append(row)
            project = row.project_id
            self.environments[project, row.environment] = None
            self.releases[project, row.release_version] = None
            if row.received_at < self.first_at.get(project, row.received_at + 1):
                self.first_at[project] = row.received_at


def oldest_and_newest(rows: Sequence[EventRow]) -> tuple[EventRow, EventRow]:
    """The first of the oldest events and the last of the newest."""
    oldest = newest = rows[0]
    for row in rows:
        if row.timestamp < oldest.timestamp:
            oldest = row
        if row.timestamp >= newest.timestamp:
            newest = row
    return oldest, newest


def clean(text: str) -> str:
    """The text without lone surrogates, which cannot be stored as UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def user_number(user_id: str) -> int:
    """32 bits that stand for a user of an issue: two of a thousand users share one by a chance of 1 in 10,000, two of
    a million for sure, which makes their count short by 1 in 10,000. Four bytes less a row, in the largest table."""
    return crc32(user_id.encode("utf-8", "surrogatepass")) - _HALF


def _title(row: EventRow) -> str:
    """Made here and not for every row: an issue is called as its newest event says."""
    return title_of(row.error_type, row.message, row.transaction)


def text_digest(row: EventRow) -> int:
    """Differs when an event says other text than the one before. Two texts with one digest (1 in 4 billion) cost no
    more than that an issue shows the older of them until its next event."""
    parts = (_title(row), row.culprit, row.error_type, row.service_name, row.platform, row.category)
    text = "\0".join((*parts, row.message[:ISSUE_TEXT_CHARS_MAX]))
    return crc32(text.encode("utf-8", "replace"))


def issue_text(row: EventRow) -> tuple[str, ...]:
    """What people read of an issue, as its newest event says it: search, title, culprit, error type, message, service,
    platform, category."""
    title = clean(_title(row)[:ISSUE_TEXT_CHARS_MAX])
    culprit = clean(row.culprit[:ISSUE_TEXT_CHARS_MAX])
    message = clean(row.message[:ISSUE_TEXT_CHARS_MAX])
    search = f"{title}\n{culprit}".lower()
    names = (clean(row.error_type), message, clean(row.service_name), clean(row.platform))
    return (search, title, culprit, *names, clean(row.category))
