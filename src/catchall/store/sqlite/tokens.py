"""Events as tokens of one FTS5 index, and filters as MATCH expressions over them.

Everything that can be asked for by equality is a token: words, tags, project, issue, severity, environment, release,
user and the stacks of an event. So a filter is one AND over lists of row numbers, and no other index is needed. A token
is KIND, project, FIELD, text: it carries its project, so nothing of one project is ever found or counted in another.

The index's `ascii` tokenizer folds A-Z and takes every other character but the separator for part of a token. The text
of a tag survives that: capitals are written as the control characters 01-1A, and real control characters, which
hardly any text has, as ESCAPE and a letter. Both ways are exact.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from catchall.core.limits import COLUMN_TOKENS_CACHED_MAX, SEARCH_TAG_CHARS_MAX
from catchall.store.base import EventFilter, EventRow
from catchall.store.terms import TRACE_TAG, encodable, searchable, tag_of, wanted_words

StacksOf = Callable[[int, str], Iterable[bytes]]
"""Digests of the stacks of a project in which a word occurs."""

SEPARATOR = "\x1c"  # between tokens: the only character that the tokenizer takes for a blank (and NUL)
FIELD = "\x1d"  # between the parts of a token
_AFTER_FIELD = "\x1e"  # sorts directly after FIELD: the end of a range of tokens
_ESCAPE = "\x1b"

_CAPITALS = bytes(range(0x41, 0x5B))
_STAND_INS = bytes(range(0x01, 0x1B))
_HIDE = bytes.maketrans(_CAPITALS, _STAND_INS)
_SHOW = str.maketrans(_STAND_INS.decode(), _CAPITALS.decode())
_CONTROLS = bytes(range(0x20))
_LETTERS = "abcdefghijklmnopqrstuvwxyz012345"
_ESCAPES = {control: _ESCAPE + letter for control, letter in zip(range(0x20), _LETTERS, strict=True)}
_UNESCAPED = {letter: chr(control) for control, letter in zip(range(0x20), _LETTERS, strict=True)}

TOKEN_CHARACTERS = "".join(chr(code) for code in range(1, 128) if not chr(code).isalnum() and chr(code) != SEPARATOR)


def event_document(row: EventRow, tags: str) -> str:
    """All tokens of an event, ready for the index. `tags`: what `tag_text` made of the event's tags."""
    project = row.project_id
    parts = [f"i{row.issue_id:x}", _column_tokens(project, row.severity, row.environment, row.release_version)]
    if row.user_id:
        parts.append(f"u{project}{FIELD}{_hidden(row.user_id)}")
    parts.extend([stack_token(project, stack.digest) for stack in row.stacks])
    parts.append(_words(f"w{project}{FIELD}", row.text))
    if tags:
        prefix = f"t{project}{FIELD}"
        parts.append(prefix + tags.encode().translate(_HIDE).decode().replace(SEPARATOR, SEPARATOR + prefix))
    return SEPARATOR.join(parts)


@lru_cache(COLUMN_TOKENS_CACHED_MAX)
def _column_tokens(project: int, severity: int, environment: str, release: str) -> str:
    """Tokens of columns of which there are few different ones."""
    parts = [f"p{project}", f"v{project}{FIELD}{severity}"]
    parts.extend(
        [f"{kind}{project}{FIELD}{_hidden(text)}" for kind, text in (("e", environment), ("r", release)) if text]
    )
    return SEPARATOR.join(parts)


def stack_document(project: int, text: str) -> str:
    """The tokens under which a stack is found."""
    return _words(f"f{project}{FIELD}", text)


def stack_token(project: int, digest: bytes) -> str:
    """The token of an event that says it has this stack."""
    return f"s{project}{FIELD}{digest.hex()}"


def _words(prefix: str, text: str) -> str:
    return prefix + searchable(text).replace(" ", SEPARATOR + prefix)


