"""What can be searched for in an event: words and tags. Both event stores mean the same by them because of this file.

A row's text is made of words (`core.words`) with blanks between them, and so are its stacks' tokens; what somebody
searches is taken apart in the same way. A tag is a (key, value) pair, matched whole.
"""

from collections.abc import Iterable, Sequence

from catchall.core.limits import SEARCH_TAG_CHARS_MAX
from catchall.core.words import words_of
from catchall.store.base import EventRow

TRACE_TAG = "trace_id"  # always among an event's tags: a trace is looked up like one
_TOKEN_ENDS = ("\0", "\x1c")  # characters that end a token in an index: no word has them, and none may bring them in


def encodable(text: str) -> str:
    """The text as UTF-8 can hold it: half a surrogate pair, which some JSON carries, becomes "?"."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def searchable(text: str) -> str:
    """A row's text, certain to be nothing but words and what stands between them."""
    for end in _TOKEN_ENDS:
        if end in text:
            text = text.replace(end, " ")
    return encodable(text)


def wanted_words(asked: Iterable[str]) -> list[str]:
    """The words that a filter asks for, each once: an entry may hold several, or none."""
    return list(dict.fromkeys(word for entry in asked for word in words_of(entry)))


def tag_of(key: str, value: str) -> tuple[str, str]:
    """A tag as it is stored and asked for."""
    return encodable(key[:SEARCH_TAG_CHARS_MAX]), encodable(value[:SEARCH_TAG_CHARS_MAX])


def tags_of(row: EventRow) -> Sequence[tuple[str, str]]:
    """The tags of a row, as they came, and its trace."""
    if not row.trace_id or (TRACE_TAG, row.trace_id) in row.tags:
        return row.tags
    return [*row.tags, (TRACE_TAG, row.trace_id)]
