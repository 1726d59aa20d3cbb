"""Making a compression dictionary out of stored events without keeping anybody's data in it.

A dictionary holds literal pieces of what it was trained on, outlives the events, and is not erased with them. So the
events are masked first: of every string, key or value, only the beginning stays that many users (or, where there are
no users, many events of several issues) have in common; numbers become 0. What one user alone was seen with is gone
before the trainer sees it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
import zstandard

from catchall.core.limits import (
    DICTIONARY_ANONYMOUS_MIN,
    DICTIONARY_BYTES,
    DICTIONARY_STRING_CHARS_MAX,
    DICTIONARY_USERS_MIN,
)
from catchall.store.sqlite.dictionary import LEVEL
from catchall.store.sqlite.payloads import pack, packed_body, packed_tags
from catchall.store.sqlite.tokens import tag_text, tags_in

_DEPTH_MAX = 64
_ISSUES_MIN = 2
_SEGMENT_BYTES = 2048  # the trainer's k and d: found by trying; its own search takes 20 times as long
_MATCH_BYTES = 8
_GAIN_MIN = 0.05  # a new dictionary must save so much, or the old one goes on

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Sample(NamedTuple):
    """A stored event's packed payload; `user`: empty for none."""

    packed: bytes
    user: str
    issue: int


def train(samples: Sequence[Sample]) -> bytes | None:
    """A dictionary for payloads like these; None when they are too few or too unlike each other."""
    try:
        made = zstandard.train_dictionary(
            DICTIONARY_BYTES, [*mask(samples)], k=_SEGMENT_BYTES, d=_MATCH_BYTES, level=LEVEL
        )
    except zstandard.ZstdError:
        return None
    return made.as_bytes()


def is_better(new: bytes, old: zstandard.ZstdCompressionDict | None, samples: Sequence[Sample]) -> bool:
    """Does the new dictionary make these payloads clearly smaller than the old one, or none, does?"""
    sizes = []
    for dictionary in (zstandard.ZstdCompressionDict(new), old):
        compressor = zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary)
        sizes.append(sum(len(compressor.compress(sample.packed)) for sample in samples))
    return sizes[0] < sizes[1] * (1 - _GAIN_MIN)


def mask(samples: Sequence[Sample]) -> list[bytes]:
    """The payloads with nothing left in them but what many share."""
    documents: list[Any] = []
    owners: list[int] = []
    texts: list[str] = []
    for number, sample in enumerate(samples):
        try:
            document = [tags_in(packed_tags(sample.packed)), _decode(packed_body(sample.packed))]
        except (msgspec.DecodeError, RecursionError):
            continue  # a body that nests too deeply to be read without a model: nothing to learn from
        found = _Strings()
        documents.append(_rebuilt(document, found.take, 0))
        owners.extend([number] * len(found.texts))
        texts.extend(found.texts)
    kept = _shared_beginnings(texts, [samples[owner] for owner in owners])
    masked = []
    for document in documents:
        tags, body = _rebuilt(document, lambda _: next(kept), 0)
        masked.append(pack(tag_text(tags)[0], _encode(body)))
    return masked


class _Strings:
    """Collects strings in the order in which they are met."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def take(self, text: str) -> str:
        self.texts.append(text if len(text) <= DICTIONARY_STRING_CHARS_MAX else "")
        return text


def _rebuilt(value: Any, change: Callable[[str], str], depth: int) -> Any:
    """The same JSON value with each string changed (keys before their values) and each number 0."""
    if isinstance(value, str):
        return change(value)
    if value is None or isinstance(value, bool):
        return value
    if depth >= _DEPTH_MAX:
        return None
    if isinstance(value, dict):
        return {change(key): _rebuilt(part, change, depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_rebuilt(part, change, depth + 1) for part in value]
    return 0


def _shared_beginnings(texts: Sequence[str], owners: Sequence[Sample]) -> Iterator[str]:
    """For each text the longest beginning, cut between words, that enough owners have in common."""
    kept = [0] * len(texts)
    work: list[tuple[Sequence[int], int]] = [(range(len(texts)), 0)]
    while work:  # each round shortens what is left of a group's texts, or ends the group
        members, start = work.pop()
        groups: dict[str, list[int]] = defaultdict(list)
        for member in members:
            end = _word_end(texts[member], start)
            if end > start:
                groups[texts[member][start:end]].append(member)
        for word, group in groups.items():
            if _is_shared(group, owners):
                for member in group:
                    kept[member] = start + len(word)
                work.append((group, start + len(word)))
    return (text[:length] for text, length in zip(texts, kept, strict=True))


def _word_end(text: str, start: int) -> int:
    """Where the word at `start` and what separates it from the next one end."""
    end, size = start, len(text)
    while end < size and text[end].isalnum():
        end += 1
    while end < size and not text[end].isalnum():
        end += 1
    return end


def _is_shared(group: Sequence[int], owners: Sequence[Sample]) -> bool:
    if len(group) < DICTIONARY_USERS_MIN:
        return False
    users = {owners[member].user for member in group}
    anonymous = "" in users
    users.discard("")
    if len(users) >= DICTIONARY_USERS_MIN:
        return True
    if not anonymous or len(users) == 1:
        return False
    unknown = {id(owners[member]): owners[member].issue for member in group if not owners[member].user}
    return len(unknown) >= DICTIONARY_ANONYMOUS_MIN and len(set(unknown.values())) >= _ISSUES_MIN
