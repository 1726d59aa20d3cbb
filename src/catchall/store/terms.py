"""What can be searched for in an event: words and tags. Both event stores mean the same by them because of this file.

A word is what stands between blanks, in lower case, cut at a limit. A tag is a (key, value) pair, matched whole. An
event's words are those of its text and of its stacks.
"""

from collections.abc import Iterable

from catchall.core.limits import SEARCH_TAG_CHARS_MAX, SEARCH_TOKEN_CHARS_MAX, SEARCH_TOKENS_MAX
from catchall.store.base import EventRow

TRACE_TAG = "trace_id"  # always among an event's tags: a trace is looked up like one


def encodable(text: str) -> str:
    """The text as UTF-8 can hold it: half a surrogate pair, which some JSON carries, becomes "?"."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def words_of(text: str) -> list[str]:
    """The words of a text, in their order. A NUL separates words too: an index in C would end there."""
    if "\0" in text:
        text = text.replace("\0", " ")
    words = encodable(text).lower().split()
    if len(words) > SEARCH_TOKENS_MAX:
        del words[SEARCH_TOKENS_MAX:]
    if len(text) > SEARCH_TOKEN_CHARS_MAX and max(map(len, words), default=0) > SEARCH_TOKEN_CHARS_MAX:
        return [word[:SEARCH_TOKEN_CHARS_MAX] for word in words]
    return words


def wanted_words(asked: Iterable[str]) -> list[str]:
    """The words that a filter asks for, each once: an entry with blanks is several words, an empty one none."""
    found: dict[str, None] = {}
    for entry in asked:
        found.update(dict.fromkeys(words_of(entry)))
    return list(found)


def tag_of(key: str, value: str) -> tuple[str, str]:
    """A tag as it is stored and asked for."""
    return encodable(key[:SEARCH_TAG_CHARS_MAX]), encodable(value[:SEARCH_TAG_CHARS_MAX])


def tags_of(row: EventRow) -> list[tuple[str, str]]:
    """The tags of a row and its trace; a pair may occur twice."""
    tags = [tag_of(key, value) for key, value in row.tags]
    if row.trace_id:
        tags.append(tag_of(TRACE_TAG, row.trace_id))
    return tags
