"""What people and programs ask an installation with many events, each question with ever new values."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from bench.faults import TAGS, WORDS
from bench.pages import Visitor

SLICES = 10  # of the whole time: things to ask for are taken from each of them
ISSUE_SORTS = ("last_seen", "first_seen", "events", "users", "priority")


class Known(NamedTuple):
    """Things that are stored, to ask for. `whole`: events with all their fields."""

    projects: list[dict[str, Any]]
    issues: list[dict[str, Any]]
    events: list[dict[str, Any]]
    whole: list[dict[str, Any]]
    since: datetime
    until: datetime


def look_round(visitor: Visitor, since: datetime, until: datetime) -> Known:
    """Find things of all times, and frequent and rare issues."""
    issues: list[dict[str, Any]] = []
    for sort in ("events", "first_seen"):
        issues += visitor.api("issues", sort=sort, limit=200)["issues"]
    events: list[dict[str, Any]] = []
    whole: list[dict[str, Any]] = []
    step = (until - since) / SLICES
    for number in range(SLICES):
        begin = since + number * step
        asked = {"since": begin.isoformat(), "until": (begin + step).isoformat()}
        events += visitor.api("events", limit=100, **asked)["events"]
        whole += visitor.api("events", limit=20, full="true", **asked)["events"]
    return Known(visitor.api("projects")["projects"], issues, events, whole, since, until)


class Questioner:
    """Makes addresses. The same seed asks the same."""

    def __init__(self, known: Known, seed: str) -> None:
        self._known = known
        self._chance = random.Random(seed)

    def api(self, path: str, *parts: dict[str, object], **query: object) -> str:
        """An address of the JSON API."""
        for part in parts:
            query |= part
        return f"/api/v1/{path}?{urlencode(query)}"

    def page(self, path: str, **query: object) -> str:
        """An address of a page that shows the whole time."""
        since, until = self._known.since.timestamp(), self._known.until.timestamp()
        return f"{path}?{urlencode({'since': int(since), 'until': int(until), **query})}"

    def pick(self, *choices: str) -> str:
        """One of these."""
        return self._chance.choice(choices)

    @property
    def project(self) -> dict[str, Any]:
        """A project."""
        return self._chance.choice(self._known.projects)

    @property
    def in_project(self) -> dict[str, object]:
        """A parameter: in some project."""
        return {"project_id": self.project["project_id"]}

    @property
    def issue(self) -> str:
        """An issue's id."""
        return str(self._chance.choice(self._known.issues)["issue_id"])

    @property
    def event(self) -> dict[str, Any]:
        """A summary of an event."""
        return self._chance.choice(self._known.events)

    @property
    def whole(self) -> dict[str, Any]:
        """An event with all its fields."""
        return self._chance.choice(self._known.whole)

    @property
    def word(self) -> str:
        """A word that many events have."""
        return self._chance.choice(WORDS)

    @property
    def few(self) -> str:
        """The key of a tag with few values."""
        return f"{self._chance.choice(TAGS)}.kind"

    def tagged(self, key: str) -> dict[str, object]:
        """Parameters: with this tag, which some event of the project has."""
        event = self.whole
        return {"project_id": event["project_id"], "tag": f"{key}:{event['tags'][key]}"}

    @property
    def all_the_time(self) -> dict[str, object]:
        """Parameters: within the whole time."""
        return _span(self._known.since, self._known.until - self._known.since)

    @property
    def some_time(self) -> dict[str, object]:
        """Parameters: within a tenth of the time."""
        length = (self._known.until - self._known.since) / SLICES
        return _span(self._known.since + self._chance.random() * (SLICES - 1) * length, length)


def _span(since: datetime, length: timedelta) -> dict[str, object]:
    return {"since": since.isoformat(), "until": (since + length).isoformat()}


Question = Callable[[Questioner], str]
QUESTIONS: dict[str, dict[str, Question]] = {
    "issue_list": {
        "page": lambda ask: ask.page("/issues/", sort=ask.pick("last_seen", "events", "users", "priority")),
        "page of a project": lambda ask: ask.page("/issues/", project=ask.project["slug"]),
        "page with words": lambda ask: ask.page("/issues/", q=f"{ask.word} {ask.word}"),
        "page of an environment": lambda ask: ask.page("/issues/", environment="staging", severity="error"),
        "api": lambda ask: ask.api("issues", sort=ask.pick(*ISSUE_SORTS)),
        "api with a release": lambda ask: ask.api("issues", release_version=ask.event["release_version"]),
    },
    "issue_page": {
        "newest event": lambda ask: ask.page(f"/issues/{ask.issue}/"),
        "any event": lambda ask: "/issues/{issue_id}/events/{event_id}/".format(**ask.event),
        "list of its events": lambda ask: ask.page(f"/issues/{ask.issue}/events/"),
        "its facets": lambda ask: ask.page(f"/issues/{ask.issue}/facets/"),
    },
    "search": {
        "newest of all": lambda ask: ask.api("events"),
        "newest of a project": lambda ask: ask.api("events", ask.in_project),
        "a tag with few values": lambda ask: ask.api("events", ask.tagged(ask.few)),
        "a tag with many values": lambda ask: ask.api("events", ask.tagged("order_id")),
        "a word in a project": lambda ask: ask.api("events", ask.in_project, query=ask.word),
        "a word in all": lambda ask: ask.api("events", query=ask.word),
        "two words in a project": lambda ask: ask.api("events", ask.in_project, query=f"{ask.word} {ask.word}"),
        "a release": lambda ask: ask.api("events", release_version=ask.event["release_version"]),
        "a user": lambda ask: ask.api("events", user_id=ask.event["user_id"]),
        "a trace": lambda ask: ask.api("events", trace_id=ask.whole["trace_id"]),
        "an environment for a time": lambda ask: ask.api(
            "events", ask.in_project, ask.some_time, environment="staging"
        ),
        "an issue": lambda ask: ask.api(f"issues/{ask.issue}/events"),
        "one event": lambda ask: "/api/v1/projects/{project_id}/events/{event_id}".format(**ask.event),
    },
    "facets": {
        "few values in a project": lambda ask: ask.api("facets", ask.in_project, key=ask.few),
        "few values in all": lambda ask: ask.api("facets", key=ask.few),
        "40 values in all": lambda ask: ask.api("facets", key="tenant"),
        "many values in a project": lambda ask: ask.api("facets", ask.in_project, key="order_id"),
        "many values in all": lambda ask: ask.api("facets", key="order_id"),
        "of an issue": lambda ask: ask.api("facets", issue_id=ask.issue, key="tenant"),
        "with a word": lambda ask: ask.api("facets", ask.in_project, key="region", query=ask.word),
        "keys of a project": lambda ask: ask.api("facets/keys", ask.in_project),
        "keys of all": lambda ask: ask.api("facets/keys"),
    },
    "series": {
        "all": lambda ask: ask.api("series", ask.all_the_time, step=3600),
        "a project": lambda ask: ask.api("series", ask.in_project, ask.all_the_time, step=3600),
        "an environment": lambda ask: ask.api(
            "series", ask.in_project, ask.all_the_time, environment="staging", step=3600
        ),
        "an issue": lambda ask: ask.api(f"issues/{ask.issue}/series", ask.all_the_time, step=3600),
    },
}
"""Kinds of questions, and for each the ways to ask it."""
