"""What every protocol module offers, and what its parser yields.

A protocol module has two functions. `frame` runs in intake on the first bytes of a body: is this the protocol, which
event id, what to answer. `parse` runs in a worker on the whole record. Both raise `WireError` and nothing else.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import msgspec

from catchall.core.errors import Reason
from catchall.core.event import EventDraft
from catchall.core.ledger import DataCategory, Outcome
from catchall.core.record import RawRecord


class Framed(NamedTuple):
    """What the first bytes of a body say. Empty strings: not said.

    `event_id`: 32 hex digits. `key` and `project`: from a DSN inside the body (tunnels).
    """

    event_id: str = ""
    key: str = ""
    project: str = ""


class EventItem(msgspec.Struct, kw_only=True):
    """An error; goes through the pipeline."""

    index: int
    draft: EventDraft


class AttachmentItem(msgspec.Struct, kw_only=True):
    """A file that belongs to the event of the same record."""

    index: int
    filename: str
    content_type: str
    attachment_type: str
    data: bytes


class Count(NamedTuple):
    """One cell of the generic rollup: `kind` as "session", `key` as "shop@1.4.2|production|crashed"."""

    kind: str
    key: str
    quantity: int


class AggregatedItem(msgspec.Struct, kw_only=True):
    """Understood and only counted: sessions, check-ins, logs, client reports."""

    index: int
    category: DataCategory
    counts: list[Count]
    quantity: int = 1  # how many things of the category the item holds


class SetAsideItem(msgspec.Struct, kw_only=True):
    """Recognized, counted under its reason, not kept."""

    index: int
    category: DataCategory
    outcome: Outcome
    reason: Reason
    detail: str = ""
    quantity: int = 1


class BrokenItem(msgspec.Struct, kw_only=True):
    """Not understood: becomes a dead letter with its reason and bytes."""

    index: int
    category: DataCategory
    reason: Reason
    detail: str
    data: bytes


Item = EventItem | AttachmentItem | AggregatedItem | SetAsideItem | BrokenItem

EventIdAt = Callable[[int], str]
"""Gives the id of the item at an index when the client sent none: the same on every replay."""


class WireProtocol(Protocol):
    """The face of a protocol module."""

    def frame(self, head: bytes, *, complete: bool) -> Framed:
        """Look at the inflated first bytes of a body; `complete` says that they are all of it."""

    def parse(self, record: RawRecord, body: bytes, event_id_at: EventIdAt) -> list[Item]:
        """Take the whole inflated body apart. Raises WireError when nothing of it can be used."""
