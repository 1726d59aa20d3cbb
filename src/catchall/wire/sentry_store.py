"""Sentry's older endpoint: one event's JSON as the whole body.

Source: https://develop.sentry.dev/sdk/data-model/event-payloads/. SDKs of the first years send it zlib-packed in
base64, without saying so.
"""

import base64
import binascii
import json

from catchall.core import limits
from catchall.core.errors import Reason, WireError
from catchall.core.record import RawRecord
from catchall.wire.base import EventIdAt, Framed, Item
from catchall.wire.encoding import inflate, inflate_head
from catchall.wire.ids import event_id_of
from catchall.wire.sentry_items import event_item

_PACKED = b"e"  # how zlib's first byte looks in base64; JSON objects begin with a brace
_decoder = json.JSONDecoder(strict=False)
_BLANK = " \t\r\n"


def frame(head: bytes, *, complete: bool) -> Framed:
    """The event's id, when it stands in the body's first bytes. Raises WireError BODY_EMPTY."""
    text = head.strip()
    if not text:
        raise WireError(Reason.BODY_EMPTY, "the event is empty")
    if text[:1] == _PACKED:
        text = _head_unpacked(text)
    return Framed(_own_id(text.decode("utf-8", "replace")))


def _own_id(text: str) -> str:
    """The value of "event_id" among the outermost keys of a JSON object that may be cut off anywhere."""
    at = _skip(text, 0)
    try:
        while text[at : at + 1] in {"{", ","}:
            at = _skip(text, at + 1)
            key, at = _decoder.raw_decode(text, at)
            at = _skip(text, at)
            value, at = _decoder.raw_decode(text, _skip(text, at + 1))
            if key == "event_id":
                return event_id_of(value)
            at = _skip(text, at)
    except (ValueError, RecursionError, IndexError):
        return ""
    return ""


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def parse(record: RawRecord, body: bytes, event_id_at: EventIdAt) -> list[Item]:
    """The one event. Raises WireError: BODY_EMPTY, and what makes its JSON none."""
    data = body.strip()
    if not data:
        raise WireError(Reason.BODY_EMPTY, "the event is empty")
    if data[:1] == _PACKED:
        data = _unpacked(data)
    return [event_item(0, data, record, record.event_id, event_id_at).item]


def _unpacked(data: bytes) -> bytes:
    try:
        packed = base64.b64decode(data, validate=True)
    except binascii.Error:
        return data
    return inflate(packed, "deflate", limits.EVENT_JSON_BYTES_MAX)


def _head_unpacked(text: bytes) -> bytes:
    try:
        packed = base64.b64decode(text[: len(text) // 4 * 4], validate=True)
        return inflate_head(packed, "deflate", limits.REQUEST_HEAD_INFLATED_BYTES)
    except (binascii.Error, WireError):
        return text
