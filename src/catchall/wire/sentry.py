"""Sentry's envelopes: a line of JSON for all, then for each item a line of JSON and its bytes.

Source: https://develop.sentry.dev/sdk/data-model/envelopes/. One broken item never spoils the others: where an item's
header cannot be read, the next line that looks like a header goes on.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from catchall.core import limits
from catchall.core.errors import Reason, WireError
from catchall.core.record import RawRecord
from catchall.wire.base import BrokenItem, EventIdAt, Framed, Item
from catchall.wire.coerce import integer, text
from catchall.wire.ids import event_id_of
from catchall.wire.json_text import loads
from catchall.wire.sentry_items import ItemHeader, category_of, read_item

_BINARY = frozenset({"attachment", "replay_recording", "replay_video", "profile_chunk"})  # all others are JSON


class _EnvelopeHeader(msgspec.Struct, gc=False):
    event_id: str | None = None
    dsn: str | None = None


class Payload(NamedTuple):
    """One item as it lies in the envelope. `broken`: why it cannot be read."""

    header: ItemHeader
    data: bytes
    broken: Reason | None = None
    detail: str = ""


_decode_envelope = msgspec.json.Decoder(_EnvelopeHeader).decode
_decode_item = msgspec.json.Decoder(ItemHeader).decode


def frame(head: bytes, *, complete: bool) -> Framed:
    """The envelope's header from its first bytes.

    A header that is longer than these tells nothing yet, and is read by `parse`. Raises WireError: BODY_EMPTY,
    ENVELOPE_HEADER.
    """
    if not head or head.isspace():
        raise WireError(Reason.BODY_EMPTY, "the envelope is empty")
    line, newline, _ = head.partition(b"\n")
    if not newline and not complete and line.lstrip()[:1] == b"{":
        return Framed()
    header = _envelope_header(line)
    key, project = _dsn(header.dsn or "")
    return Framed(event_id_of(header.event_id), key, project)


def _envelope_header(line: bytes) -> _EnvelopeHeader:
    if len(line) > limits.ENVELOPE_HEADER_BYTES_MAX:
        raise WireError(Reason.ENVELOPE_HEADER, f"longer than {limits.ENVELOPE_HEADER_BYTES_MAX} bytes")
    try:
        return _decode_envelope(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _lenient_header(line)
    if found is None:
        raise WireError(Reason.ENVELOPE_HEADER, "the first line is no JSON object")
    return _EnvelopeHeader(event_id=text(found.get("event_id")), dsn=text(found.get("dsn")))


def _lenient_header(line: bytes) -> dict[str, object] | None:
    try:
        found = loads(line)
    except WireError:
        return None
    return found if isinstance(found, dict) else None


def _dsn(dsn: str) -> tuple[str, str]:
    """Key and project of a DSN, "https://KEY[:SECRET]@host[:port][/path]/PROJECT"; empty when it is none."""
    if len(dsn) > limits.URL_CHARS_MAX:
        return "", ""
    _, scheme, rest = dsn.partition("://")
    user, at, place = rest.rpartition("@")
    if not scheme or not at:
        return "", ""
    return user.partition(":")[0], place.partition("?")[0].rstrip("/").rpartition("/")[2]


def parse(record: RawRecord, body: bytes, event_id_at: EventIdAt) -> list[Item]:
    """Take an envelope apart; an item's index is its place. Raises WireError: BODY_EMPTY, ENVELOPE_HEADER."""
    if not body or body.isspace():
        raise WireError(Reason.BODY_EMPTY, "the envelope is empty")
    end = body.find(b"\n")
    header = _envelope_header(body if end < 0 else body[:end])
    promised = event_id_of(header.event_id) or record.event_id
    items: list[Item] = []
    for index, payload in enumerate(_payloads(body, len(body) if end < 0 else end + 1)):
        if payload.broken:
            items.append(_broken(index, payload))
            continue
        item, used = read_item(index, payload.header, payload.data, record, promised, event_id_at)
        if used:  # the envelope's id is for one event only
            promised = ""
        items.append(item)
    return items


