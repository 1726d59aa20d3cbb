"""Sentry's envelopes: a line of JSON for all, then for each item a line of JSON and its bytes.

https://develop.sentry.dev/sdk/data-model/envelopes/. Items without `length` end at the next line end. One broken item
never spoils the others; when it is unclear where it ends, the rest of the envelope is one dead letter.
"""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from catchall.core import limits
from catchall.core.errors import Reason, WireError
from catchall.core.ledger import DataCategory, Outcome
from catchall.core.record import RawRecord
from catchall.wire.base import AttachmentItem, BrokenItem, EventIdAt, EventItem, Framed, Item, SetAsideItem
from catchall.wire.sentry_event import read_event, to_draft
from catchall.wire.sentry_items import CATEGORIES, counted, set_aside

_HEX = frozenset("0123456789abcdef")
_MINIDUMP = "event.minidump"


class _EnvelopeHeader(msgspec.Struct, gc=False):
    event_id: str | None = None
    dsn: str | None = None


class _ItemHeader(msgspec.Struct, gc=False):
    type: str
    length: int | None = None
    filename: str | None = None
    content_type: str | None = None
    attachment_type: str | None = None
    item_count: int | None = None


class _Piece(NamedTuple):
    header: _ItemHeader
    payload: bytes


_decode_envelope = msgspec.json.Decoder(_EnvelopeHeader).decode
_decode_item = msgspec.json.Decoder(_ItemHeader).decode


def valid_id(text: str | None) -> str:
    """An event id as 32 lower-case hex digits, also from the form with dashes; empty when it is none."""
    if not text:
        return ""
    plain = text.replace("-", "").lower()
    return plain if len(plain) == 32 and _HEX.issuperset(plain) else ""


def frame(head: bytes, *, complete: bool) -> Framed:
    """The envelope's header from its first bytes. Raises WireError when there is none."""
    line, newline, _ = head.partition(b"\n")
    if not head.strip():
        raise WireError(Reason.BODY_EMPTY, "the envelope is empty")
    if not newline and not complete:
        raise WireError(Reason.ENVELOPE_HEADER, f"the first line is longer than {len(head)} bytes")
    header = _envelope_header(line)
    key, project = _dsn(header.dsn)
    return Framed(valid_id(header.event_id), key, project)


def _envelope_header(line: bytes) -> _EnvelopeHeader:
    try:
        return _decode_envelope(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise WireError(Reason.ENVELOPE_HEADER, str(error)[: limits.NAME_CHARS_MAX]) from None


def _dsn(dsn: str | None) -> tuple[str, str]:
    """Key and project of a DSN; empty when it is none."""
    if not dsn or len(dsn) > limits.URL_CHARS_MAX:
        return "", ""
    try:
        parts = urlsplit(dsn)
    except ValueError:
        return "", ""
    return parts.username or "", parts.path.rpartition("/")[2]


def parse(record: RawRecord, body: bytes, event_id_at: EventIdAt) -> list[Item]:
    """Take an envelope apart. Raises WireError when not even its first line can be read."""
    line, _, rest = body.partition(b"\n")
    header = _envelope_header(line)
    envelope_id = valid_id(header.event_id)
    items: list[Item] = []
    for index, piece in enumerate(_pieces(rest)):
        if index >= limits.ENVELOPE_ITEMS_MAX:
            what = f"more than {limits.ENVELOPE_ITEMS_MAX} items"
            items.append(
                BrokenItem(
                    index=index, category=DataCategory.UNKNOWN, reason=Reason.TOO_MANY_ITEMS, detail=what, data=b""
                )
            )
            break
        if isinstance(piece, WireError):
            data = rest[: limits.DEAD_LETTER_BYTES_MAX]
            items.append(
                BrokenItem(
                    index=index, category=DataCategory.UNKNOWN, reason=piece.reason, detail=piece.detail, data=data
                )
            )
        else:
            items.append(_item(index, piece, record, envelope_id, event_id_at))
    return items


def _pieces(rest: bytes) -> Iterator[_Piece | WireError]:
    """The items of an envelope; a WireError ends it: nobody knows where the next item would begin."""
    at = 0
    size = len(rest)
    while at < size:
        end = rest.find(b"\n", at)
        end = size if end < 0 else end
        line = rest[at:end].strip()
        at = end + 1
        if not line:
            continue
        try:
            header = _decode_item(line)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            yield WireError(Reason.ITEM_HEADER, str(error)[: limits.NAME_CHARS_MAX])
            return
        if header.length is None:
            end = rest.find(b"\n", at)
            end = size if end < 0 else end
        else:
            end = at + header.length
            if header.length < 0 or end > size:
                yield WireError(Reason.ITEM_TRUNCATED, f"{header.length} bytes announced, {max(size - at, 0)} came")
                return
        yield _Piece(header, rest[at:end])
        at = end + 1 if rest[end : end + 1] == b"\n" else end


def _item(index: int, piece: _Piece, record: RawRecord, envelope_id: str, event_id_at: EventIdAt) -> Item:
    header, payload = piece
    kind = header.type
    category = DataCategory.ERROR if kind == "event" else CATEGORIES.get(kind, DataCategory.UNKNOWN)
    try:
        if kind == "event":
            return event_item(index, payload, record, envelope_id, event_id_at)
        if kind in CATEGORIES:
            return counted(index, kind, payload)
    except WireError as error:
        return BrokenItem(index=index, category=category, reason=error.reason, detail=error.detail, data=payload)
    if kind == "attachment":
        return _attachment(index, header, payload)
    return set_aside(index, kind, header.item_count or 1)


def event_item(index: int, payload: bytes, record: RawRecord, promised_id: str, event_id_at: EventIdAt) -> EventItem:
    """An event's JSON as an item. Its own id wins over the one that the envelope or the answer promised."""
    if len(payload) > limits.EVENT_JSON_BYTES_MAX:
        raise WireError(Reason.ITEM_TOO_LARGE, f"{len(payload)} bytes, {limits.EVENT_JSON_BYTES_MAX} are the most")
    event = read_event(payload)
    event_id = valid_id(event.event_id) or promised_id or record.event_id or event_id_at(index)
    return EventItem(index=index, draft=to_draft(event, event_id, record))


def _attachment(index: int, header: _ItemHeader, payload: bytes) -> Item:
    kind = header.attachment_type or ""
    filename = (header.filename or "").replace("\x00", "")[: limits.NAME_CHARS_MAX]
    reason = Reason.MINIDUMP_NOT_KEPT if kind == _MINIDUMP else None
    if len(payload) > limits.ATTACHMENT_BYTES_MAX:
        reason = Reason.ITEM_TOO_LARGE
    if reason:
        return SetAsideItem(
            index=index, category=DataCategory.ATTACHMENT, outcome=Outcome.REJECTED, reason=reason, detail=filename
        )
    return AttachmentItem(
        index=index,
        filename=filename,
        content_type=(header.content_type or "")[: limits.NAME_CHARS_MAX],
        attachment_type=kind[: limits.NAME_CHARS_MAX],
        data=payload,
    )
