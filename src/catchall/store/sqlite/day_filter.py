"""Which ids a closed day may have: one Bloom filter per day, so that looking for duplicates in 90 days opens none.

A file YYYY-MM-DD.bloom: a head, then bits. It is mapped, not read: what all processes look at is in memory once. A day
has one only once it is closed (a newer day exists), and only whole: until then the day's own table is asked. Rows that
come late set their bits before they are committed; bits without rows cost a look into the day, no more.

Source: B. Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 13 (7), 1970; two hashes stand for
many: A. Kirsch, M. Mitzenmacher, "Less hashing, same performance", 2006.
"""

import hashlib
import mmap
import os
import struct
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import compress
from operator import and_
from pathlib import Path
from typing import NamedTuple

from catchall.core.errors import StoreError
from catchall.core.limits import FILTER_BITS_PER_EVENT, FILTER_PROBES, FILTERS_OPEN_MAX
from catchall.store.sqlite.connection import sync_directory

_MAGIC = b"catchall-bloom-1"
_HEAD = struct.Struct("<16sQ")  # magic, number of bits
_BITS_MIN = 1024
_STEPS_PER_DOUBLING = 4  # sizes are few, so that days of a like size share the places that they are asked for

Key = tuple[int, bytes]
"""Project and event id (16 bytes)."""


class Hashes(NamedTuple):
    """Two numbers from which all probes of a key follow."""

    first: int
    step: int


def hashes_of(key: Key) -> Hashes:
    """The hashes of a key. Clients choose ids, so a hash that they could steer would not do."""
    project, event_id = key
    digest = hashlib.blake2b(event_id + project.to_bytes(8, "little", signed=True), digest_size=16).digest()
    return Hashes(int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little") | 1)


def _size_for(events: int) -> int:
    """Bits for so many events: the next step of a ladder, at least what the limit says."""
    wanted = max(_BITS_MIN, events * FILTER_BITS_PER_EVENT)
    octave = 1 << (wanted.bit_length() - 1)
    step = octave // _STEPS_PER_DOUBLING
    return octave + -(-(wanted - octave) // step) * step


class GrowingFilter:
    """A filter while it is built, in memory."""

    def __init__(self, events: int) -> None:
        self._size = _size_for(events)
        self._bits = bytearray(_HEAD.pack(_MAGIC, self._size)) + bytearray(-(-self._size // 8))

    def add(self, keys: Iterable[Key]) -> None:
        """Set the bits of keys."""
        _set_bits(self._bits, self._size, map(hashes_of, keys))

    def write(self, path: Path) -> None:
        """Make it the day's filter, durably and at once. Raises StoreError."""
        part = path.with_suffix(".bloom.part")
        try:
            with part.open("wb") as file:
                file.write(self._bits)
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
            sync_directory(path.parent)
        except OSError as error:
            raise StoreError(f"cannot write the filter {path}: {error}") from error


class DayFilter:
    """A day's filter, mapped from its file. Raises OSError or ValueError for a file that is none."""

    def __init__(self, path: Path, *, writable: bool) -> None:
        with path.open("r+b" if writable else "rb") as file:
            self.identity = _identity(os.fstat(file.fileno()))
            self._bits = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ)
        magic, self.size = _HEAD.unpack_from(self._bits) if len(self._bits) >= _HEAD.size else (b"", 0)
        if magic != _MAGIC or len(self._bits) != _HEAD.size + -(-self.size // 8):
            raise ValueError(f"{path} is damaged")

    def may_have(self, hashes: Sequence[Hashes], first_places: "Places") -> list[int]:
        """Indexes of those that may be in the day. `first_places`: where each one's first probe goes."""
        byte_at = self._bits.__getitem__
        hits = compress(range(len(hashes)), map(and_, map(byte_at, first_places.bytes), first_places.masks))
        return [index for index in hits if self.has(hashes[index])]

    def has(self, hashes: Hashes) -> bool:
        """May a key be in the day?"""
        bits = self._bits
        return all(bits[_HEAD.size + (place >> 3)] & (1 << (place & 7)) for place in _probes(hashes, self.size))

    def add(self, keys: Iterable[Key]) -> None:
        """Set the bits of late rows and wait until they are on the disk. Raises StoreError."""
        _set_bits(self._bits, self.size, map(hashes_of, keys))
        try:
            self._bits.flush()
        except OSError as error:
            raise StoreError(f"cannot write a day's filter: {error}") from error


class Places:
    """Where the first probes of keys go in filters of one size."""

    def __init__(self, hashes: Sequence[Hashes], size: int) -> None:
        bits = [one.first % size for one in hashes]
        self.bytes = [_HEAD.size + (bit >> 3) for bit in bits]
        self.masks = [1 << (bit & 7) for bit in bits]


def _probes(hashes: Hashes, size: int) -> Iterable[int]:
    return [(hashes.first + number * hashes.step) % size for number in range(FILTER_PROBES)]


def _set_bits(bits: bytearray | mmap.mmap, size: int, hashes: Iterable[Hashes]) -> None:
    for one in hashes:
        for place in _probes(one, size):
            bits[_HEAD.size + (place >> 3)] |= 1 << (place & 7)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


class DayFilters:
    """The filters that this process has open, least recently used ones closed first. For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[Path, DayFilter] = OrderedDict()

    def get(self, path: Path, *, writable: bool = False) -> DayFilter | None:
        """The filter of a day as it is now; None when it has none yet, or a damaged one, which is made again."""
        with self._lock:
            return self._get(path, writable=writable)

    def _get(self, path: Path, *, writable: bool) -> DayFilter | None:
        try:
            identity = _identity(path.stat())
            found = self._open.get(path)
            if found is None or found.identity != identity or writable:
                found = DayFilter(path, writable=writable)
        except (OSError, ValueError):
            self._open.pop(path, None)
            return None
        self._open[path] = found
        self._open.move_to_end(path)
        if len(self._open) > FILTERS_OPEN_MAX:
            self._open.popitem(last=False)
        return found

    def close(self) -> None:
        """Forget all; the maps go with the last that uses them."""
        with self._lock:
            self._open.clear()