def _broken(index: int, payload: Payload) -> BrokenItem:
    assert payload.broken
    return BrokenItem(
        index=index,
        category=category_of(payload.header.type or ""),
        reason=payload.broken,
        detail=payload.detail,
        data=payload.data,
    )


def _payloads(body: bytes, position: int) -> Iterator[Payload]:
    """The items from a position on. A broken one takes with it what cannot be told apart from it, and no more."""
    for _ in range(limits.ENVELOPE_ITEMS_MAX):
        start = _skip_blank(body, position)
        if start >= len(body):
            return
        line, position = _line(body, start)
        header = _item_header(line)
        if header is None:
            position = _next_header(body, position)
            what = "the item's header is no JSON object"
            yield Payload(ItemHeader(), _kept(body, start, position), Reason.ITEM_HEADER, what)
        elif header.length is not None and header.length > len(body) - position:
            what = f"{header.length} bytes announced, {len(body) - position} came"
            yield Payload(header, _kept(body, position), Reason.ITEM_TRUNCATED, what)
            return
        else:
            end, after = _extent(body, position, header)
            reason = None if header.type else Reason.ITEM_HEADER
            yield Payload(header, body[position:end], reason, "" if header.type else "the item's header names no type")
            position = after
    start = _skip_blank(body, position)
    if start < len(body):
        what = f"more than {limits.ENVELOPE_ITEMS_MAX} items"
        yield Payload(ItemHeader(), _kept(body, start), Reason.TOO_MANY_ITEMS, what)


def _kept(body: bytes, start: int, end: int | None = None) -> bytes:
    """What a dead letter keeps of a part of the body."""
    last = start + limits.DEAD_LETTER_BYTES_MAX
    return body[start : last if end is None else min(end, last)]


def _skip_blank(body: bytes, position: int) -> int:
    while body[position : position + 1] in {b"\n", b"\r"}:
        position += 1
    return position


def _line(body: bytes, start: int) -> tuple[bytes, int]:
    """The line at a position, and where the next one begins."""
    end = body.find(b"\n", start)
    return (body[start:], len(body)) if end < 0 else (body[start:end], end + 1)


def _item_header(line: bytes) -> ItemHeader | None:
    if len(line) > limits.ENVELOPE_HEADER_BYTES_MAX:
        return None
    try:
        header = _decode_item(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _lenient_header(line)
        if found is None:
            return None
        header = ItemHeader(
            type=text(found.get("type")),
            length=integer(found.get("length")),
            filename=text(found.get("filename")),
            content_type=text(found.get("content_type")),
            attachment_type=text(found.get("attachment_type")),
        )
    if header.length is not None and header.length < 0:
        header.length = None
    return header


def _next_header(body: bytes, position: int) -> int:
    """Where the next line begins that looks like an item's header: an object with a type and nothing nested. (What
    looks like the payload of the broken item, most often an object with nested parts, goes with it.)
    """
    while position < len(body):
        line, after = _line(body, position)
        found = _lenient_header(line) if len(line) <= limits.ENVELOPE_HEADER_BYTES_MAX else None
        flat = found and not any(isinstance(one, dict | list) for one in found.values())
        if found and flat and isinstance(found.get("type"), str):
            return position
        position = after
    return position


def _extent(body: bytes, position: int, header: ItemHeader) -> tuple[int, int]:
    """Where an item's payload ends, and where the next line begins.

    Some clients count characters instead of bytes: JSON that the announced length cuts off goes to the line's end.
    """
    line_end = body.find(b"\n", position)
    line_end = len(body) if line_end < 0 else line_end
    if header.length is None:
        return line_end, line_end + 1
    end = position + header.length
    if header.length and end < line_end and header.type not in _BINARY and body[end - 1 : end] not in {b"}", b"]"}:
        end = line_end
    return end, end
