"""Secrets that are recognizable by the name before them, inside a text: `password=x`, `'token': 'x'`, `<pin>1</pin>`.

The pattern finds a name that holds a secret word, and what joins it to its value; keys.py judges the name as it judges
a JSON key; the value's end is found here by hand, because it depends on how the value is quoted.
"""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from catchall.core.scrub.cookies import cookie_values
from catchall.core.scrub.keys import KeyRules
from catchall.core.scrub.nothing import is_nothing
from catchall.core.scrub.patterns import Pattern
from catchall.core.scrub.terms import LOOSE_RULES

Span = tuple[int, int, str]

NAMED = rb"(?i)([\w.\-\[\]]*(?:%b)[\w.\-\[\]]*)[\\\"'`)\]]*[ \t]*(?:=>|:=|[:=])[ \t]*"
# In raw JSON a quote inside a text is escaped, a blank may be.
NAMED_SCREEN = rb"[\w\-\[\]]*[.]*(?:['`)\] \t]|\\[\\\"t])*[:=]"
ELEMENT = rb"(?i)<([\w:.\-]*(?:%b)[\w:.\-]*)(?:\s[^<>]*)?>([^<>]+)</"
ELEMENT_SCREEN = rb"[\w:.\-]*(?:[ \\](?:[^<>\"\\]|\\.)*)?>(?:[^<>\"\\]|\\.)+<"

_QUOTES = b"\"'`"
_OPENERS = {0x7B: 0x7D, 0x5B: 0x5D, 0x28: 0x29}  # { [ (
_BARE_END = frozenset(b" \t\r\n\x0b\x0c,;&\"'`<>(){}[]|\\")
_SCHEMES = frozenset((b"bearer", b"basic", b"digest", b"token", b"apikey", b"negotiate", b"aws4-hmac-sha256"))
_LIST_SCHEMES = frozenset((b"digest", b"aws4-hmac-sha256"))  # what follows is a list with blanks
_STRICT_RULES = frozenset(
    (
        "password", "secret", "api_key", "private_key", "credentials", "ssn", "card_code", "authorization", "cookie",
        "project",
    )
)  # fmt: skip
_PROSE_DIGITS_MIN = 6  # "token: x": a bare value after a colon that is shorter, or has no digit, is taken for prose
_PROSE_LONG = 20

_COOKIE = "cookie"
_MASK_START = b"[masked:"


def named_spans(data: bytes, pattern: Pattern, rules: KeyRules, *, source: bool) -> Iterator[Span]:
    """Values that a secret name makes secret. `source`: a line of code, where only literals count."""
    done = 0
    for found in pattern.finditer(data):
        start, joint = found.span(1)[1], found.end()
        rule = "" if start < done else _rule_of_name(data, found.start(1), start, rules)
        value = _value(data, joint, rule) if rule else None
        if value is None or _is_harmless(value, data[start:joint], rule, source=source):
            continue
        done = value.end
        if rule == _COOKIE and value.kind is not _Kind.CONTAINER:
            text = data[value.start : value.end].decode("latin-1")
            yield from ((value.start + first, value.start + end, rule) for first, end in cookie_values(text))
        else:
            yield value.start, value.end, rule


def _rule_of_name(data: bytes, start: int, end: int, rules: KeyRules) -> str:
    """The rule for the name in a text; none for the name of a rule in a mask, as in `[masked:ssn]=`."""
    if data.startswith(_MASK_START, start - len(_MASK_START)) and start >= len(_MASK_START):
        return ""
    return rules.rule_of(_last_name(data[start:end].decode("latin-1")))


def _is_harmless(value: "_Value", joint: bytes, rule: str, *, source: bool) -> bool:
    """Whether what follows a secret name is no secret after all."""
    if is_nothing(value.text) or _is_placeholder(value.text):
        return True
    if value.kind is _Kind.BARE:
        return source or _is_prose(joint, value.text, rule)
    return source and value.kind is _Kind.CONTAINER


def element_spans(data: bytes, pattern: Pattern, rules: KeyRules) -> Iterator[Span]:
    """The same for elements of XML and HTML."""
    for found in pattern.finditer(data):
        rule = rules.rule_of(found.group(1).rpartition(b":")[2].decode("latin-1"))
        if rule and not is_nothing(found.group(2).decode("utf-8", "replace")):
            yield *found.span(2), rule


