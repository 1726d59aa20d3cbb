"""Known bad input, case by case: each has its answer."""

import json
import zlib
from typing import Any

import pytest
from msgspec import UNSET

from catchall.core import limits
from catchall.core.errors import Reason
from catchall.core.record import RawRecord
from catchall.wire import sentry, sentry_store
from catchall.wire.base import BrokenItem, EventItem, Item
from tests.support.stacks import frames_of

RECORD = RawRecord(protocol="sentry.envelope", project_id=1, key_id=1, received_at=1_795_465_000_000_000)
ID = "0123456789abcdef0123456789abcdef"


def parse(body: bytes) -> list[Item]:
    return sentry.parse(RECORD, body, lambda index: f"{index:032x}")


def envelope(event: bytes, **header: Any) -> bytes:
    return b'{"event_id":"%s"}\n%s\n%s\n' % (ID.encode(), json.dumps({"type": "event", **header}).encode(), event)


def event(**fields: Any) -> Any:
    """The draft of an event with these fields."""
    (item,) = parse(envelope(json.dumps(fields).encode()))
    assert isinstance(item, EventItem), item
    return item.draft


def raw(item: EventItem) -> bytes:
    """The JSON of an event's extra data."""
    extra = item.draft.extra_data
    assert extra is not UNSET
    return bytes(extra)


def broken(body: bytes) -> Reason:
    (item,) = parse(body)
    assert isinstance(item, BrokenItem)
    return item.reason


def test_deep_nesting_is_a_dead_letter_with_its_reason() -> None:
    deep = b'{"extra":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
    assert broken(envelope(deep)) is Reason.JSON_TOO_DEEP


def test_a_length_beyond_the_end_is_a_truncated_item() -> None:
    assert broken(envelope(b"{}", length=1000)) is Reason.ITEM_TRUNCATED


@pytest.mark.parametrize("payload", [b"nonsense", b"[1]", b'"text"', b"", b'{"a":'])
def test_what_is_no_object_is_broken(payload: bytes) -> None:
    assert broken(envelope(payload)) in (Reason.JSON_MALFORMED, Reason.WRONG_TYPE)


def test_one_broken_item_spoils_no_other() -> None:
    body = envelope(b"nonsense") + b'{"type":"event"}\n{"message":"fine"}\n'
    first, second = parse(body)
    assert isinstance(first, BrokenItem) and isinstance(second, EventItem)
    assert second.draft.message == "fine"


def test_python_s_nan_and_lone_surrogates_are_read() -> None:
    (item,) = parse(envelope(b'{"message":"a\\ud800b","extra":{"x":NaN,"y":Infinity}}'))
    assert isinstance(item, EventItem)
    assert item.draft.message == "a\ufffdb"


def test_non_utf8_is_replaced_and_nul_is_kept_as_an_escape() -> None:
    (item,) = parse(envelope(b'{"message":"caf\xe9 \\u0000 end","extra":{"k":"\xff\\u0000"}}'))
    assert isinstance(item, EventItem)
    assert item.draft.message == "caf\ufffd \x00 end"
    assert b"\x00" not in raw(item)


def test_needless_escapes_are_gone_from_raw_parts() -> None:
    (item,) = parse(envelope(rb'{"extra":{"\u0070assword":"http:\/\/x"}}'))
    assert isinstance(item, EventItem)
    assert raw(item) == b'{"password":"http://x"}'


def test_what_is_too_long_is_cut_and_marked() -> None:
    draft = event(
        message="m" * 40_000,
        tags={f"tag{number}": "v" * 10_000 for number in range(300)},
        exception={"values": [{"type": "E", "stacktrace": {"frames": [{"function": f"f{n}"} for n in range(1000)]}}]},
        extra={"big": "x" * (limits.EXTRA_BYTES_MAX + 1)},
    )
    frames = frames_of(draft, 0)
    assert len(draft.message) == limits.MESSAGE_CHARS_MAX
    assert len(draft.tags) == limits.TAGS_MAX and max(map(len, draft.tags.values())) == limits.TAG_VALUE_CHARS_MAX
    assert len(frames) == limits.FRAMES_MAX and (frames[0].function, frames[-1].function) == ("f0", "f999")
    marks = {(cut.path, cut.original, cut.kept) for cut in draft.cut}
    assert {("message", 40_000, limits.MESSAGE_CHARS_MAX), ("tags", 300, limits.TAGS_MAX)} <= marks
    assert ("exceptions.0.stack_trace", 1000, limits.FRAMES_MAX) in marks
    assert any(cut.path == "extra_data" for cut in draft.cut)


def test_frames_without_numbers_are_frames() -> None:
    draft = event(
        exception={"values": [{"type": "E", "stacktrace": {"frames": [{"function": "f"}, {"lineno": "12"}]}}]}
    )
    assert [frame.lineno for frame in frames_of(draft, 0)] == [None, 12]


@pytest.mark.parametrize(
    ("stamp", "microseconds"),
    [
        (1795462558.462954, 1_795_462_558_462_954),
        ("2026-11-23T19:35:58.5Z", 1_795_462_558_500_000),
        ("2026-11-23T20:35:58.5+01:00", 1_795_462_558_500_000),
        ("2026-11-23T19:35:58.5", 1_795_462_558_500_000),
        ("1795462558", 1_795_462_558_000_000),
        ("yesterday", None),
        (1e300, None),
    ],
)
def test_times_of_all_forms(stamp: Any, microseconds: int | None) -> None:
    assert event(timestamp=stamp).timestamp == microseconds


def test_the_events_own_id_wins_and_bad_ids_count_as_none() -> None:
    assert event(event_id="A" * 8 + "-" + "b" * 24).event_id == "a" * 8 + "b" * 24
    assert event(event_id="nonsense").event_id == ID
    (item,) = parse(b'{}\n{"type":"event"}\n{"message":"x"}\n')
    assert isinstance(item, EventItem) and item.draft.event_id == "0" * 32


def test_the_store_endpoint_reads_the_old_wrapped_form() -> None:
    import base64

    packed = base64.b64encode(zlib.compress(b'{"message":"old"}'))
    (item,) = sentry_store.parse(RECORD, packed, lambda _: ID)
    assert isinstance(item, EventItem) and item.draft.message == "old"
