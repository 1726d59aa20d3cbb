"""Single requests to a running server, and what it answered."""

import http.client
import json
from email.message import Message
from typing import Any, NamedTuple

from bench.server import Server


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Message
    body: bytes

    @property
    def error(self) -> str:
        """The reason of a refusal."""
        return str(json.loads(self.body)["error"])


def ask(
    server: Server, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def post(server: Server, project: dict[str, Any], body: bytes, *, encoding: str = "", key: str | None = None) -> Answer:
    """Send an envelope to a project."""
    query = f"?sentry_key={project['key'] if key is None else key}"
    headers = {"Content-Encoding": encoding} if encoding else {}
    return ask(server, "POST", f"/api/{project['id']}/envelope/{query}", body, headers)
