"""The events of an issue: the list behind each number, one event's JSON, and what its tags say."""

import json

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET
from msgspec import structs

from catchall.core.event import SEVERITIES
from catchall.core.limits import EVENT_ROWS_PER_PAGE, NAME_CHARS_MAX, PAGE_FACET_VALUES_MAX, PAGE_FACETS_MAX
from catchall.store.base import EventFilter, Facet
from catchall.web.drawing.rendering import draw
from catchall.web.pages.filters import RANGES, read_view
from catchall.web.pages.lookup import find_issue
from catchall.web.permissions import Action, needs
from catchall.web.services import current

# What the page shows in places of its own, or what says the same of all events of an issue.
NOT_FACETS = frozenset(
    {"environment", "release", "trace_id", "request_id", "error_type", "severity", "category", "platform", "handled"}
)
PEOPLE = "user"
NOBODY = Facet([], 0, True)


@needs(Action.READ)
@require_GET
def list_events(request: HttpRequest, issue_id: str) -> HttpResponse:
    """All events of an issue, narrowed by what the address says."""
    named = find_issue(request, issue_id)
    view = read_view(request.GET, range="90d")
    tag = request.GET.get("tag", "")[: 2 * NAME_CHARS_MAX]
    where = _narrowed(view.events(named.issue.project_id, named.issue_id, current().clock()), tag)
    found = current().events.page(where, limit=EVENT_ROWS_PER_PAGE, after=view.after)
    context = {
        "issue": named.issue,
        "project": named.project,
        "view": view,
        "tag": tag,
        "events": found,
        "severities": SEVERITIES,
        "following": found[-1].cursor if len(found) == EVENT_ROWS_PER_PAGE else "",
        "count": current().events.count(where),
        "ranges": RANGES,
        "environments": [name for name, _ in current().hot.issue_environments(named.issue_id)],
    }
    return draw(request, "issue/events.html", context)


def _narrowed(where: EventFilter, tag: str) -> EventFilter:
    key, separator, value = tag.partition(":")
    return structs.replace(where, tags=((key, value),)) if separator else where


@needs(Action.READ)
@require_GET
def show_json(request: HttpRequest, issue_id: str, event_id: str) -> HttpResponse:
    """An event as the API gives it, laid out for reading."""
    named = find_issue(request, issue_id)
    payload = current().events.payload(named.issue.project_id, event_id)
    if payload is None:
        raise Http404("there is no such event; it may have been removed by retention")
    text = json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    context = {
        "issue": named.issue,
        "project": named.project,
        "event_id": event_id,
        "text": text,
        "length": len(payload),
    }
    return draw(request, "issue/json.html", context)


@needs(Action.READ)
@require_GET
def facets(request: HttpRequest, issue_id: str) -> HttpResponse:
    """What the events' tags say, each with its most frequent values. Asked for after the page: it counts."""
    named = find_issue(request, issue_id)
    where = read_view(request.GET).events(named.issue.project_id, named.issue_id, current().clock())
    found = current().events.newest_facets(where, limit=PAGE_FACET_VALUES_MAX)
    keys = sorted(key for key in found if key not in NOT_FACETS and key != PEOPLE)
    counted = {key: found[key] for key in keys[:PAGE_FACETS_MAX]}
    # what differs among the events tells more than what is the same in all of them
    ordered = sorted(counted.items(), key=lambda pair: (len(pair[1].values) < 2, pair[0]))
    context = {
        "issue": named.issue,
        "people": found.get(PEOPLE, NOBODY),
        "facets": {key: facet for key, facet in ordered if facet.values},
        "hidden": max(0, len(keys) - PAGE_FACETS_MAX),
    }
    return draw(request, "issue/facets.html", context)
