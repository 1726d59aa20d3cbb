"""The few types of ASGI that the front uses. Source: https://asgi.readthedocs.io/en/latest/specs/www.html"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

REQUEST = "http.request"
START = "http.response.start"
BODY = "http.response.body"


def header_map(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Header fields by lower-case name; a field sent several times is joined by commas (RFC 9110, 5.3)."""
    fields = list(headers)
    found = dict(fields)
    if len(found) == len(fields):
        return found
    joined: dict[bytes, bytes] = {}
    for name, value in fields:
        joined[name] = joined[name] + b", " + value if name in joined else value
    return joined


def start(status: int, headers: Headers) -> Message:
    """The message that begins an answer."""
    return {"type": START, "status": status, "headers": headers}


def last_part(body: bytes) -> Message:
    """The message that ends an answer."""
    return {"type": BODY, "body": body, "more_body": False}


async def answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Send a whole answer with its length."""
    await send(start(status, [*headers, (b"content-length", str(len(body)).encode())]))
    await send(last_part(body))
