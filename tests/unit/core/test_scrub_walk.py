"""Masking inside JSON: by the name of a value, by its shape, at any depth, and with a path that leaks nothing."""

import json

import pytest

from catchall.core import limits
from catchall.core.scrub import scrubber
from catchall.core.scrub.walk import Marks

WALK = scrubber().walk


def walked(value: object, *, texts: bool = True) -> tuple[object, dict[tuple[str, str], int]]:
    marks = Marks()
    return json.loads(WALK.json(json.dumps(value).encode(), "extra_data", marks, texts=texts)), marks.counts


def test_values_are_masked_by_their_names():
    value, marks = walked({"user": {"password": "x1", "name": "jo", "tokens": [1, 2]}, "n": 1})
    assert value == {"user": {"password": "[masked:password]", "name": "jo", "tokens": "[masked:token]"}, "n": 1}
    assert marks == {("password", "extra_data.user.password"): 1, ("token", "extra_data.user.tokens"): 1}


@pytest.mark.parametrize("empty", [None, True, False, "", "None", "null", "[Filtered]", "***", "'***'", [], {}])
def test_what_says_nothing_stays(empty):
    assert walked({"password": empty}) == ({"password": empty}, {})


@pytest.mark.parametrize("secret", ["x1", 0, 17, 1.5, ["a"], {"a": "b"}])
def test_anything_else_under_a_secret_name_goes(secret):
    assert walked({"password": secret})[0] == {"password": "[masked:password]"}


def test_cards_and_sessions_are_looked_into():
    value, _ = walked(
        {
            "card": {"number": 4111111111111111, "exp": "12/27", "brand": "visa"},
            "session": {"id": "abc", "cart": [1, {"mail": "a@b.de"}], "user_id": 3},
            "sessions": ["x"],
        }
    )
    assert value == {
        "card": {"number": "[masked:card]", "exp": "12/27", "brand": "visa"},
        "session": {"id": "[masked:session]", "cart": [1, {"mail": "[masked:email]"}], "user_id": 3},
        "sessions": ["x"],
    }


def test_cookies_keep_their_names():
    value, marks = walked({"Cookie": "sid=abc123; theme=dark; n=12"})
    assert value == {"Cookie": "sid=[masked:cookie]; theme=dark; n=12"}
    assert marks == {("cookie", "extra_data.Cookie"): 1}
    assert walked({"Set-Cookie": "sid=abc123; Path=/; HttpOnly; Max-Age=86400"})[0] == {
        "Set-Cookie": "sid=[masked:cookie]; Path=/; HttpOnly; Max-Age=86400"
    }
    assert walked({"cookie": "loose"})[0] == {"cookie": "[masked:cookie]"}


def test_a_key_that_is_a_secret_is_masked_and_does_not_stand_in_paths():
    value, marks = walked({"jane@example.com": {"password": "x1"}, "joe@example.com": 2, "n": 3})
    assert value == {"[masked:email]": {"password": "[masked:password]"}, "[masked:email] 2": 2, "n": 3}
    assert ("password", "extra_data.[masked:email].password") in marks
    assert "example" not in str(marks)


def test_numbers_stay_as_they_are():
    value = {"elapsed": 0.4111111111111111, "order": 4111111111111111, "at": 1732400000000, "big": 10**30}
    assert walked(value) == (value, {})


def test_identifiers_stay_as_they_are():
    value = {"order_id": "4111111111111111", "requestUUID": "4111111111111111", "commit": "4111111111111111"}
    assert walked(value) == (value, {})
    assert walked({"note": "4111111111111111"})[0] == {"note": "[masked:card]"}


def test_without_texts_only_names_count():
    value, _ = walked({"note": "a@b.de", "deep": [{"password": "x1"}]}, texts=False)
    assert value == {"note": "a@b.de", "deep": [{"password": "[masked:password]"}]}


def test_what_is_too_deep_is_masked_whole():
    deep = b'{"a":' * (limits.SCRUB_DEPTH_MAX + 1) + b'"x1"' + b"}" * (limits.SCRUB_DEPTH_MAX + 1)
    marks = Marks()
    assert b"[masked:too_deep]" in WALK.json(deep, "x", marks)
    assert WALK.json(b"[" * 100_000 + b"]" * 100_000, "x", marks) == b'"[masked:too_deep]"'


@pytest.mark.parametrize(
    ("raw", "masked"),
    [
        (b'{"a":"\\ud83d x","password":"y1"}', b'{"a":"? x","password":"[masked:password]"}'),
        (b'{"a":"\xff","password":"y1"}', '{"a":"\ufffd","password":"[masked:password]"}'.encode()),
        (b'{"a":1e400,"password":"y1"}', b'{"a":"1e400","password":"[masked:password]"}'),
        (b'{"a":', b'"[masked:unreadable]"'),
        (b"", b'"[masked:unreadable]"'),
    ],
)
def test_odd_json_is_read_or_masked_whole(raw, masked):
    assert WALK.json(raw, "x", Marks()) == masked


def test_marks_have_a_limit():
    value, marks = walked({f"k{number}": {"password": "x1"} for number in range(limits.SCRUBBED_MARKS_MAX + 50)})
    assert len(marks) == limits.SCRUBBED_MARKS_MAX + 1
    assert marks["password", ""] == 50
    assert sum(marks.values()) == limits.SCRUBBED_MARKS_MAX + 50
    assert "x1" not in json.dumps(value)


def test_many_keys_that_become_the_same_take_linear_time():
    value, _ = walked({f"user{number}@example.com": number for number in range(5_000)})
    assert isinstance(value, dict)
    assert len(value) == 5_000
