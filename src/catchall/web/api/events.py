"""Events: lists, whole events as stored, attachments, facets and series."""

from typing import Annotated

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Field, Path, Query, Router

from catchall.core.event import SEVERITIES, Event
from catchall.core.identity import issue_id_text
from catchall.core.limits import (
    API_FULL_EVENTS_MAX,
    ATTACHMENTS_MAX,
    FACET_VALUES_MAX,
    LIST_LIMIT_MAX,
    SERIES_POINTS_MAX,
    TAG_KEY_CHARS_MAX,
)
from catchall.core.times import MICROSECONDS, QUARTER_SECONDS, rfc3339
from catchall.store.base import EventFilter, EventSummary, SeriesPoint
from catchall.web.api.access import allow, issue_of, needs, project_of
from catchall.web.api.answers import answer, answers, answers_bytes, problem, raw
from catchall.web.api.models import (
    EventPage,
    EventSummaryBody,
    FacetBody,
    FacetKeys,
    FacetValue,
    FullEventPage,
    Point,
    Series,
)
from catchall.web.api.parameters import (
    ID_MAX,
    Cursor,
    EventId,
    EventQuery,
    IssueId,
    Name,
    ProjectId,
    Time,
    microseconds,
)
from catchall.web.permissions import Action
from catchall.web.services import current

router = Router(tags=["events"])
DAY = 86_400


class EventListQuery(EventQuery):
    """Which events, how many, whole or as summaries."""

    limit: int = Field(50, ge=1, le=LIST_LIMIT_MAX)
    cursor: Cursor = Field("", description="`next` of the page before.")
    full: bool = Field(False, description=f"Whole events; then `limit` is at most {API_FULL_EVENTS_MAX}.")


class AnyEventListQuery(EventListQuery):
    """The same over one project or all."""

    project_id: int | None = Field(None, ge=1, le=ID_MAX)


class FacetQuery(EventQuery):
    """Events whose tags are counted."""

    project_id: int | None = Field(None, ge=1, le=ID_MAX)
    issue_id: str | None = Field(None, pattern="^[0-7][0-9a-f]{15}$")


@router.get("/events", auth=needs(Action.READ), **answers((EventPage, FullEventPage)))
def list_events(request: HttpRequest, asked: Query[AnyEventListQuery]) -> HttpResponse:
    """Events, newest arrival first."""
    allow(request, asked.project_id)
    return _page(asked.where(asked.project_id, None), asked)


@router.get("/issues/{issue_id}/events", auth=needs(Action.READ), **answers((EventPage, FullEventPage), 404))
def list_issue_events(request: HttpRequest, issue_id: IssueId, asked: Query[EventListQuery]) -> HttpResponse:
    """Events of an issue, newest arrival first."""
    number, issue = issue_of(request, issue_id)
    return _page(asked.where(issue.project_id, number), asked)


def _page(where: EventFilter, asked: EventListQuery) -> HttpResponse:
    limit = min(asked.limit, API_FULL_EVENTS_MAX) if asked.full else asked.limit
    found = current().events.page(where, limit=limit, after=asked.cursor)
    following = found[-1].cursor if len(found) == limit else ""
    if not asked.full:
        return answer(EventPage(events=[_summary(one) for one in found], next=following))
    payloads = [current().events.payload(one.project_id, one.event_id) for one in found]
    # one that retention took between the two reads is left out
    return answer(FullEventPage(events=[msgspec.Raw(one) for one in payloads if one is not None], next=following))


def _summary(event: EventSummary) -> EventSummaryBody:
    return EventSummaryBody(
        event_id=event.event_id,
        project_id=event.project_id,
        issue_id=issue_id_text(event.issue_id),
        timestamp=rfc3339(event.timestamp),
        received_at=rfc3339(event.received_at),
        severity=SEVERITIES[event.severity],
        environment=event.environment,
        release_version=event.release_version,
        user_id=event.user_id,
    )


@router.get("/projects/{project_id}/events/{event_id}", auth=needs(Action.READ), **answers(Event, 404))
def get_event(request: HttpRequest, project_id: ProjectId, event_id: EventId) -> HttpResponse:
    """One event, whole, as it is stored."""
    project_of(request, project_id)
    payload = current().events.payload(project_id, event_id)
    if payload is None:
        raise Http404("There is no such event in this project, or its retention is over.")
    return raw(payload)


