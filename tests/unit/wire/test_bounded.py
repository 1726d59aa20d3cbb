"""What is too large is thinned out, keeps its small parts, and is marked."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from catchall.core import limits
from catchall.core.errors import Reason, WireError
from catchall.core.event import Cut, EventDraft
from catchall.wire.bounded import Bounds, shrunk

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=30), inner, max_size=8),
    max_leaves=40,
)


@pytest.fixture
def draft() -> EventDraft:
    return EventDraft(event_id="", project_id=1, received_at=0, protocol="")


@given(VALUES, st.integers(24, 2000))
def test_what_is_shrunk_fits_and_is_json_of_the_same_kind(value, most):
    found = shrunk(value, most)
    assert len(found) <= max(most, len('"…"'.encode()))
    kept = json.loads(found)
    assert type(kept) is type(value) or kept == "…"
    if len(msgspec.json.encode(value) if not _big(value) else json.dumps(value).encode()) <= most:
        assert kept == value


def _big(value) -> bool:
    return any(abs(number) >= 2**63 for number in _numbers(value))


def _numbers(value):
    if isinstance(value, int):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _numbers(one)


def test_small_members_stay_and_the_large_ones_share_the_rest():
    value = {"first": "x" * 5000, "id": 7, "second": "y" * 5000, "name": "order", "third": list(range(5000))}
    kept = json.loads(shrunk(value, 1000))
    assert (kept["id"], kept["name"]) == (7, "order")
    assert list(kept) == list(value)
    assert 200 < len(kept["first"]) < 400 and kept["first"].endswith("…")
    assert kept["third"][:3] == [0, 1, 2] and kept["third"][-1] == "…"


def test_escapes_and_letters_of_many_bytes_are_counted():
    for text in ("\0" * 1000, '"' * 1000, "客" * 1000, "😀" * 1000):
        found = shrunk(text, 100)
        assert 80 < len(found) <= 100
        assert text.startswith(json.loads(found)[:-1])


def test_what_lies_very_deep_is_dropped_not_walked():
    value: object = "x" * 10_000
    for _ in range(200):
        value = {"a": value}
    assert len(shrunk(value, 5000)) < 500


def test_raw_parts(draft):
    bounds = Bounds(draft)
    assert bounds.raw(UNSET, 10, "a") is UNSET
    for nothing in (b"null", b"{}", b"[]", b'""'):
        assert bounds.raw(Raw(nothing), 10, "a") is UNSET
    assert bounds.raw(Raw(b'{"a":1}'), 10, "a") == Raw(b'{"a":1}')
    assert draft.cut == []
    found = bounds.raw(Raw(b'{"a":"%s"}' % (b"x" * 100)), 50, "locals", 3, "a")
    assert found is not UNSET and len(found) <= 50
    assert draft.cut == [Cut(path="locals.3.a", original=108, kept=len(found), unit="bytes")]


def test_what_must_be_an_object_becomes_one(draft):
    bounds = Bounds(draft)
    assert bounds.object(Raw(b'{"a":1}'), 100, "x") == Raw(b'{"a":1}')
    assert bounds.object(Raw(b"[1,2]"), 100, "x") == Raw(b'{"value":[1,2]}')
    assert bounds.object(Raw(b"null"), 100, "x") is UNSET
    large = bounds.object(Raw(b"[" + b"1," * 500 + b"1]"), 100, "x")
    assert large is not UNSET and len(large) <= 100
    assert isinstance(json.loads(bytes(large))["value"], list)


def test_a_part_that_nests_too_deep_is_refused(draft):
    deep = b"[" * 600 + b"]" * 600
    with pytest.raises(WireError) as caught:
        Bounds(draft).raw(Raw(deep), 10_000, "extra_data")
    assert (caught.value.reason, caught.value.detail) == (Reason.JSON_TOO_DEEP, "extra_data")


def test_marks_are_bounded_too(draft):
    bounds = Bounds(draft)
    for number in range(limits.CUT_MARKS_MAX + 50):
        assert bounds.text("x" * 20, 10, "tags", number) == "x" * 10
    assert len(draft.cut) == limits.CUT_MARKS_MAX
    assert draft.cut[0] == Cut(path="tags.0", original=20, kept=10, unit="characters")


def test_parts_of_lists(draft):
    bounds = Bounds(draft)
    values = list(range(10))
    assert bounds.first(values, 3, "tags", "a") == [0, 1, 2]
    assert bounds.last(values, 3, "lines", "b") == [7, 8, 9]
    assert bounds.ends(values, 5, "frames", "c") == [0, 1, 2, 8, 9]
    assert [(cut.path, cut.original, cut.kept, cut.unit) for cut in draft.cut] == [
        ("a", 10, 3, "tags"),
        ("b", 10, 3, "lines"),
        ("c", 10, 5, "frames"),
    ]
    assert bounds.ends(values, 10, "frames", "d") is values
