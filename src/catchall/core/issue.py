"""Issues: groups of like events, and the facts about their lives."""

from typing import Literal

import msgspec

IssueState = Literal["unresolved", "resolved", "ignored"]
TransitionKind = Literal["new", "regressed", "resolved", "ignored", "reopened", "escalating", "merged"]
Priority = Literal["low", "medium", "high"]


class Issue(msgspec.Struct, kw_only=True):
    """One group of like events, as lists and pages show it. Times: RFC 3339; `number` counts within its project."""

    issue_id: str
    project_id: int
    number: int
    title: str
    error_type: str = ""
    message: str = ""
    culprit: str = ""
    service_name: str = ""
    platform: str = ""
    severity: str = "error"
    category: str = "code"
    handled: bool | None = None
    state: IssueState = "unresolved"
    state_changed_at: str = ""
    priority: Priority = "medium"
    priority_reason: str = ""
    first_seen: str
    last_seen: str
    events: int = 0
    users: int = 0
    first_release: str = ""
    last_release: str = ""
    last_environment: str = ""
    fingerprint: str = ""
    fingerprint_reason: str = ""
    first_event_id: str = ""
    last_event_id: str = ""


class IssueTransition(msgspec.Struct, kw_only=True):
    """A change in an issue's life, kept as a fact. `by`: a user's name, or "catchall"."""

    transition_id: int
    issue_id: str
    project_id: int
    kind: TransitionKind
    at: str
    by: str = "catchall"
    reason: str = ""
    event_id: str = ""


def after_event(state: IssueState) -> tuple[IssueState, TransitionKind | None]:
    """The state of an issue after one more event, and the transition that this is, if any.

    A resolved issue that happens again has regressed; an ignored one stays ignored.
    """
    if state == "resolved":
        return "unresolved", "regressed"
    return state, None
