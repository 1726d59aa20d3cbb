"""Who asks: a bearer token or a logged-in session. What they may do: `permissions.may`, as for the pages."""

from collections.abc import Callable

from django.http import Http404, HttpRequest
from ninja.errors import AuthenticationError, AuthorizationError
from ninja.utils import check_csrf

from catchall.core.identity import issue_id_parse
from catchall.core.issue import Issue
from catchall.store.base import Project
from catchall.web.people.links import moment
from catchall.web.people.models import ApiToken
from catchall.web.people.tokens import find_token
from catchall.web.permissions import Action, Actor, may
from catchall.web.services import current

BEARER = "bearer "
ACTOR = "catchall.actor"
ACTION = "catchall.action"


def needs(action: Action) -> Callable[[HttpRequest], Actor]:
    """Who may call an operation, for its `auth`. An operation without one is closed to everybody (`closed`)."""

    def authenticate(request: HttpRequest) -> Actor:
        actor = _who(request)
        if not may(actor, action):
            raise AuthorizationError(message="You may not do this.")
        request.META[ACTOR], request.META[ACTION] = actor, action
        return actor

    return authenticate


def closed(request: HttpRequest) -> None:
    """The API's own default: nobody."""


def _who(request: HttpRequest) -> Actor:
    header = request.headers.get("Authorization", "")
    if header[: len(BEARER)].lower() == BEARER:
        token = find_token(header[len(BEARER) :].strip(), moment(current().clock()))
        if token is None:
            raise AuthenticationError(message="This token is not known. It may have been removed.")
        return token
    if request.user.is_authenticated:
        if check_csrf(request) is not None:  # a cookie alone proves nothing about who wrote the request
            raise AuthorizationError(message="A request with a session cookie needs the header X-CSRFToken.")
        return request.user
    raise AuthenticationError(message="Log in, or send a token: Authorization: Bearer TOKEN.")


def by(request: HttpRequest) -> str:
    """How the history names who asks."""
    actor = request.META[ACTOR]
    return actor.acts_as if isinstance(actor, ApiToken) else str(actor)


def project_of(request: HttpRequest, project_id: int) -> Project:
    """The project, if the caller may do in it what the operation does. Raises Http404 or AuthorizationError."""
    for project in current().hot.projects():
        if project.project_id == project_id:
            allow(request, project_id)
            return project
    raise Http404(f"There is no project {project_id}.")


def issue_of(request: HttpRequest, text: str) -> tuple[int, Issue]:
    """The issue, checked as `project_of` does."""
    try:
        issue_id = issue_id_parse(text)
    except ValueError as error:
        raise Http404(str(error)) from error
    issue = current().hot.issue(issue_id) if issue_id < 2**63 else None
    if issue is None:
        raise Http404(f"There is no issue {text}.")
    allow(request, issue.project_id)
    return issue_id, issue


def allow(request: HttpRequest, project_id: int | None) -> None:
    """Ask again with the project. Raises AuthorizationError."""
    if not may(request.META[ACTOR], request.META[ACTION], project_id):
        raise AuthorizationError(message="You may not do this in this project.")
