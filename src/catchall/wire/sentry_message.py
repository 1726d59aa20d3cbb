"""The text that was logged with a Sentry event: its template, its parameters and what came of them.

Source: https://develop.sentry.dev/sdk/data-model/event-payloads/message/
"""

from msgspec import UNSET, Raw

from catchall.core import limits
from catchall.core.event import EventDraft
from catchall.wire.coerce import text
from catchall.wire.json_text import encode, loads
from catchall.wire.sentry_types import SentryEvent, SentryLogEntry

_PLACEHOLDERS = ("%s", "%d", "%i", "%r", "{}")
_NO_PARAMS = frozenset({b"null", b"[]", b"{}", b'""'})


def logged(event: SentryEvent, draft: EventDraft) -> str:
    """The text that was logged; its template goes into the draft when it differs."""
    entry = _entry(event)
    if not isinstance(entry, SentryLogEntry):
        return entry
    template = entry.message or ""
    message = entry.formatted or _formatted(template, _params(entry))
    if template != message:
        draft.message_template = template
    return message


def logged_beside(event: SentryEvent, message: str) -> bytes:
    """The log entry as JSON when it says more than the event's message: another text, or parameters. Else empty."""
    entry = _entry(event)
    if not isinstance(entry, SentryLogEntry):
        return encode({"formatted": entry}) if entry and entry != message else b""
    params = _params(entry)
    said = entry.formatted or _formatted(entry.message or "", params)
    parts: dict[str, object] = {}
    if said and said != message:
        parts["formatted"] = said
    if entry.message and entry.message != said:
        parts["message"] = entry.message
    if params:
        parts["params"] = Raw(params)
    return encode(parts) if parts and ("formatted" in parts or params) else b""


def _entry(event: SentryEvent) -> SentryLogEntry | str:
    entry = event.logentry
    if entry and (entry.formatted or entry.message):
        return entry
    return event.message or ""


def _params(entry: SentryLogEntry) -> bytes:
    found = b"" if entry.params is UNSET else bytes(entry.params)
    return b"" if found in _NO_PARAMS else found


def _formatted(template: str, params: bytes) -> str:
    """The template with its parameters at the plain placeholders. Others (widths, names) are left as they are: Python's
    own formatting would make gigabytes of "%999999999d".
    """
    if not template or not params or len(params) > limits.CONTEXT_BYTES_MAX:
        return template
    pieces: list[str] = []
    rest = template
    found = loads(params)
    for param in found if isinstance(found, list) else []:
        places = [(at, mark) for mark in _PLACEHOLDERS if (at := rest.find(mark)) >= 0]
        if not places:
            break
        at, mark = min(places)
        pieces += rest[:at], text(param)
        rest = rest[at + len(mark) :]
    return ("".join(pieces) + rest)[: limits.MESSAGE_CHARS_MAX]
