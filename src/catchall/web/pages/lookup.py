"""Finding what an address names, and asking `permissions` once the project is known."""

from dataclasses import dataclass

from django.http import Http404, HttpRequest

from catchall.core.errors import CatchallError
from catchall.core.identity import issue_id_parse
from catchall.core.issue import Issue
from catchall.store.base import Project
from catchall.web.permissions import check
from catchall.web.services import current


@dataclass(frozen=True, slots=True)
class Named:
    """An issue with its number and its project."""

    issue: Issue
    issue_id: int
    project: Project


def projects_by_id() -> dict[int, Project]:
    """All projects."""
    return {project.project_id: project for project in current().hot.projects()}


def find_project(request: HttpRequest, slug: str) -> Project:
    """The project of this slug. Raises Http404 or PermissionDenied."""
    for project in current().hot.projects():
        if project.slug == slug:
            check(request, project.project_id)
            return project
    raise Http404(f"there is no project {slug!r}")


def find_issue(request: HttpRequest, text: str) -> Named:
    """The issue of this id. Raises Http404 or PermissionDenied."""
    try:
        issue_id = issue_id_parse(text)
    except ValueError as error:
        raise Http404(str(error)) from error
    issue = current().hot.issue(issue_id)
    project = projects_by_id().get(issue.project_id) if issue else None
    if issue is None or project is None:
        raise Http404("there is no issue with this id; it may have been removed by retention")
    check(request, issue.project_id)
    return Named(issue, issue_id, project)


def who(request: HttpRequest) -> str:
    """How the history names the person who asks."""
    return str(request.user)


def sentence(error: CatchallError) -> str:
    """What went wrong, as a sentence for people."""
    text = str(error).strip() or "the store refused"
    return text[0].upper() + text[1:]