def _last_name(name: str) -> str:
    """In `token.id = 5` the name is `id`."""
    return name.rstrip(".").rpartition(".")[2]


class _Kind(Enum):
    BARE = 0
    QUOTED = 1
    CONTAINER = 2


class _Value(NamedTuple):
    """Where a value stands, and how it is written."""

    start: int
    end: int
    kind: _Kind
    text: str


def _value(data: bytes, at: int, rule: str) -> _Value | None:
    """The value that begins at `at`. None: there is none to mask."""
    if data[at : at + 1] in (b":", b"=", b"<", b"") or data[at : at + 2] == b"//":
        return None  # `Token::new`, `token == x`, `<Session object>`, `token://`
    if data[at : at + 1].isalpha() and data[at + 1 : at + 2] in (b'"', b"'"):
        at += 1  # b'...', u"..."
    first = at
    while data[first : first + 1] == b"\\":
        first += 1
    if data[first : first + 1] and data[first] in _QUOTES:
        return _made(data, first + 1, _quote_end(data, at, first), _Kind.QUOTED)
    if data[at] in _OPENERS:
        if rule in LOOSE_RULES:
            return None  # said before looking for its end: thousands of open brackets would take thousands of looks
        return _made(data, at, _closed(data, at), _Kind.CONTAINER)
    end = _bare_end(data, at)
    if rule == "authorization":
        at, end = _credentials_span(data, at, end)
    elif rule == _COOKIE:
        end = _cookie_end(data, end)
    return _made(data, at, end, _Kind.BARE) if end > at else None


def _made(data: bytes, start: int, end: int, kind: _Kind) -> _Value:
    return _Value(start, end, kind, data[start:end].decode("utf-8", "replace"))


def _quote_end(data: bytes, at: int, quote: int) -> int:
    """The same quote again, escaped in the same way; the end when it is missing."""
    mark = data[at : quote + 1]
    search = quote + 1
    while (end := data.find(mark, search)) >= 0:
        if len(mark) > 1 or data[end - 1 : end] != b"\\":
            return end
        search = end + 1
    return len(data)


def _closed(data: bytes, at: int) -> int:
    """The place behind the bracket that closes the one at `at`; the end when there is none."""
    opener, closer = data[at], _OPENERS[data[at]]
    depth = 0
    for place in range(at, len(data)):
        if data[place] == opener:
            depth += 1
        elif data[place] == closer:
            depth -= 1
            if not depth:
                return place + 1
    return len(data)


def _bare_end(data: bytes, at: int) -> int:
    end = at
    while end < len(data) and data[end] not in _BARE_END:
        end += 1
    while end > at and data[end - 1] in b".:!":  # the sentence's, not the value's
        end -= 1
    return end


def _credentials_span(data: bytes, at: int, end: int) -> tuple[int, int]:
    """`Bearer` stays, its token goes; schemes with a list lose the rest of the line."""
    scheme = data[at:end].lower()
    if scheme not in _SCHEMES or data[end : end + 1] != b" ":
        return at, end
    start = end + 1
    if scheme in _LIST_SCHEMES:
        line = data.find(b"\n", start)
        return start, line if line >= 0 else len(data)
    return start, _bare_end(data, start)


def _cookie_end(data: bytes, end: int) -> int:
    """A cookie header goes on after `; `."""
    while data[end : end + 2] == b"; ":
        following = _bare_end(data, end + 2)
        if following <= end + 2:
            break
        end = following
    return end


def _is_placeholder(value: str) -> bool:
    """`%s`, `$1`, `${TOKEN}`, `{token}`, `:token`, `@token`: where a value would be put, in SQL and formats."""
    if not value:
        return True
    if value[0] == "%":
        return value[1:2] in ("s", "d", "r", "(")
    if value[0] in "$:@":
        name = value[1:].strip("{}()")
        return name.isdigit() or (name.isidentifier() and (value[0] != "$" or name.isupper() or value[1] == "{"))
    return value[0] == "{" and value[1:-1].isidentifier()


def _is_prose(joint: bytes, value: str, rule: str) -> bool:
    """`Invalid token: expired`: after a colon a word is more likely than a secret, unless the name is a strict one."""
    if b"=" in joint or rule in _STRICT_RULES:
        return False
    has_digit = any("0" <= letter <= "9" for letter in value)
    return len(value) < _PROSE_LONG and not (has_digit and len(value) >= _PROSE_DIGITS_MIN)
