"""Scripts, styles and pictures: built by frontend/, held in memory with their compressed twins.

Names carry a hash of their content, so browsers keep them for ever; assets.json tells which name is the newest.
There are about ten files, and only those in the list are served: no path from outside touches the disk.
"""

import json
import mimetypes
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from catchall.web.middleware import PROTECTION

FOLDER = Path(__file__).parent / "static"
MANIFEST = "assets.json"
URL_PREFIX = "/static/"
ENCODINGS = {"br": ".br", "gzip": ".gz"}  # the smaller one first
FOREVER = "public, max-age=31536000, immutable"
PROTECTED_BY = ("Content-Security-Policy", "X-Content-Type-Options", "Cross-Origin-Resource-Policy")

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Built:
    """A built file: its type, and its bytes by encoding ("" for plain)."""

    content_type: str
    bodies: dict[str, bytes]


@cache
def names() -> dict[str, str]:
    """Source name -> built name. Raises FileNotFoundError naming the command that builds them."""
    try:
        found = json.loads((FOLDER / MANIFEST).read_bytes())
    except FileNotFoundError as error:
        message = f"{FOLDER / MANIFEST} is missing: the pages were not built (make pages builds them)"
        raise FileNotFoundError(message) from error
    return {str(name): str(built) for name, built in found.items()}


def asset(name: str) -> str:
    """The address of a built file, for templates. Raises KeyError for a name that frontend/ does not build."""
    return URL_PREFIX + names()[name]


def with_static_files(application: Application) -> Application:
    """Serve the built files in front of `application`."""
    files = {URL_PREFIX + built: _read(FOLDER / built) for built in names().values()}

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(URL_PREFIX):
            return application(environ, start_response)
        file = files.get(path)
        if file is None:
            return _plain(start_response, "404 Not Found", b"no such file\n")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return _plain(start_response, "405 Method Not Allowed", b"only GET and HEAD\n")
        encoding = choose(environ.get("HTTP_ACCEPT_ENCODING", ""), file.bodies)
        body = file.bodies[encoding]
        start_response("200 OK", _headers(file.content_type, encoding, len(body)))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return serve


def choose(accepted: str, bodies: dict[str, bytes]) -> str:
    """The best encoding that the asker takes (RFC 9110, 12.5.3): one with q=0 is refused by name."""
    taken = set()
    for part in accepted.lower().split(","):
        name, _, parameters = part.strip().partition(";")
        weight = parameters.replace(" ", "").removeprefix("q=")
        if not weight or weight.strip("0."):
            taken.add(name.strip())
    return next((name for name in ENCODINGS if name in bodies and name in taken), "")


def _read(path: Path) -> Built:
    bodies = {"": path.read_bytes()}
    for encoding, ending in ENCODINGS.items():
        twin = path.with_name(path.name + ending)
        if twin.exists():
            bodies[encoding] = twin.read_bytes()
    content_type = mimetypes.guess_type(path.name, strict=False)[0] or "application/octet-stream"
    return Built(f"{content_type}; charset=utf-8" if content_type.startswith("text/") else content_type, bodies)


def _headers(content_type: str, encoding: str, length: int) -> list[tuple[str, str]]:
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(length)),
        ("Cache-Control", FOREVER),
        ("Vary", "Accept-Encoding"),
        *((name, PROTECTION[name]) for name in PROTECTED_BY),
    ]
    return [*headers, ("Content-Encoding", encoding)] if encoding else headers


def _plain(start_response: Callable[..., Any], status: str, body: bytes) -> list[bytes]:
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response(status, [*headers, *((name, PROTECTION[name]) for name in PROTECTED_BY)])
    return [body]
