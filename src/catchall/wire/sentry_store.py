"""Sentry's older endpoint: one event's JSON as the whole body. https://develop.sentry.dev/sdk/data-model/event-payloads/

Very old SDKs send it zlib-packed in base64 without saying so.
"""

import base64
import binascii

import msgspec
import re2

from catchall.core import limits
from catchall.core.errors import Reason, WireError
from catchall.core.record import RawRecord
from catchall.wire.base import EventIdAt, Framed, Item
from catchall.wire.encoding import inflate
from catchall.wire.sentry import event_item, valid_id

_EVENT_ID = re2.compile(rb'"event_id"\s*:\s*"([0-9a-fA-F-]{32,36})"')


class _JustTheId(msgspec.Struct, gc=False):
    event_id: str | None = None


_decode_id = msgspec.json.Decoder(_JustTheId).decode


def frame(head: bytes, *, complete: bool) -> Framed:
    """The event's id from the body's first bytes, when it stands there. Raises WireError for an empty body."""
    if not head.strip():
        raise WireError(Reason.BODY_EMPTY, "the event is empty")
    if complete:
        try:
            return Framed(valid_id(_decode_id(head).event_id))
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return Framed()
    found = _EVENT_ID.search(head)
    return Framed(valid_id(found.group(1).decode("ascii")) if found else "")


def parse(record: RawRecord, body: bytes, event_id_at: EventIdAt) -> list[Item]:
    """The one event. Raises WireError when its JSON is none."""
    return [event_item(0, _unwrapped(body), record, record.event_id, event_id_at)]


def _unwrapped(body: bytes) -> bytes:
    start = body.lstrip()[:1]
    if start in (b"{", b"["):
        return body
    try:
        packed = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return body
    return inflate(packed, "deflate", limits.REQUEST_INFLATED_BYTES_MAX)
