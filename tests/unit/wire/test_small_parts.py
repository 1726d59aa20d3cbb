"""Times, ids and values of the wrong type."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchall.core.client_times import microseconds, timestamp_text
from catchall.core.times import rfc3339
from catchall.wire.coerce import boolean, integer, listing, mapping, text
from catchall.wire.ids import event_id_of

NOON = 1_795_462_558_462_954
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (1795462558.462954, NOON),
        (1795462558, 1_795_462_558_000_000),
        (1795462558462, 1_795_462_558_462_000),  # milliseconds
        (1795462558462954, NOON),  # microseconds
        ("1795462558.462954", NOON),
        ("2026-11-23T19:35:58.462954Z", NOON),
        ("2026-11-23T20:35:58.462954+01:00", NOON),
        ("2026-11-23T19:35:58.462954", NOON),
        ("2026-11-23 19:35:58.462954", NOON),
        (" 2026-11-23T19:35:58.462954123Z ", NOON),  # Go and Java write nanoseconds
        ("2026-11-23", 1_795_392_000_000_000),
        (0, 0),
        (True, None),
        (None, None),
        ([], None),
        ("", None),
        ("yesterday", None),
        (-1, None),
        (float("nan"), None),
        (float("inf"), None),
        (1e300, None),
        ("1969-12-31T23:59:59Z", None),
        ("9999-12-31T23:59:59-10:00", None),
        ("9" * 400, None),
    ],
)
def test_times_of_all_forms(value, found):
    assert microseconds(value) == found
    assert timestamp_text(value) == ("" if found is None else rfc3339(found))


@given(JSON | st.text() | st.floats() | st.integers())
def test_any_value_is_a_time_that_can_be_printed_or_none(value):
    found = microseconds(value)
    assert found is None or rfc3339(found).endswith("Z")
    assert (timestamp_text(value) == "") == (found is None)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("ABCDEF0123456789abcdef0123456789", "abcdef0123456789abcdef0123456789"),
        ("abcdef01-2345-6789-abcd-ef0123456789", "abcdef0123456789abcdef0123456789"),
        ("0" * 32, ""),
        ("g" * 32, ""),
        ("ab " * 10 + "ab", ""),
        ("abc", ""),
        ("", ""),
        (None, ""),
        (7, ""),
        ("ab" * 17, ""),
        ("٣" * 32, ""),
    ],
)
def test_event_ids(value, found):
    assert event_id_of(value) == found


@given(JSON)
def test_any_value_has_a_text_a_number_and_a_truth(value):
    assert isinstance(text(value), str)
    number = integer(value)
    assert number is None or 0 <= number <= 2**53
    assert boolean(value) in {True, False, None}
    assert all(isinstance(key, str) for key in mapping(value))
    assert isinstance(listing(value), list)


def test_texts():
    assert [text(one) for one in ("a", None, True, False, 3, 1.5)] == ["a", "", "true", "false", "3", "1.5"]
    assert json.loads(text({"a": [1]})) == {"a": [1]}


def test_numbers():
    assert [integer(one) for one in (3, "12", " 7 ", 4.0, 4.9)] == [3, 12, 7, 4, 4]
    odd: list[object] = [-1, "-1", "x", None, True, [], 1e300, "9" * 20, "²"]
    assert [integer(one) for one in odd] == [None] * 9


def test_truths():
    assert [boolean(one) for one in (True, 1, "true", "YES", "1")] == [True] * 5
    assert [boolean(one) for one in (False, 0, "false", "No", "0")] == [False] * 5
    odd: list[object] = [None, "maybe", []]
    assert [boolean(one) for one in odd] == [None] * 3


def test_objects_and_lists():
    assert mapping([["a", 1], ["b", 2], "c", ["d"]]) == {"a": 1, "b": 2}
    assert mapping([{"key": "a", "value": 1}, {"other": 2}]) == {"a": 1}
    assert mapping("a") == mapping(None) == {}
    assert listing({"values": [1]}) == listing([1]) == [1]
    assert listing({"type": "E"}) == [{"type": "E"}]
    assert listing({"values": None}) == listing({}) == listing(None) == listing("a") == []
