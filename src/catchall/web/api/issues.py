"""Issues, their history and their states."""

from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema
from pydantic import StringConstraints

from catchall.core.issue import Issue, IssueState
from catchall.core.limits import BULK_ISSUES_MAX, LIST_LIMIT_MAX
from catchall.store.base import IssueSort
from catchall.web.api.access import allow, by, issue_of, needs
from catchall.web.api.answers import answer, answers
from catchall.web.api.models import IssuePage, TransitionPage
from catchall.web.api.parameters import ISSUE_ID, Cursor, IssueId, IssueQuery, Name
from catchall.web.permissions import Action
from catchall.web.services import current

router = Router(tags=["issues"])
Sort = Literal["last_seen", "first_seen", "events", "users", "priority"]


class IssueListQuery(IssueQuery):
    """Which issues, in which order, how many."""

    sort: Sort = "last_seen"
    limit: int = Field(50, ge=1, le=LIST_LIMIT_MAX)
    cursor: Cursor = Field("", description="`next` of the page before.")


class NewState(Schema, extra="forbid"):
    """The state to give."""

    state: Literal["unresolved", "resolved", "ignored"]
    reason: Name = ""


class NewStates(NewState):
    """The state to give to several issues."""

    issue_ids: list[Annotated[str, StringConstraints(pattern=ISSUE_ID)]] = Field(
        min_length=1, max_length=BULK_ISSUES_MAX
    )


@router.get("/issues", auth=needs(Action.READ), **answers(IssuePage))
def list_issues(request: HttpRequest, asked: Query[IssueListQuery]) -> HttpResponse:
    """Issues, filtered and sorted."""
    allow(request, asked.project_id)
    sort: IssueSort = asked.sort
    found, following = current().hot.issues(asked.where(), sort=sort, limit=asked.limit, after=asked.cursor)
    return answer(IssuePage(issues=found, next=following))


@router.post("/issues/state", auth=needs(Action.TRIAGE), **answers(TransitionPage, 400, 404))
def change_states(request: HttpRequest, body: NewStates) -> HttpResponse:
    """Give several issues a state. All of them must exist. Those that have it already make no transition."""
    ids = [issue_of(request, text)[0] for text in dict.fromkeys(body.issue_ids)]
    return _change(request, ids, body.state, body.reason)


@router.get("/issues/{issue_id}", auth=needs(Action.READ), **answers(Issue, 404))
def get_issue(request: HttpRequest, issue_id: IssueId) -> HttpResponse:
    """One issue."""
    return answer(issue_of(request, issue_id)[1])


@router.post("/issues/{issue_id}/state", auth=needs(Action.TRIAGE), **answers(TransitionPage, 400, 404))
def change_state(request: HttpRequest, issue_id: IssueId, body: NewState) -> HttpResponse:
    """Resolve, ignore or reopen an issue. No transition is made when it has that state already."""
    return _change(request, [issue_of(request, issue_id)[0]], body.state, body.reason)


@router.get("/issues/{issue_id}/transitions", auth=needs(Action.READ), **answers(TransitionPage, 404))
def list_transitions(
    request: HttpRequest, issue_id: IssueId, limit: Annotated[int, Query(ge=1, le=LIST_LIMIT_MAX)] = 50
) -> HttpResponse:
    """What happened to an issue, newest first."""
    return answer(TransitionPage(transitions=current().hot.transitions(issue_of(request, issue_id)[0], limit=limit)))


def _change(request: HttpRequest, ids: list[int], state: IssueState, reason: str) -> HttpResponse:
    services = current()
    made = services.hot.change_state(ids, state, by=by(request), now=services.clock(), reason=reason)
    return answer(TransitionPage(transitions=made))
