"""What the items of a Sentry envelope are: an error, a file, something counted, something set aside.

Sources: https://develop.sentry.dev/sdk/data-model/envelope-items/ and, on the same site, sdk/telemetry/attachments/
"""

from typing import NamedTuple

import msgspec

from catchall.core import limits
from catchall.core.errors import Reason, WireError
from catchall.core.event import EventDraft
from catchall.core.ledger import DataCategory, Outcome
from catchall.core.record import RawRecord
from catchall.wire.base import AttachmentItem, BrokenItem, EventIdAt, EventItem, Item, SetAsideItem
from catchall.wire.bounded import Bounds
from catchall.wire.ids import event_id_of
from catchall.wire.sentry_counts import COUNTED, counted
from catchall.wire.sentry_event import fill, read_event

_MINIDUMP = b"MDMP"
_MINIDUMP_TYPES = frozenset({"event.minidump", "minidump"})
_CATEGORIES = {
    "event": DataCategory.ERROR,
    "attachment": DataCategory.ATTACHMENT,
    "minidump": DataCategory.ATTACHMENT,
    "transaction": DataCategory.TRANSACTION,
    "span": DataCategory.SPAN,
    "statsd": DataCategory.METRIC,
    "metric_buckets": DataCategory.METRIC,
    "trace_metric": DataCategory.METRIC,
    "profile": DataCategory.PROFILE,
    "profile_chunk": DataCategory.PROFILE,
    "replay_event": DataCategory.REPLAY,
    "replay_recording": DataCategory.REPLAY,
    "replay_video": DataCategory.REPLAY,
    "user_report": DataCategory.FEEDBACK,
    "user_report_v2": DataCategory.FEEDBACK,
    "feedback": DataCategory.FEEDBACK,
    **COUNTED,
}
_NO_ERRORS = frozenset({"transaction", "feedback", "replay_event"})  # types of an event that is sent as if it were one


class ItemHeader(msgspec.Struct, gc=False):
    """The header of an item, as far as we use it."""

    type: str | None = None
    length: int | None = None
    filename: str | None = None
    content_type: str | None = None
    attachment_type: str | None = None


class _Container(msgspec.Struct, gc=False):
    """Several things of one kind in one item."""

    items: list[msgspec.Raw] | None = None


class Taken(NamedTuple):
    """An item, and whether it used up the event id that envelope or answer promised."""

    item: Item
    used_promise: bool = False


_decode_container = msgspec.json.Decoder(_Container).decode


def category_of(kind: str) -> DataCategory:
    """The data category of an item type."""
    return _CATEGORIES.get(kind, DataCategory.UNKNOWN)


def read_item(
    index: int, header: ItemHeader, data: bytes, record: RawRecord, promised: str, event_id_at: EventIdAt
) -> Taken:
    """An item understood. `promised`: the event id that envelope or answer gave, still free, or empty."""
    kind = header.type or ""
    if len(data) > limits.ITEM_BYTES_MAX:
        return Taken(_too_large(index, category_of(kind), data, limits.ITEM_BYTES_MAX))
    if kind == "event":
        return event_item(index, data, record, promised, event_id_at)
    if kind == "attachment" or kind in _MINIDUMP_TYPES:
        return Taken(_attachment(index, header, data))
    if kind not in COUNTED:
        return Taken(_set_aside(index, kind, _things_in(data)))
    try:
        return Taken(counted(index, kind, data))
    except WireError as error:
        return Taken(_broken(index, category_of(kind), error, data))


def event_item(index: int, data: bytes, record: RawRecord, promised: str, event_id_at: EventIdAt) -> Taken:
    """An event's JSON as an item. Its own id wins over the promised one, which wins over one made here."""
    if len(data) > limits.EVENT_JSON_BYTES_MAX:
        return Taken(_too_large(index, DataCategory.ERROR, data, limits.EVENT_JSON_BYTES_MAX))
    draft = EventDraft(
        event_id="", project_id=record.project_id, received_at=record.received_at, protocol=record.protocol
    )
    bounds = Bounds(draft)
    try:
        event = read_event(data, bounds)
        if event.type in _NO_ERRORS:
            return Taken(_set_aside(index, event.type or "", 1))
        fill(draft, event, bounds)
    except WireError as error:
        return Taken(_broken(index, DataCategory.ERROR, error, data))
    own = event_id_of(event.event_id)
    draft.event_id = own or promised or event_id_at(index)
    return Taken(EventItem(index=index, draft=draft), draft.event_id == promised)


def _broken(index: int, category: DataCategory, error: WireError, data: bytes) -> BrokenItem:
    kept = data[: limits.DEAD_LETTER_BYTES_MAX]
    return BrokenItem(index=index, category=category, reason=error.reason, detail=error.detail, data=kept)


def _too_large(index: int, category: DataCategory, data: bytes, most: int) -> BrokenItem:
    return _broken(index, category, WireError(Reason.ITEM_TOO_LARGE, f"{len(data)} bytes, {most} are the most"), data)


def _attachment(index: int, header: ItemHeader, data: bytes) -> Item:
    kind = _name(header.attachment_type)
    filename = _name(header.filename)
    reason = None
    if kind in _MINIDUMP_TYPES or header.type in _MINIDUMP_TYPES or data[:4] == _MINIDUMP:
        reason = Reason.MINIDUMP_NOT_KEPT
    elif len(data) > limits.ATTACHMENT_BYTES_MAX:
        reason = Reason.ITEM_TOO_LARGE
    if reason:
        return SetAsideItem(
            index=index, category=DataCategory.ATTACHMENT, outcome=Outcome.REJECTED, reason=reason, detail=filename
        )
    content_type = _name(header.content_type)
    return AttachmentItem(index=index, filename=filename, content_type=content_type, attachment_type=kind, data=data)


def _name(text: str | None) -> str:
    return (text or "").replace("\0", "\ufffd")[: limits.NAME_CHARS_MAX]


def _set_aside(index: int, kind: str, quantity: int) -> SetAsideItem:
    return SetAsideItem(
        index=index,
        category=category_of(kind),
        outcome=Outcome.UNSUPPORTED,
        reason=Reason.ITEM_UNSUPPORTED,
        detail=kind.replace("\0", "\ufffd")[: limits.ITEM_TYPE_CHARS_MAX],
        quantity=quantity,
    )


def _things_in(data: bytes) -> int:
    """How many things an item holds: counted, not as its header claims; 1 for what is no list of things."""
    if data.lstrip()[:1] != b"{":
        return 1
    try:
        found = _decode_container(data).items
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 1
    return max(1, min(len(found or ()), limits.LOG_ITEMS_PER_ITEM_MAX))
