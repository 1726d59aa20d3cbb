"""Making a compression dictionary out of stored events without keeping anybody's data in it.

A dictionary holds literal pieces of what it was trained on, outlives the events, and is not erased with them. So the
events are masked first: of every string, key or value, only the beginning stays that many users (or, where there are
no users, many events of several issues) have in common; numbers become 0. What one user alone was seen with is gone
before the trainer sees it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
    owners: dict[str, list[Sample]] = defaultdict(list)
    for sample, document in _documents(samples):
        found: set[str] = set()
        _collect(document, found, 0)
        for text in found:
            if len(text) <= DICTIONARY_STRING_CHARS_MAX:
                owners[text].append(sample)
    shared = _shared_beginnings(owners).get
    masked = []
    for _, document in _documents(samples):
        tags, body = _rebuilt(document, shared, 0)
        masked.append(pack(tag_text(tags)[0], _encode(body)))
    return masked


def _documents(samples: Iterable[Sample]) -> Iterator[tuple[Sample, list[Any]]]:
    """The payloads, decoded one by one: all of them at once take 40 MB."""
    for sample in samples:
        try:
            yield sample, [tags_in(packed_tags(sample.packed)), _decode(packed_body(sample.packed))]
        except (msgspec.DecodeError, RecursionError):
            continue  # a body that nests too deeply to be read without a model: nothing to learn from


def _collect(value: Any, found: set[str], depth: int) -> None:
    """All strings of a JSON value, keys too."""
    if isinstance(value, str):
        found.add(value)
    elif isinstance(value, dict | list | tuple) and depth < _DEPTH_MAX:
        if isinstance(value, dict):
            found.update(value)
            value = value.values()
        for part in value:
            if type(part) is str:
                found.add(part)
            elif part is not None:
                _collect(part, found, depth + 1)


def _rebuilt(value: Any, shared: Callable[[str, str], str], depth: int) -> Any:
    """The same JSON value with of each string what is shared, and each number 0."""
    if isinstance(value, str):
        return shared(value, "")
    if value is None or isinstance(value, bool):
        return value
    if depth >= _DEPTH_MAX:
        return None
    if isinstance(value, dict):
        return {
            shared(key, ""): shared(part, "") if type(part) is str else _rebuilt(part, shared, depth + 1)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        return [_rebuilt(part, shared, depth + 1) for part in value]
    return 0


def _shared_beginnings(owners: Mapping[str, Sequence[Sample]]) -> dict[str, str]:
    """For each text the longest beginning, cut between words, that enough owners have in common, if any."""
    whole = {text for text, found in owners.items() if _is_shared(found)}
    kept = {text: text for text in whole}
    work: list[tuple[Iterable[str], int]] = [(owners, 0)]
    while work:  # each round shortens what is left of a group's texts, or ends the group
        texts, start = work.pop()
        groups: dict[str, list[str]] = defaultdict(list)
        for text in texts:
            end = _word_end(text, start)
            if end > start:
                groups[text[start:end]].append(text)
        for word, group in groups.items():
            if len(group) == 1 or whole.issuperset(group):
                continue  # a lone text shares its beginnings with nobody who does not share all of it
            if _is_shared([owner for text in group for owner in owners[text]]):
                for text in group:
                    if text not in whole:
                        kept[text] = text[: start + len(word)]
                work.append((group, start + len(word)))
    return kept


def _word_end(text: str, start: int) -> int:
    """Where the word at `start` and what separates it from the next one end."""
    end, size = start, len(text)
    while end < size and text[end].isalnum():
        end += 1
    while end < size and not text[end].isalnum():
        end += 1
    return end


def _is_shared(owners: Sequence[Sample]) -> bool:
    if len(owners) < DICTIONARY_USERS_MIN:
        return False
    users: set[str] = set()
    anonymous = False
    for owner in owners:
        if owner.user:
            users.add(owner.user)
            if len(users) >= DICTIONARY_USERS_MIN:
                return True
        else:
            anonymous = True
    if not anonymous or len(users) == 1:
        return False
    unknown = {id(owner): owner.issue for owner in owners if not owner.user}
    return len(unknown) >= DICTIONARY_ANONYMOUS_MIN and len(set(unknown.values())) >= _ISSUES_MIN
