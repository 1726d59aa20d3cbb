"""What the API answers with, beside the model's own structs."""

from typing import Any, Literal

import msgspec

from catchall.core.event import Severity
from catchall.core.issue import Issue, IssueTransition
from catchall.store.base import Project, ProjectKey


class Problem(msgspec.Struct, kw_only=True):
    """An error (RFC 9457). `request_id` is what to quote; `errors` says which parameters are wrong, and why."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[dict[str, Any]] = []


class KeyWithDsn(ProjectKey, kw_only=True):
    """A key with the address that clients are given."""

    dsn: str


class ProjectCreated(msgspec.Struct, kw_only=True):
    """A new project and its first key."""

    project: Project
    key: KeyWithDsn


class ProjectPage(msgspec.Struct, kw_only=True):
    """All projects."""

    projects: list[Project]


class KeyPage(msgspec.Struct, kw_only=True):
    """All keys of a project."""

    keys: list[KeyWithDsn]


class IssuePage(msgspec.Struct, kw_only=True):
    """Issues, and the cursor of the next page (empty at the end)."""

    issues: list[Issue]
    next: str


class TransitionPage(msgspec.Struct, kw_only=True):
    """What happened to an issue, newest first; or the transitions that a request made."""

    transitions: list[IssueTransition]


class EventSummaryBody(msgspec.Struct, kw_only=True):
    """An event as a list shows it; the whole is at /projects/{project_id}/events/{event_id}."""

    event_id: str
    project_id: int
    issue_id: str
    timestamp: str
    received_at: str
    severity: Severity
    environment: str
    release_version: str
    user_id: str


class EventPage(msgspec.Struct, kw_only=True):
    """Events, newest arrival first, and the cursor of the next page (empty at the end)."""

    events: list[EventSummaryBody]
    next: str


class FullEventPage(msgspec.Struct, kw_only=True):
    """The same with whole events (`full=true`)."""

    events: list[msgspec.Raw]
    next: str


class FacetValue(msgspec.Struct, kw_only=True):
    """A value of a tag and how many events have it."""

    value: str
    events: int


class FacetBody(msgspec.Struct, kw_only=True):
    """Values of one tag, most frequent first, counted over `looked_at` events; `exact` when these are all there are."""

    key: str
    values: list[FacetValue]
    looked_at: int
    exact: bool


class FacetKeys(msgspec.Struct, kw_only=True):
    """Tags that matching events have."""

    keys: list[str]


class Point(msgspec.Struct, kw_only=True):
    """Events from `start` on, for the series' step."""

    start: str
    events: int


class Series(msgspec.Struct, kw_only=True):
    """Events over time; `step` in seconds. Points without events are given."""

    step: int
    points: list[Point]


class Requests(msgspec.Struct, kw_only=True):
    """accepted = committed + waiting."""

    accepted: int
    committed: int
    waiting: int


class LedgerRow(msgspec.Struct, kw_only=True):
    """A count of the ledger. `project_id` 0: the installation."""

    project_id: int
    category: str
    outcome: str
    reason: str
    count: int


class Ledger(msgspec.Struct, kw_only=True):
    """Where everything went. `differences`: what does not balance, by "project/category"; empty when all does."""

    balanced: bool
    requests: Requests
    items: dict[str, int]
    differences: dict[str, int]
    rows: list[LedgerRow]


class DeadLetterBody(msgspec.Struct, kw_only=True):
    """Something accepted that could not be understood. Its bytes are at /dead-letters/{dead_letter_id}/data."""

    dead_letter_id: int
    project_id: int
    category: str
    reason: str
    detail: str
    received_at: str
    protocol: str
    state: Literal["waiting", "replaying", "replayed", "discarded"]
    replayable: bool | None = None  # known for a single one only: lists are read without bytes


class DeadLetterPage(msgspec.Struct, kw_only=True):
    """Dead letters, newest first. `next`: give it as `before` for the older ones; 0 at the end."""

    dead_letters: list[DeadLetterBody]
    next: int
