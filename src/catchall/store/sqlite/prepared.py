"""Rows on their way into a shard: everything that can be made of them before the commit lock is taken."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

import msgspec

from catchall.core.identity import Position
from catchall.core.limits import TAG_KEYS_CACHED_MAX
from catchall.core.times import DAY_SECONDS, MICROSECONDS, day_of
from catchall.store.base import EventRow, Stack
from catchall.store.sqlite.day_filter import Key
from catchall.store.sqlite.payloads import FrameWriter, pack
from catchall.store.sqlite.tokens import event_document, tag_text
from catchall.store.terms import encodable, tags_of

_USER_BYTES = 8
_key_of = itemgetter(0)
_DAY_MICROSECONDS = DAY_SECONDS * MICROSECONDS


StackKey = tuple[int, bytes]
"""Project and digest."""


class PreparedFrame(NamedTuple):
    """A compressed frame, and the number of its dictionary."""

    data: bytes
    dictionary: int


class PreparedRow(msgspec.Struct, gc=False):
    """A row with its columns as they are stored. `document`: its tokens; `frame`: its payload, compressed."""

    key: Key
    position: Position
    issue: int
    timestamp: int
    received_at: int
    severity: int
    environment: str
    release: str
    user: bytes | str | None
    frame: PreparedFrame
    document: str
    tag_keys: frozenset[tuple[int, str]]
    stacks: Sequence[Stack]


class PreparedBatch(NamedTuple):
    """Rows in their order, each with its day; and the frames of stacks that were not known to be stored."""

    rows: list[tuple[str, PreparedRow]]
    stacks: dict[tuple[str, StackKey], PreparedFrame]


KnowsStack = Callable[[str, StackKey], bool]
"""Is this stack certainly stored in this day?"""


def prepare_rows(rows: Sequence[EventRow], writer: FrameWriter, knows_stack: KnowsStack) -> PreparedBatch:
    """Compress and tokenize rows. A stack is compressed once per day and batch, and not when it is known."""
    prepared = []
    days: dict[int, str] = {}
    stacks: dict[tuple[str, StackKey], PreparedFrame] = {}
    for row in rows:
        number = row.received_at // _DAY_MICROSECONDS
        day = days.get(number) or days.setdefault(number, day_of(row.received_at))
        prepared.append((day, _prepared_row(row, writer)))
        for stack in row.stacks:
            key = (row.project_id, stack.digest)
            if (day, key) not in stacks and not knows_stack(day, key):
                stacks[day, key] = stack_frame(stack, writer)
    return PreparedBatch(prepared, stacks)


def stack_frame(stack: Stack, writer: FrameWriter) -> PreparedFrame:
    """The frame of a stack."""
    return PreparedFrame(writer.compress(stack.frames), writer.dictionary)


def _prepared_row(row: EventRow, writer: FrameWriter) -> PreparedRow:
    text, tags = tag_text(tags_of(row))
    project = row.project_id
    return PreparedRow(
        (project, bytes.fromhex(row.event_id)),
        row.position,
        row.issue_id,
        row.timestamp,
        row.received_at,
        row.severity,
        encodable(row.environment),
        encodable(row.release_version),
        stored_user(row.user_id),
        PreparedFrame(writer.compress(pack(text, row.body)), writer.dictionary),
        event_document(row, text),
        _tag_keys(project, tuple(map(_key_of, tags))),
        row.stacks,
    )


@lru_cache(TAG_KEYS_CACHED_MAX)
def _tag_keys(project: int, keys: tuple[str, ...]) -> frozenset[tuple[int, str]]:
    """Most events of a project have the same keys: then this is the same object, too."""
    return frozenset([(project, key) for key in keys])


def stored_user(user_id: str) -> bytes | str | None:
    """A user as a column: the bytes of a hashed id, any other text as it is, nothing for none."""
    if len(user_id) == 2 * _USER_BYTES:
        try:
            hashed = bytes.fromhex(user_id)
        except ValueError:
            return encodable(user_id)
        if hashed.hex() == user_id:
            return hashed
    return encodable(user_id) or None


def shown_user(user: bytes | str | None) -> str:
    """The way back from `stored_user`."""
    return user.hex() if isinstance(user, bytes) else user or ""
