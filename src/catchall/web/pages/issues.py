"""The issue list: rows that answer "what, since when, for whom" without a click."""

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from markupsafe import Markup
from msgspec import structs

from catchall.core.issue import Issue
from catchall.core.limits import ISSUE_ROWS_PER_PAGE
from catchall.store.base import Project, SeriesPoint
from catchall.web.drawing.charts import sparkline
from catchall.web.drawing.formatting import Clock, microseconds, number
from catchall.web.drawing.rendering import address, draw, wants_part
from catchall.web.pages.filters import ANY_STATE, RANGES, SORTS, STATES, View, read_view
from catchall.web.pages.lookup import find_project, projects_by_id
from catchall.web.permissions import Action, needs
from catchall.web.services import current

SPARK_POINTS = 28
TREND_POINTS = 60
NOTHING: list[SeriesPoint] = []


@dataclass(frozen=True, slots=True)
class Row:
    """An issue as the list shows it."""

    issue: Issue
    project: Project | None
    address: str
    events_address: str
    trend: Markup
    last_seen: Markup
    first_seen: Markup
    events: Markup
    users: Markup


@needs(Action.READ)
@require_GET
def list_issues(request: HttpRequest) -> HttpResponse:
    """The list, whole or (asked by a script) its changing part alone."""
    view = read_view(request.GET)
    context = list_context(request, view)
    return draw(request, "issues/list.html" if wants_part(request) else "issues/page.html", context)


@needs(Action.READ)
@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """How many issues have moved since the list was drawn: what the page announces."""
    view = read_view(request.GET)
    project = find_project(request, view.project) if view.project else None
    seen = request.GET.get("seen", "")
    since = int(seen) + 1 if seen.isascii() and seen.isdigit() and len(seen) < 18 else 0
    where = view.issues(project, current().clock())
    newer = structs.replace(where, since=since)
    return draw(request, "issues/live.html", {"view": view, "count": current().hot.count_issues(newer), "seen": seen})


def list_context(request: HttpRequest, view: View) -> dict[str, Any]:
    """All that the list's templates need."""
    services = current()
    now = services.clock()
    projects = projects_by_id()
    project = find_project(request, view.project) if view.project else None
    where = view.issues(project, now)
    found, following = services.hot.issues(where, sort=view.sort, limit=ISSUE_ROWS_PER_PAGE, after=view.after)
    since, until, step = view.series_span(now, SPARK_POINTS)
    ids = [int(issue.issue_id, 16) for issue in found]
    clock = Clock()
    series = services.hot.issue_series(ids, since=since, until=until, step=step, environment=view.environment)
    return {
        "view": view,
        "project": project,
        "projects": sorted(projects.values(), key=lambda one: one.name.lower()),
        "rows": [
            _row(issue, projects.get(issue.project_id), series.get(issue_id, NOTHING), clock)
            for issue, issue_id in zip(found, ids, strict=True)
        ],
        "following": following,
        "counts": _counts(view, project, now),
        "newest": _newest(found, now),
        "environments": services.hot.environments(project.project_id if project else None),
        "trend_points": _trend(view, project, now),
        "ranges": RANGES,
        "sorts": SORTS,
        "states": (*STATES, ANY_STATE),
    }


def _row(issue: Issue, project: Project | None, series: list[SeriesPoint], clock: Clock) -> Row:
    """Written here, not in the template: a call from Jinja costs as much as the writing itself."""
    return Row(
        issue=issue,
        project=project,
        address=address("issue", issue.issue_id),
        events_address=address("issue-events", issue.issue_id),
        trend=sparkline(series),
        last_seen=clock.short(issue.last_seen),
        first_seen=clock.short(issue.first_seen),
        events=number(issue.events),
        users=number(issue.users),
    )


def _counts(view: View, project: Project | None, now: int) -> dict[str, int]:
    """How many issues each tab holds."""
    hot = current().hot
    counted: dict[str, int] = {}
    for state in STATES:
        counted[state] = hot.count_issues(replace(view, state=state).issues(project, now))
    return {**counted, ANY_STATE: sum(counted.values())}


def _newest(found: list[Issue], now: int) -> int:
    """The newest moment that the list knows of, in microseconds: what comes after it is news."""
    return max((microseconds(issue.last_seen) for issue in found), default=now)


def _trend(view: View, project: Project | None, now: int) -> list[SeriesPoint]:
    since, until, step = view.series_span(now, TREND_POINTS)
    return current().hot.project_series(
        project.project_id if project else None, since=since, until=until, step=step, environment=view.environment
    )