@router.get(
    "/projects/{project_id}/events/{event_id}/attachments/{index}", auth=needs(Action.READ), **answers_bytes(404)
)
def get_attachment(
    request: HttpRequest,
    project_id: ProjectId,
    event_id: EventId,
    index: Annotated[int, Path(ge=0, lt=ATTACHMENTS_MAX)],
) -> HttpResponse:
    """A file that came with an event. Always a download: what a client sent is never shown as a page of ours."""
    project_of(request, project_id)
    event = current().events.get(project_id, event_id)
    file = event.attachments[index] if event is not None and index < len(event.attachments) else None
    data = current().blobs.get(file.blob) if file is not None and file.blob else None
    if file is None or data is None:
        raise Http404("There is no such attachment, it was not kept, or its retention is over.")
    response = HttpResponse(data, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = _disposition(file.filename)
    return response


def _disposition(filename: str) -> str:
    """The header for a client's file name, of which only harmless letters are kept (RFC 6266)."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in filename)
    return f'attachment; filename="{kept.lstrip(".")[:100] or "attachment"}"'


@router.get("/facets", auth=needs(Action.READ), **answers(FacetBody, 404))
def get_facet(
    request: HttpRequest,
    asked: Query[FacetQuery],
    key: Annotated[str, Query(min_length=1, max_length=TAG_KEY_CHARS_MAX, pattern="^[^\\x00]+$")],
    limit: Annotated[int, Query(ge=1, le=FACET_VALUES_MAX)] = 20,
) -> HttpResponse:
    """The most frequent values of a tag (or of a column: environment, release, user_id ...)."""
    facet = current().events.facets(_faceted(request, asked), key, limit=limit)
    values = [FacetValue(value=value, events=count) for value, count in facet.values]
    return answer(FacetBody(key=key, values=values, looked_at=facet.looked_at, exact=facet.exact))


@router.get("/facets/keys", auth=needs(Action.READ), **answers(FacetKeys, 404))
def list_facet_keys(request: HttpRequest, asked: Query[FacetQuery]) -> HttpResponse:
    """Which tags the events have."""
    return answer(FacetKeys(keys=current().events.facet_keys(_faceted(request, asked))))


def _faceted(request: HttpRequest, asked: FacetQuery) -> EventFilter:
    if asked.issue_id is not None:
        number, issue = issue_of(request, asked.issue_id)
        return asked.where(issue.project_id, number)
    allow(request, asked.project_id)
    return asked.where(asked.project_id, None)


Step = Annotated[
    int,
    Query(ge=QUARTER_SECONDS, le=30 * DAY, multiple_of=QUARTER_SECONDS, description="Seconds, whole quarter hours."),
]
OneProject = Annotated[int | None, Query(ge=1, le=ID_MAX)]


@router.get("/series", auth=needs(Action.READ), **answers(Series))
def get_series(
    request: HttpRequest,
    since: Time,
    until: Time,
    step: Step = 3600,
    project_id: OneProject = None,
    environment: Name = "",
) -> HttpResponse:
    """Events of a project (or all) over time."""
    allow(request, project_id)
    span = _span(since, until, step)
    if isinstance(span, str):
        return problem(request, 422, span)
    points = current().hot.project_series(project_id, since=span[0], until=span[1], step=step, environment=environment)
    return answer(_series(points, step))


@router.get("/issues/{issue_id}/series", auth=needs(Action.READ), **answers(Series, 404))
def get_issue_series(
    request: HttpRequest, issue_id: IssueId, since: Time, until: Time, step: Step = 3600, environment: Name = ""
) -> HttpResponse:
    """Events of an issue over time."""
    number, _ = issue_of(request, issue_id)
    span = _span(since, until, step)
    if isinstance(span, str):
        return problem(request, 422, span)
    found = current().hot.issue_series([number], since=span[0], until=span[1], step=step, environment=environment)
    return answer(_series(found.get(number, []), step))


def _span(since: Time, until: Time, step: int) -> tuple[int, int] | str:
    """The range on whole steps, or what is wrong with it."""
    first = (microseconds(since) or 0) // MICROSECONDS
    last = -(-(microseconds(until) or 0) // MICROSECONDS)
    first, last = first - first % step, last + -last % step
    if last <= first:
        return "since must lie before until"
    if (last - first) // step > SERIES_POINTS_MAX:
        return f"a series has at most {SERIES_POINTS_MAX} points; take a larger step or a shorter time"
    return first, last


def _series(points: list[SeriesPoint], step: int) -> Series:
    return Series(
        step=step, points=[Point(start=rfc3339(point.start * MICROSECONDS), events=point.count) for point in points]
    )