def tag_text(tags: Sequence[tuple[str, str]]) -> tuple[str, Sequence[tuple[str, str]]]:
    """Tags as one text, from which `tags_in` reads them again; and the tags themselves, as they are stored."""
    pairs = list(map(FIELD.join, tags))
    text = SEPARATOR.join(pairs)
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        encoded = b""
    controls = len(encoded) - len(encoded.translate(None, _CONTROLS))
    if controls == max(0, 2 * len(pairs) - 1) and max(map(len, pairs), default=0) <= SEARCH_TAG_CHARS_MAX:
        return text, tags
    exact = [tag_of(key, value) for key, value in tags]
    return SEPARATOR.join([f"{_escaped(key)}{FIELD}{_escaped(value)}" for key, value in exact]), exact


def tags_in(text: str) -> list[tuple[str, str]]:
    """The tags that `tag_text` made a text of."""
    found = []
    for pair in text.split(SEPARATOR) if text else []:
        key, _, value = pair.partition(FIELD)
        found.append((_unescaped(key), _unescaped(value)) if _ESCAPE in pair else (key, value))
    return found


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _unescaped(text: str) -> str:
    first, *escaped = text.split(_ESCAPE)
    return first + "".join([_UNESCAPED[part[0]] + part[1:] for part in escaped])


def _hidden(text: str) -> str:
    """A text as it stands in a token."""
    if not text.isprintable():
        text = _escaped(encodable(text))
    return text.encode().translate(_HIDE).decode()


def shown(text: str) -> str:
    """The text that stands in a token: the way back."""
    text = text.translate(_SHOW)
    return _unescaped(text) if _ESCAPE in text else text


def tag_range(project: int, key: str) -> tuple[str, str]:
    """The first token of a tag, and the end of its range. What follows the first one's length is the value."""
    start = f"t{project}{FIELD}{_hidden(tag_of(key, '')[0])}"
    return start + FIELD, start + _AFTER_FIELD


def stack_query(project: int, word: str) -> str:
    """The MATCH expression that finds the stacks with a word."""
    return _quoted(f"f{project}{FIELD}{word}")


def text_query(projects: Sequence[int], word: str) -> str:
    """The MATCH expression that finds the events of projects whose own text has a word, whatever their stacks say."""
    return _any([f"w{project}{FIELD}{word}" for project in projects])


def event_query(where: EventFilter, projects: Sequence[int], stacks_of: StacksOf) -> str | None:
    """The MATCH expression for all of a filter but its times; None when it lets every event pass.

    `projects`: those of the shard that the filter allows, at least one.
    """
    needed: list[str] = []
    if where.project_id is not None:
        needed.append(_quoted(f"p{where.project_id}"))
    if where.issue_id is not None:
        needed.append(_quoted(f"i{where.issue_id:x}"))
    needed.extend(_any(choices) for choices in _choices(where, projects, stacks_of))
    return " AND ".join(needed) if needed else None


def _quoted(token: str) -> str:
    """A token as a string of the MATCH language, which knows no other escape: https://www.sqlite.org/fts5.html#fts5_strings"""
    return '"' + token.replace('"', '""') + '"'


def _any(tokens: Sequence[str]) -> str:
    return "(" + " OR ".join(map(_quoted, tokens)) + ")"


def _choices(where: EventFilter, projects: Sequence[int], stacks_of: StacksOf) -> Iterator[list[str]]:
    """For each condition the tokens of which one must be there: one for each project, and the stacks for a word."""
    if where.severity is not None:
        yield [f"v{project}{FIELD}{where.severity}" for project in projects]
    for kind, text in (("e", where.environment), ("r", where.release_version), ("u", where.user_id)):
        if text:
            yield [f"{kind}{project}{FIELD}{_hidden(text)}" for project in projects]
    tags = [tag_of(key, value) for key, value in where.tags]
    if where.trace_id:
        tags.append(tag_of(TRACE_TAG, where.trace_id))
    for key, value in tags:
        yield [tag_range(project, key)[0] + _hidden(value) for project in projects]
    for word in wanted_words(where.words):
        tokens = [f"w{project}{FIELD}{word}" for project in projects]
        for project in projects:
            tokens.extend(stack_token(project, digest) for digest in stacks_of(project, word))
        yield tokens
