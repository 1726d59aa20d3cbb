"""The screen finds whatever the walk finds, however JSON is written: the promise that makes scrubbing cheap."""

import json
import string

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from catchall.core.scrub import scrubber
from catchall.core.scrub.walk import Marks

NAMES = ("kunden-nr",)
RULES = scrubber(NAMES)

SECRET_KEYS = [
    "password", "userPassword", "PASSWD", "pass_phrase", "dbPwd", "smtp_pass", "client_secret", "api-key", "apiKey",
    "X-Api-Key", "private_key", "csrfmiddlewaretoken", "XSRF-TOKEN", "sessionid", "userSession", "JSESSIONID", "auth",
    "Authorization", "accessToken", "HTTPToken", "token2", "jwt", "cookies", "Set-Cookie", "card", "creditCardNumber",
    "cc", "cvv", "otp", "ssn", "mySSN", "IBAN", "connect.sid", "session.id", "kundenNr", "x_kunden_nr_alt", "pin",
    'odd"token', "token \\", "secret\tkey", "\ncard", "é.pass", "ключ_token", "user[password]", "credentials",
]  # fmt: skip
SECRET_TEXTS = [
    "jane.doe@example.com", "josé@müller.de", "jane%40example.com", "4111 1111 1111 1111", "4111-1111-1111-1111",
    "378282246310005", "078-05-1120", "DE89370400440532013000", "GB82 WEST 1234 5698 7654 32",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "Bearer abcdef0123456789", "Basic dXNlcjpwYXNzd29yZA==",
    "https://user:hunter2@host/x", "redis://:hunter2@cache:6379/0", "AKIAJMFBHWBGZT3MHB64",
    "ghp_kklW7XDrFRo5OAy3KTJ76hXW6B3QfqNHrZvu", "sk_live_faF0jIg5LzYIx0lK4mQrsg2g",
    "xoxb-260328734871-660722982801-A09nhAjUWsfR4my7Na8ukOVp",
    "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
    "password=hunter2", "{'password': 'hunter2'}", '{"token":"abc"}', '{\\"token\\":\\"abc\\"}', "?api_key=zz9&x=1",
    "user[password]=hunter2", "Authorization: Bearer abcdef01", "Cookie: sid=abc123; theme=dark", "PIN=1234",
    "<password>hunter2</password>", "<ns:apiKey id='1'>hunter2</ns:apiKey>", "userToken=abc",
    "kunden_nr=77", "pass:\thunter2",
    "https://hooks.slack.com/services/T000/B000/abcdefghijkl",
]  # fmt: skip
AROUND = [
    "",
    " ",
    "é",
    "日本",
    "\n",
    "\t",
    "x=",
    "(",
    "“",
    "0.",
    ".",
    "order ",
    "\\",
    '"',
    "-",
    "&",
    "\U0001f600",
    "<",
    "=>",
]

plain_keys = st.text(string.ascii_letters + string.digits + '_-. é\t"\\', max_size=12)
keys = st.one_of(plain_keys, st.sampled_from(SECRET_KEYS), st.sampled_from(SECRET_TEXTS))
planted = st.builds("".join, st.tuples(st.sampled_from(AROUND), st.sampled_from(SECRET_TEXTS), st.sampled_from(AROUND)))
texts = st.one_of(
    st.text(max_size=20), planted, st.sampled_from(SECRET_TEXTS), st.sampled_from(["None", "[Filtered]", "***"])
)
leaves = st.one_of(texts, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False))


def nested(names: st.SearchStrategy[str]) -> st.SearchStrategy[object]:
    """JSON values of any shape with these keys."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
        max_leaves=8,
    )


values = nested(keys)


def _escape(text: str, choices: "list[int]") -> str:
    """A JSON string in which each character is written in one of the ways that JSON allows."""
    written = []
    for at, letter in enumerate(text):
        way = choices[at % len(choices)] if choices else 0
        if letter == "/" and way == 1:
            written.append("\\/")
        elif way == 2 and ord(letter) < 0x10000:
            written.append(f"\\u{ord(letter):04x}")
        elif way == 3:
            written.append(json.dumps(letter)[1:-1])
        else:
            written.append(json.dumps(letter, ensure_ascii=False)[1:-1])
    return f'"{"".join(written)}"'


def _write(value: object, choices: "list[int]", blanks: str) -> str:
    """A value as JSON, strings spelled in the given ways and blanks around the signs."""
    if isinstance(value, str):
        return _escape(value, choices)
    if isinstance(value, dict):
        inside = f"{blanks},{blanks}".join(
            f"{_escape(key, choices)}{blanks}:{blanks}{_write(item, choices, blanks)}" for key, item in value.items()
        )
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{f'{blanks},'.join(_write(item, choices, blanks) for item in value)}]"
    return json.dumps(value)


ways = st.one_of(st.just([0]), st.just([3]), st.lists(st.sampled_from([0, 0, 0, 0, 1, 2, 3]), min_size=1, max_size=12))


@given(values, ways, st.sampled_from(["", " ", "\n  "]))
def test_what_the_walk_masks_the_screen_hits(value, choices, blanks):
    raw = _write(value, choices, blanks).encode("utf-8", "surrogatepass")
    marks = Marks()
    walked = RULES.walk.json(raw, "x", marks)
    if marks.counts:
        assert RULES.screen.hits(raw), raw
    keys_only = RULES.walk.json(raw, "x", Marks(), texts=False)
    if not RULES.screen.hits_texts(raw):
        assert keys_only == walked, raw


@given(values)
def test_the_same_for_json_that_we_write_ourselves(value):
    raw = msgspec.json.encode(json.loads(json.dumps(value).encode()))
    marks = Marks()
    RULES.walk.json(raw, "x", marks)
    assert RULES.screen.hits(raw) or not marks.counts


@given(nested(st.one_of(plain_keys, st.sampled_from(SECRET_KEYS))))  # a masked key has the rule's name in it
def test_masking_twice_changes_nothing_more(value):
    once = RULES.walk.json(_write(value, [0], "").encode("utf-8", "surrogatepass"), "x", Marks())
    marks = Marks()
    assert json.loads(RULES.walk.json(once, "x", marks)) == json.loads(once), marks.counts


@given(st.lists(values, min_size=1, max_size=6))
def test_parts_are_found_by_the_places_of_hits(found):
    parts = [_write([value], [0], "").encode("utf-8", "surrogatepass") for value in found]
    expected = [index for index, part in enumerate(parts) if RULES.screen.hits(part)]
    assert RULES.screen.dirty(b"\n".join(parts), parts) == expected


def test_clean_text_of_programs_is_not_hit():
    clean = [
        {"account": "company", "shipping": "inside", "author": "x", "compass": 1},
        {"message": "SELECT token.id, token.session FROM tokens WHERE token.id = 5"},
        {
            "lib": "@types/node@20.1.0",
            "elapsed": 0.4111111111111111,
            "at": 1732400000000,
            "uuid": "a9aa061d-3048-48b5-afcf-88570816a998",
        },
        {"url": "https://cdn.example.com/assets/main-6e931e3ac66a9b97809c299ca6d548df.js:154:24", "v": "5.8.9.11"},
    ]
    assert [value for value in clean if RULES.screen.hits(json.dumps(value).encode())] == []
