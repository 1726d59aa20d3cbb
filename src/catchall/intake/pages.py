"""What the front says itself when the web process cannot answer: small pages for people, JSON for programs.

No style and no script, so that the strictest policy can be set on them.
"""

from html import escape
from typing import NamedTuple

import msgspec

from catchall.intake.asgi import Headers, Send, answer

_POLICY = b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class Page(NamedTuple):
    """One such answer. `again`: seconds after which it is worth trying again; the page then does so itself."""

    status: int
    error: str
    title: str
    text: str
    again: int = 0


STARTING = Page(
    503,
    "web_starting",
    "catchall is starting",
    "The pages will be here in a moment. Errors are already being accepted. This page tries again by itself.",
    again=2,
)
BUSY = Page(
    503, "web_busy", "catchall is busy", "All connections to the pages are in use. Errors are still accepted.", again=5
)
DIED = Page(
    502, "web_failed", "No answer", "The web process ended before it answered. It is being started again.", again=3
)
TIMEOUT = Page(504, "web_timeout", "No answer in time", "The web process took too long to answer.")
TOO_LARGE = Page(413, "too_large", "Too large", "This is more than an upload may hold.")
TOO_SLOW = Page(408, "body_timeout", "Too slow", "The body of the request did not arrive in time.")
METHOD = Page(405, "method_not_allowed", "Method not allowed", "This server does not know this method.")
MALFORMED = Page(400, "malformed", "Bad request", "The head of the request is not valid HTTP.")


async def send_page(send: Send, page: Page, accept: bytes) -> None:
    """Send it as HTML to who accepts that by name (browsers do), else as JSON."""
    html = b"text/html" in accept
    headers: Headers = [
        (b"content-type", b"text/html; charset=utf-8" if html else b"application/json"),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", _POLICY),
        (b"x-content-type-options", b"nosniff"),
    ]
    if page.again:
        headers.append((b"retry-after", str(page.again).encode()))
    await answer(send, page.status, headers, _html(page) if html else _json(page))


def _html(page: Page) -> bytes:
    refresh = f'<meta http-equiv="refresh" content="{page.again}">' if page.again else ""
    title, text = escape(page.title), escape(page.text)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<meta name="color-scheme" content="light dark">{refresh}<title>{title}</title></head>'
        f"<body><main><h1>{title}</h1><p>{text}</p></main></body></html>\n"
    ).encode()


def _json(page: Page) -> bytes:
    return msgspec.json.encode({"error": page.error, "detail": page.text})
