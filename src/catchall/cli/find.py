"""`catchall events` and `catchall issues`."""

from typing import Annotated

import typer

from catchall.bootstrap import Parts
from catchall.cli.output import print_json, print_line, print_table, wants_json
from catchall.cli.projects import Json, find_project
from catchall.core.codec import event_json
from catchall.core.errors import ConfigError
from catchall.core.event import SEVERITIES
from catchall.core.identity import issue_id_parse
from catchall.core.query.terms import FIELDS, Terms, parse_terms
from catchall.store.base import EventFilter, IssueFilter

PAGE = 200

Project = Annotated[str, typer.Option("--project", "-p", help="Id, slug or name; all projects when left out.")]
Query = Annotated[
    str, typer.Option("--query", "-q", help="Words and field:value, as `timeout environment:production`.")
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at the most.")]


def events(
    context: typer.Context, project: Project = "", query: Query = "", limit: Limit = 100, json: Json = False
) -> None:
    """Print events, newest first: the whole model as JSON lines, or a table."""
    with Parts(context.obj) as parts:
        project_id = find_project(parts, project).project_id if project else None
        found = parts.events.iterate(event_filter(parse_terms(query), project_id))
        if wants_json(json):
            for event, _ in zip(found, range(limit), strict=False):
                print_line(event_json(event))
            return
        rows = [
            (event.timestamp, event.severity, event.error_type, event.message.partition("\n")[0][:80], event.event_id)
            for event, _ in zip(found, range(limit), strict=False)
        ]
    print_table("Events", ("time", "severity", "type", "message", "id"), rows, empty="No event matches.")


def issues(
    context: typer.Context, project: Project = "", query: Query = "", limit: Limit = 100, json: Json = False
) -> None:
    """Print issues, the one seen last first."""
    with Parts(context.obj) as parts:
        project_id = find_project(parts, project).project_id if project else None
        where = issue_filter(parse_terms(query), project_id)
        rows = []
        after = ""
        left = limit
        while left > 0:
            page, after = parts.hot.issues(where, sort="last_seen", limit=min(left, PAGE), after=after)
            left -= len(page)
            for issue in page:
                if wants_json(json):
                    print_json(issue)
                else:
                    rows.append(
                        (issue.number, issue.state, issue.events, issue.users, issue.last_seen, issue.title[:80])
                    )
            if not after or not page:
                break
    if not wants_json(json):
        print_table("Issues", ("no", "state", "events", "users", "last seen", "title"), rows, empty="No issue matches.")


def event_filter(terms: Terms, project_id: int | None) -> EventFilter:
    """The filter of a search text for events. Raises ConfigError for a value that a field cannot have."""
    fields = terms.fields
    if "state" in fields:
        raise ConfigError("state: belongs to issues, not to events")
    severity = fields.get("severity")
    if severity is not None and severity not in SEVERITIES:
        raise ConfigError(f"severity:{severity}: it must be one of {', '.join(SEVERITIES)}")
    try:
        issue_id = issue_id_parse(fields["issue"]) if "issue" in fields else None
    except ValueError as error:
        raise ConfigError(f"issue:{fields['issue']}: {error}") from error
    return EventFilter(
        project_id=project_id,
        issue_id=issue_id,
        environment=fields.get("environment", ""),
        release_version=fields.get("release", ""),
        severity=SEVERITIES.index(severity) if severity else None,
        user_id=fields.get("user", ""),
        trace_id=fields.get("trace", ""),
        words=terms.words,
        tags=terms.tags,
    )


def issue_filter(terms: Terms, project_id: int | None) -> IssueFilter:
    """The filter of a search text for issues. Raises ConfigError for fields that issues do not have."""
    fields = terms.fields
    state = fields.get("state")
    if state not in (None, "unresolved", "resolved", "ignored"):
        raise ConfigError(f"state:{state}: it must be unresolved, resolved or ignored")
    odd = [name for name in FIELDS if name in fields and name not in ("state", "environment", "release", "severity")]
    if odd or terms.tags:
        names = odd + [name for name, _ in terms.tags]
        raise ConfigError(f"issues are not found by {', '.join(names)}; search events with `catchall events`")
    return IssueFilter(
        project_id=project_id,
        state=state,  # type: ignore[arg-type]
        environment=fields.get("environment", ""),
        release_version=fields.get("release", ""),
        severity=fields.get("severity", ""),
        words=terms.words,
    )
