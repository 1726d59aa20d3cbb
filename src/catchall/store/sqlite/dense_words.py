"""Words in so many stacks that asking the index for all of these stacks takes longer than looking at the newest events.

A word in stacks is asked for as OR over the tokens of the stacks that have it (`tokens.py`). Each token is looked up
by itself, 37 us: for a word like "django", which 3,000 stacks have, 116 ms whatever the list's length. But many events
have such a word, so a page of them is found sooner by reading the newest events that match all the rest (25 us each)
and seeing which of them name one of the stacks. Where that finds too few, the index is asked after all.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Raw, structs

from catchall.core.codec import StackReference
from catchall.core.limits import DENSE_CANDIDATES, DENSE_SHARE_MIN, DENSE_STACKS_MIN
from catchall.store.base import EventFilter
from catchall.store.sqlite import selection
from catchall.store.sqlite.payloads import packed_body
from catchall.store.sqlite.selection import Bounds
from catchall.store.sqlite.shard_reader import EventRecord, ShardReader
from catchall.store.sqlite.tokens import StacksOf, text_query
from catchall.store.terms import wanted_words

StackKey = tuple[int, bytes]
"""Project and digest."""


class _StacksOfEvent(msgspec.Struct, array_like=True):
    """`codec.StoredEvent` without taking the event itself apart."""

    event: Raw
    stacks: list[StackReference]


_stacks_of_event: Callable[[bytes], _StacksOfEvent] = msgspec.json.Decoder(_StacksOfEvent).decode


class _DenseWord(NamedTuple):
    """A word: the stacks that have it, and the expression that finds the texts that have it."""

    stacks: frozenset[StackKey]
    texts: str


class Found(NamedTuple):
    """Some matching rows, newest first. `below`: everything from this row number on has been looked at."""

    records: list[EventRecord]
    below: int | None


def newest(reader: ShardReader, where: EventFilter, below: int | None, stacks_of: StacksOf) -> Iterator[Found]:
    """Matching rows of one shard for as long as they are found fast; nothing for a filter without dense words.

    The last `Found` says where the index must go on; its `below` is 0 when nothing is left.
    """
    words = wanted_words(where.words)
    dense = _dense(selection.projects_of(reader, where), words, stacks_of) if words else {}
    if not dense:
        return
    rest = structs.replace(where, words=tuple(word for word in words if word not in dense))
    chosen = selection.select(reader, rest)
    while chosen is not None:
        candidates = selection.records(reader, chosen, Bounds(DENSE_CANDIDATES, below=below))
        matching = _matching(reader, candidates, list(dense.values()))
        done = len(candidates) < DENSE_CANDIDATES
        below = 0 if done else candidates[-1].id
        yield Found(matching, below)
        if done or len(matching) < DENSE_CANDIDATES * DENSE_SHARE_MIN:
            return


def _dense(projects: Sequence[int], words: Sequence[str], stacks_of: StacksOf) -> dict[str, _DenseWord]:
    found = {}
    for word in words:
        stacks = frozenset((project, digest) for project in projects for digest in stacks_of(project, word))
        if len(stacks) >= DENSE_STACKS_MIN:
            found[word] = _DenseWord(stacks, text_query(projects, word))
    return found


def _matching(reader: ShardReader, candidates: Sequence[EventRecord], words: Sequence[_DenseWord]) -> list[EventRecord]:
    if not candidates:
        return []
    newest_id, oldest_id = candidates[0].id, candidates[-1].id
    in_text = [selection.numbers(reader, word.texts, oldest_id, newest_id) for word in words]
    found = []
    for record in candidates:
        missing = [word for word, numbers in zip(words, in_text, strict=True) if record.id not in numbers]
        if missing:
            body = _stacks_of_event(packed_body(reader.packed(record)))
            stacks = {(record.project, bytes.fromhex(reference.digest)) for reference in body.stacks}
            if any(word.stacks.isdisjoint(stacks) for word in missing):
                continue
        found.append(record)
    return found
