"""What a person or a program asks of a running catchall: pages with a session, the JSON API with a token."""

import http.client
import json
import re
import secrets
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.server import Server

PASSWORD = "correct-horse-battery-staple"
SECONDS_MAX = 60.0


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over the socket that the front process uses: the web process alone, without the front."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=SECONDS_MAX)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Visitor:
    """Somebody who is logged in and has a token. One thread at a time.

    `straight`: ask the web process itself, not through the front.
    """

    def __init__(self, server: Server, *, straight: bool = False) -> None:
        self._server = server
        self._connection = (
            _UnixConnection(server.data / "run" / "web.sock")
            if straight
            else http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS_MAX)
        )
        token = json.loads(server.command("token", "create", "bench", "--json"))["token"]
        self._headers = {"Host": f"localhost:{server.port}", "Authorization": f"Bearer {token}"}
        self._headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._log_in().items())

    def _log_in(self) -> dict[str, str]:
        """The cookies of a session: follow a one-time link and send its form."""
        link = self._server.command("login-link").decode().strip()
        path = "/" + link.split("/", 3)[3]
        page = self._ask("GET", path)
        cookies = _cookies(page)
        found = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.read())
        if found is None:
            raise RuntimeError(f"the login link leads to no form: {page.status}")
        form = {
            "csrfmiddlewaretoken": found[1].decode(),
            "email": f"bench-{secrets.token_hex(4)}@example.com",
            "password": PASSWORD,
        }
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"http://localhost:{self._server.port}",
        }
        answer = self._ask("POST", path, urlencode(form).encode(), headers)
        answer.read()
        if answer.status != 302:
            raise RuntimeError(f"could not log in: {answer.status}")
        return cookies | _cookies(answer)

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        self._connection.request(method, path, body, {**self._headers, **(headers or {})})
        return self._connection.getresponse()

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of a page or an API call. Raises OSError when nobody answers."""
        try:
            answer = self._ask("GET", path)
            return answer.status, answer.read()
        except http.client.HTTPException as error:
            self._connection.close()
            raise ConnectionError(str(error)) from error

    def must_get(self, path: str) -> bytes:
        """The body of what has to be there. Raises RuntimeError for any status but 200."""
        status, body = self.get(path)
        if status != 200:
            raise RuntimeError(f"{path} answered {status}: {body[:300]!r}")
        return body

    def api(self, path: str, **query: object) -> Any:
        """A call of the JSON API, taken apart."""
        return json.loads(self.must_get(f"/api/v1/{path}?{urlencode(query, doseq=True)}"))


def _cookies(answer: http.client.HTTPResponse) -> dict[str, str]:
    pairs = (header.split(";", 1)[0].partition("=") for header in answer.headers.get_all("Set-Cookie", []))
    return {name: value for name, _, value in pairs}
