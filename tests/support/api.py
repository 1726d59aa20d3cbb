"""The JSON API of a running installation, asked over HTTP with a token, as a user's script would."""

import json
import time
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from bench.server import Server

PAUSE_SECONDS = 0.1


class Api:
    """`seconds`: how long to wait for what is on its way."""

    def __init__(self, server: Server, name: str = "tests", seconds: float = 20.0) -> None:
        self._root = f"{server.url}/api/v1"
        self._token = json.loads(server.command("token", "create", name, "--json"))["token"]
        self._seconds = seconds

    def get(self, path: str, **query: object) -> Any:
        """What the API answers for a path below /api/v1."""
        return self._ask(Request(f"{self._root}{path}?{urlencode(query)}" if query else f"{self._root}{path}"))

    def patch(self, path: str, changes: dict[str, Any]) -> Any:
        """Change something; what the API answers."""
        return self._ask(Request(f"{self._root}{path}", data=json.dumps(changes).encode(), method="PATCH"))

    def _ask(self, request: Request) -> Any:
        request.add_header("Authorization", f"Bearer {self._token}")
        request.add_header("Content-Type", "application/json")
        with urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def event(self, project_id: int, event_id: str) -> dict[str, Any]:
        """One event, whole."""
        found: dict[str, Any] = self.get(f"/projects/{project_id}/events/{event_id}")
        return found

    def events(self, project_id: int, count: int) -> list[dict[str, Any]]:
        """A project's events, newest arrival first, as soon as there are so many."""
        deadline = time.monotonic() + self._seconds
        while True:
            try:
                found: list[dict[str, Any]] = self.get("/events", project_id=project_id, full="true")["events"]
            except HTTPError as error:
                found = []
                if error.code < 500:
                    raise
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, f"{len(found)} of {count} events came"
            time.sleep(PAUSE_SECONDS)

    def issues(self, project_id: int) -> list[dict[str, Any]]:
        """A project's issues."""
        found: list[dict[str, Any]] = self.get("/issues", project_id=project_id)["issues"]
        return found
