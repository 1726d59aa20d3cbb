"""Sentry events made into drafts, for tests of what goes where."""

import json
from typing import Any

from msgspec import Raw

from catchall.core.event import EventDraft
from catchall.core.record import RawRecord
from catchall.wire import sentry_store
from catchall.wire.base import EventItem

RECORD = RawRecord(protocol="sentry.store", project_id=7, key_id=1, received_at=1_795_465_000_000_000)


def draft(body: bytes = b"", **fields: Any) -> EventDraft:
    """The draft of an event with these fields, or with this JSON."""
    (item,) = sentry_store.parse(RECORD, body or json.dumps(fields).encode(), lambda _: "a" * 32)
    assert isinstance(item, EventItem), item
    return item.draft


def value(raw: Any) -> Any:
    """What a raw part says."""
    assert isinstance(raw, Raw)
    return json.loads(bytes(raw))


def stack(*frames: Any) -> dict[str, Any]:
    """A stack trace as Sentry writes it."""
    return {"frames": list(frames)}
