"""The first, small search form: `word word field:value`; every term must match.

A value may be quoted (`release:"shop 1.2"`). Known fields are those of the event model; any other is a tag.
"""

import shlex

import msgspec

from catchall.core import limits
from catchall.core.errors import CatchallError

FIELDS = ("environment", "release", "severity", "user", "trace", "issue", "state")
_ALIASES = {"release_version": "release", "user_id": "user", "trace_id": "trace", "issue_id": "issue", "is": "state"}


class QueryError(CatchallError):
    """The search text cannot be understood; the message says where."""


class Terms(msgspec.Struct, kw_only=True, frozen=True):
    """A search text taken apart: known fields, tags, and words of the text (lower case)."""

    fields: dict[str, str]
    tags: tuple[tuple[str, str], ...]
    words: tuple[str, ...]


def parse_terms(text: str) -> Terms:
    """Take a search text apart. Raises QueryError for an open quote or a text beyond the limit."""
    if len(text) > limits.QUERY_CHARS_MAX:
        raise QueryError(f"the search has {len(text)} characters; {limits.QUERY_CHARS_MAX} are the most")
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise QueryError(f"the search ends inside a quote: {error}") from error
    fields: dict[str, str] = {}
    tags: list[tuple[str, str]] = []
    words: list[str] = []
    for part in parts:
        name, colon, value = part.partition(":")
        name = _ALIASES.get(name, name)
        if not colon or not name or not value or value.startswith("//"):
            words.append(part.lower())
        elif name in FIELDS:
            fields[name] = value
        else:
            tags.append((name, value))
    return Terms(fields=fields, tags=tuple(tags), words=tuple(words))
