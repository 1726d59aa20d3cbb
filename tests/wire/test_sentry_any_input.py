"""Whatever bytes come, the parser answers with items or a WireError, and what it hands over is sound.

Sound: within every limit, made of types that can be written, with raw parts that can be read. Properties over bytes,
over real requests cut and damaged anywhere, and over events with any JSON at any place.
"""

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from catchall.core import limits
from catchall.core.errors import WireError
from catchall.core.event import EventDraft, Frame
from catchall.core.record import RawRecord
from catchall.wire import sentry, sentry_store
from catchall.wire.base import AggregatedItem, BrokenItem, EventItem, Item
from catchall.wire.bounded import Bounds
from catchall.wire.encoding import inflate
from catchall.wire.json_text import loads, plain
from catchall.wire.sentry_event import fill, read_event
from catchall.wire.sentry_lenient import usual_event
from tests.support.corpus import Recorded, recordings
from tests.support.stacks import breadcrumbs_of, frames_of

RECORD = RawRecord(protocol="sentry.envelope", project_id=1, key_id=1, received_at=1_795_465_000_000_000)
ID = "0123456789abcdef0123456789abcdef"
POSTS = [recorded for recorded in recordings() if recorded.method == "POST"]


def body_of(recorded: Recorded) -> bytes:
    return inflate(recorded.body, recorded.headers.get("content-encoding", ""), 1 << 24)


BODIES = sorted({body_of(recorded) for recorded in POSTS if "recursion" not in recorded.name}, key=len)
SMALL = [body for body in BODIES if len(body) < 700]
EVENTS = [body.split(b"\n")[2] for body in BODIES if b'"type":"event"' in body]


def parse(body: bytes) -> list[Item]:
    items = sentry.parse(RECORD, body, lambda index: f"{index + 1:032x}")
    assert [item.index for item in items] == list(range(len(items)))
    for item in items:
        if isinstance(item, EventItem):
            check(item.draft)
        elif isinstance(item, AggregatedItem):
            assert item.quantity >= 1
            assert all(0 < count.quantity <= limits.COUNT_MAX for count in item.counts)
        elif isinstance(item, BrokenItem):
            assert len(item.data) <= limits.DEAD_LETTER_BYTES_MAX
    return items


def check(draft: EventDraft) -> None:
    """A draft is within the limits and can be written; its raw parts can be read."""
    assert len(draft.event_id) == 32 and set(draft.event_id) <= set("0123456789abcdef")
    msgspec.json.encode(draft)
    for names in (draft.release_version, draft.environment, draft.host_name, draft.logger, draft.transaction):
        assert len(names) <= limits.NAME_CHARS_MAX
    assert len(draft.message) <= limits.MESSAGE_CHARS_MAX
    assert len(draft.exceptions) <= limits.EXCEPTIONS_MAX
    assert len(draft.tags) <= limits.TAGS_MAX
    assert all(type(key) is type(value) is str for key, value in draft.tags.items())
    assert all(0 < len(key) <= limits.TAG_KEY_CHARS_MAX for key in draft.tags)
    assert all(0 < len(value) <= limits.TAG_VALUE_CHARS_MAX for value in draft.tags.values())
    assert len(breadcrumbs_of(draft)) <= limits.BREADCRUMBS_MAX
    assert len(draft.cut) <= limits.CUT_MARKS_MAX
    assert all(cut.kept < cut.original for cut in draft.cut)
    assert draft.timestamp is None or draft.timestamp >= 0
    for part in draft.stacks:
        frames = frames_of(draft, part.owner)
        assert len(frames) <= limits.FRAMES_MAX
        for frame in frames:
            check_frame(frame)
    for raw, most in raws(draft):
        assert len(raw) <= most
        loads(bytes(raw))
        assert plain(bytes(raw)) == bytes(raw)


def check_frame(frame: Frame) -> None:
    assert (frame.lineno is None or frame.lineno > 0) and (frame.colno is None or frame.colno > 0)
    assert max(map(len, (frame.function, frame.module, frame.filename))) <= limits.FRAME_TEXT_CHARS_MAX
    if isinstance(frame.locals, Raw):
        assert isinstance(loads(bytes(frame.locals)), dict)
        assert len(frame.locals) <= limits.LOCALS_BYTES_MAX
    if frame.context:
        assert max(len(frame.context.pre), len(frame.context.post)) <= limits.CONTEXT_LINES_MAX


def raws(draft: EventDraft) -> Iterator[tuple[Raw, int]]:
    for crumb in breadcrumbs_of(draft):
        if isinstance(crumb.data, Raw):
            yield crumb.data, limits.BREADCRUMB_BYTES_MAX
    if draft.http_context and isinstance(draft.http_context.body, Raw):
        yield draft.http_context.body, limits.HTTP_BODY_BYTES_MAX
    if isinstance(draft.extra_data, Raw):
        assert isinstance(loads(bytes(draft.extra_data)), dict)
        yield draft.extra_data, limits.EXTRA_BYTES_MAX
    if isinstance(draft.debug_meta, Raw):
        yield draft.debug_meta, limits.DEBUG_META_BYTES_MAX


