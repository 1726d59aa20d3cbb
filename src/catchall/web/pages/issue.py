"""The issue page: one event at the left (why?), its group at the right (what, since when, for whom)."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET
from msgspec import UNSET, Raw, UnsetType

from catchall.core.event import Event
from catchall.core.identity import issue_id_text
from catchall.core.limits import PAGE_TRANSITIONS_MAX
from catchall.store.base import EventFilter, SeriesPoint
from catchall.web.drawing.rendering import draw
from catchall.web.pages.filters import RANGES, View, read_view
from catchall.web.pages.lookup import Named, find_issue, find_project
from catchall.web.pages.stacks import Budget, ExceptionView, exception_views
from catchall.web.pages.trail import Crumb, crumbs_of
from catchall.web.pages.values import Value, fields_of
from catchall.web.permissions import Action, needs
from catchall.web.services import current

TREND_POINTS = 48


@dataclass(slots=True)
class EventView:
    """One event, shaped for drawing."""

    event: Event
    exceptions: list[ExceptionView]
    earlier_crumbs: list[Crumb]
    crumbs: list[Crumb]
    extra: list[Value]
    body: list[Value]
    older: str
    newer: str
    budget: Budget


@needs(Action.READ)
@require_GET
def show(request: HttpRequest, issue_id: str, event_id: str = "") -> HttpResponse:
    """The page, at its newest event or the one that the address names."""
    named = find_issue(request, issue_id)
    view = read_view(request.GET)
    event_id = event_id or named.issue.last_event_id
    event = current().events.get(named.issue.project_id, event_id) if event_id else None
    if event is None and event_id != named.issue.last_event_id:
        raise Http404("there is no such event in this issue; it may have been removed by retention")
    context = {
        **group_context(named, view),
        "shown": view_event(named, event) if event else None,
        "event_id": event_id,
        "is_newest": event_id == named.issue.last_event_id,
    }
    return draw(request, "issue/page.html", context)


@needs(Action.READ)
@require_GET
def by_number(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The short address that people write in chats: project-12."""
    project = find_project(request, slug)
    issue_id = current().hot.issue_numbers(project.project_id, number)
    if issue_id is None:
        raise Http404(f"{project.name} has no issue with the number {number}")
    return HttpResponseRedirect(reverse("issue", args=[issue_id_text(issue_id)]))


def group_context(named: Named, view: View) -> dict[str, Any]:
    """What the page says of the group."""
    hot = current().hot
    since, until, step = view.series_span(current().clock(), TREND_POINTS)
    series: dict[int, list[SeriesPoint]] = hot.issue_series(
        [named.issue_id], since=since, until=until, step=step, environment=view.environment
    )
    return {
        "issue": named.issue,
        "project": named.project,
        "view": view,
        "ranges": RANGES,
        "trend_points": series.get(named.issue_id, []),
        "environments": hot.issue_environments(named.issue_id),
        "releases": hot.issue_releases(named.issue_id),
        "transitions": hot.transitions(named.issue_id, limit=PAGE_TRANSITIONS_MAX),
    }


def view_event(named: Named, event: Event) -> EventView:
    """Shape an event; a page draws a bounded part of it and says so."""
    budget = Budget()
    older, newer = current().events.neighbours(
        EventFilter(project_id=event.project_id, issue_id=named.issue_id), event.event_id
    )
    earlier, crumbs = crumbs_of(event)
    return EventView(
        event=event,
        exceptions=exception_views(event, budget),
        earlier_crumbs=earlier,
        crumbs=crumbs,
        extra=_members(event.extra_data),
        body=_members(event.http_context.body) if event.http_context else [],
        older=older,
        newer=newer,
        budget=budget,
    )


def _members(raw: Raw | UnsetType) -> list[Value]:
    return [] if raw is UNSET else fields_of(bytes(raw))
