"""JSON as clients write it becomes JSON that everything behind can rely on."""

import contextlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchall.core import limits
from catchall.core.errors import Reason, WireError
from catchall.wire.json_text import encode, loads, plain, too_deep

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=20,
)


def refused(data: bytes) -> Reason:
    with pytest.raises(WireError) as caught:
        loads(data)
    return caught.value.reason


@given(VALUES)
def test_what_is_json_is_read_as_it_is(value):
    assert loads(json.dumps(value).encode()) == value
    assert loads(plain(json.dumps(value).encode())) == value


def escaped(text: str, which: list[bool]) -> str:
    """The text as a JSON string in which the chosen characters are written as escapes."""
    quoted = []
    for index, char in enumerate(text):
        if char == "/" and which[index % len(which)]:
            quoted.append("\\/")
        elif which[index % len(which)]:
            quoted.append("".join(f"\\u{unit:04x}" for unit in _units(char)))
        else:
            quoted.append(json.dumps(char, ensure_ascii=False)[1:-1])
    return f'"{"".join(quoted)}"'


def _units(char: str) -> list[int]:
    data = char.encode("utf-16-be")
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


@given(st.text(max_size=50), st.lists(st.booleans(), min_size=1, max_size=7))
def test_plain_text_shows_every_printable_character(text, which):
    body = b'{"key":%s}' % escaped(text, which).encode()
    found = plain(body)
    assert msgspec.json.decode(found) == {"key": text}
    for char in text:
        if char.isascii() and char.isprintable() and char not in '"\\':
            assert char.encode() in found


def test_what_is_plain_is_not_even_copied():
    body = '{"a":"\\"quoted\\"\\n caf\u00e9"}'.encode()
    assert plain(body) is body


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a":NaN,"b":Infinity,"c":-Infinity}', {"a": None, "b": None, "c": None}),
        (b'{"a":1e999,"b":-1e999,"c":1e5}', {"a": None, "b": None, "c": 100000.0}),
        (b'{"a":' + b"9" * 5000 + b"}", {"a": None}),
        (b'{"a":123456789012345678901234567890}', {"a": 123456789012345678901234567890}),
        (b'{"a":"tab\there\nand there"}', {"a": "tab\there\nand there"}),
        (rb'{"a":"half \ud800 and \udc00!"}', {"a": "half \ufffd and \ufffd!"}),
        (rb'{"a":"\ud83d\ude00","b":NaN}', {"a": "\U0001f600", "b": None}),
        (rb'{"a":"nul \u0000 stays"}', {"a": "nul \0 stays"}),
        (b'{"a":"raw \0 nul"}\0\0', {"a": "raw \ufffd nul"}),
    ],
)
def test_odd_json_is_read_too(body, value):
    assert loads(body) == value


def test_other_encodings_than_utf_8_are_replaced_letter_by_letter():
    assert plain(b'{"a":"caf\xe9"}') == '{"a":"caf\ufffd"}'.encode()
    assert plain(b'\xef\xbb\xbf{"a":"\xc3\xa9"}') == '{"a":"\u00e9"}'.encode()


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":}', b"nothing", b'{"a":1}{"b":2}', b'{"a":"\\x41"}', b"\0\0"])
def test_what_is_no_json_says_so(body):
    assert refused(body) is Reason.JSON_MALFORMED


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'], ids=["lists", "objects", "both"])
@pytest.mark.parametrize("closing", [b"", b"1" + b"]}" * 10_000], ids=["cut off", "closed"])
def test_what_nests_too_deep_says_so(opening, closing):
    assert refused(opening * 10_000 + closing) is Reason.JSON_TOO_DEEP


def test_depth_is_exact():
    most = limits.JSON_DEPTH_MAX
    assert not too_deep(b"[" * most + b"1" * 600 + b"]" * most)
    assert too_deep(b"[" * (most + 1) + b"1" * 600 + b"]" * (most + 1))
    assert too_deep(b'{"key":' * (most + 1) + b"1" + b"}" * (most + 1))
    assert not too_deep(b"[" + b"[1]," * 2000 + b"2]")


def test_numbers_beyond_64_bits_are_written():
    assert encode({"a": [2**80]}) == b'{"a":[%d]}' % 2**80


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    with contextlib.suppress(WireError):
        json.loads(encode(loads(plain(data))))