def both(data: bytes) -> None:
    """Give bytes to both endpoints, whole and as a beginning."""
    with suppress(WireError):
        parse(data)
    with suppress(WireError):
        sentry_store.parse(RECORD, data, lambda _: ID)
    for module in (sentry, sentry_store):
        for complete in (True, False):
            with suppress(WireError):
                module.frame(data, complete=complete)


@given(st.binary(max_size=1000))
def test_any_bytes(data):
    both(data)


@given(
    st.lists(st.sampled_from([b"{}", b'{"type":"event"}', b'{"type":"log","length":9}', b"\n", b"\r\n", b"{", b"x"]))
)
def test_any_order_of_lines(pieces):
    both(b"{}\n" + b"\n".join(pieces))


@pytest.mark.parametrize("body", SMALL, ids=len)
def test_real_requests_cut_at_every_byte(body):
    for end in range(len(body)):
        both(body[:end])


@given(st.sampled_from(BODIES), st.floats(0, 1))
def test_larger_real_requests_cut_anywhere(body, where):
    both(body[: int(where * len(body))])


@given(st.sampled_from(BODIES), st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=8))
def test_real_requests_damaged_anywhere(body, changes):
    damaged = bytearray(body)
    for where, piece in changes:
        at = int(where * (len(damaged) - 1))
        damaged[at : at + len(piece)] = piece
    both(bytes(damaged))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place within a JSON value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in members:
        yield (*path, key)
        yield from places(one, (*path, key))


RICH: dict[str, Any] = {
    "event_id": ID,
    "timestamp": 1795462558.5,
    "type": "error",
    "platform": "python",
    "level": "error",
    "logger": "l",
    "transaction": "t",
    "culprit": "c",
    "release": "r",
    "dist": "d",
    "environment": "e",
    "server_name": "h",
    "exception": {
        "values": [
            {
                "type": "E",
                "value": "v",
                "module": "m",
                "thread_id": 1,
                "mechanism": {"type": "x", "handled": True, "synthetic": False, "source": "s", "exception_id": 1,
                              "parent_id": 0, "is_exception_group": True},
                "stacktrace": {"frames": [{"function": "f", "module": "m", "filename": "a", "abs_path": "/a",
                               "lineno": 1, "colno": 2, "in_app": True, "pre_context": ["a"], "context_line": "b",
                               "post_context": ["c"], "vars": {"x": 1}, "package": "p", "instruction_addr": "0x1"}]},
            }
        ]
    },
    "threads": {"values": [{"id": 1, "name": "n", "crashed": True, "current": True, "stacktrace": {"frames": []}}]},
    "stacktrace": {"frames": [{"function": "g"}]},
    "logentry": {"message": "%s", "formatted": "x", "params": ["x"]},
    "message": "m",
    "breadcrumbs": {"values": [{"timestamp": 1.5, "type": "t", "category": "c", "level": "l", "message": "m",
                                "data": {"a": 1}}]},
    "request": {"url": "u", "method": "GET", "query_string": "a=1", "headers": {"A": "b"}, "env": {"REMOTE_ADDR": "x"},
                "cookies": {"a": "b"}, "data": {"a": 1}},
    "user": {"id": "1", "email": "e"},
    "tags": {"a": "b"},
    "contexts": {"trace": {"trace_id": "t", "span_id": "s", "data": {"thread.name": "n"}}, "runtime": {"name": "n",
                 "version": "1"}, "os": {"name": "n"}, "browser": {"name": "n"}, "device": {"model": "m"},
                 "process": {"pid": 1}, "response": {"status_code": 500}, "service": {"name": "s"},
                 "otel": {"resource": {"service.name": "s"}}, "own": {"a": 1}},
    "extra": {"a": 1},
    "modules": {"a": "1"},
    "sdk": {"name": "n", "version": "1"},
    "fingerprint": ["a"],
    "debug_meta": {"images": []},
}  # fmt: skip
PLACES = list(places(RICH))


@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON), min_size=1, max_size=5))
def test_any_json_at_any_place_of_an_event_is_still_an_event(changes):
    event = copy.deepcopy(RICH)
    for path, value in changes:
        inner: Any = event
        with suppress(KeyError, IndexError, TypeError):  # another change may have taken the place away
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = value
    event["type"] = "error"
    (item,) = parse(b'{}\n{"type":"event"}\n' + json.dumps(event).encode())
    assert isinstance(item, EventItem), item


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_long_and_odd_values_at_every_place(path):
    for value in ("x" * 100_000, "\0\\/\"'\u2028", 10**30, -1, [["a"] * 300], {"k" * 300: "v" * 20_000}, None, True):
        event = copy.deepcopy(RICH)
        inner: Any = event
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        event["type"] = "error"
        (item,) = parse(b'{}\n{"type":"event"}\n' + json.dumps(event).encode())
        assert isinstance(item, EventItem), item


@pytest.mark.parametrize("data", [*EVENTS, json.dumps(RICH).encode()], ids=len)
def test_both_ways_of_reading_agree(data):
    """The usual event gives the same draft whether it is decoded straight or read leniently."""
    drafts = []
    for lenient in (False, True):
        draft = EventDraft(event_id="", project_id=1, received_at=0, protocol="")
        bounds = Bounds(draft)
        fill(draft, usual_event(loads(data), bounds) if lenient else read_event(data, bounds), bounds)
        drafts.append(json.loads(msgspec.json.encode(draft)))
    assert drafts[0] == drafts[1]
