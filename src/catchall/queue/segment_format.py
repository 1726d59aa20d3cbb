"""The bytes of a segment: a header, then records.

An offset counts the bytes of records since the log was made; headers do not count. A record is: marker (2), partition
(1), flags (1), length (4), CRC32C (4) over those eight bytes and the payload, payload. Little endian. CRC32C:
https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4
"""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

import google_crc32c

from catchall.core import limits
from catchall.core.errors import StoreError

SUFFIX = ".seg"
HEADER = struct.Struct("<8sI16sQQQI")  # magic, version, uuid, base, requests before it, made at (us), crc
HEADER_BYTES = 64
MAGIC = b"CATCHLOG"
VERSION = 1
RECORD = struct.Struct("<HBBII")
RECORD_HEAD = struct.Struct("<HBBI")
RECORD_BYTES = RECORD.size
MARKER = 0xE7CA
MARKER_BYTES = MARKER.to_bytes(2, "little")
INTERNAL = 1

_crc: Callable[[bytes], int] = google_crc32c.value
_extend: Callable[[int, bytes], int] = google_crc32c.extend


class SegmentHeader(NamedTuple):
    """What a segment says of itself. `requests`: request records in the log before its base. `made_at`: us."""

    uuid: bytes
    base: int
    requests: int
    made_at: int


def segment_name(base: int) -> str:
    """The file name of the segment that begins at an offset."""
    return f"{base:020d}{SUFFIX}"


def encode_header(header: SegmentHeader) -> bytes:
    """A segment's first bytes."""
    plain = HEADER.pack(MAGIC, VERSION, header.uuid, header.base, header.requests, header.made_at, 0)[:-4]
    return (plain + _crc(plain).to_bytes(4, "little")).ljust(HEADER_BYTES, b"\0")


def decode_header(data: bytes) -> SegmentHeader:
    """Read a segment's first bytes. Raises StoreError when they are not a header of this version."""
    if len(data) < HEADER_BYTES:
        raise StoreError("a segment of the log is shorter than its header")
    magic, version, uuid, base, requests, made_at, crc = HEADER.unpack_from(data)
    if magic != MAGIC or crc != _crc(data[: HEADER.size - 4]):
        raise StoreError("a segment of the log has a broken header")
    if version != VERSION:
        raise StoreError(f"the log has format {version}; this catchall reads {VERSION}: run the newer version")
    return SegmentHeader(uuid, base, requests, made_at)


def encode_log_record(partition: int, payload: bytes, internal: bool) -> bytes:
    """A record's bytes as they lie in a segment."""
    flags = INTERNAL if internal else 0
    crc = _extend(_crc(RECORD_HEAD.pack(MARKER, partition, flags, len(payload))), payload)
    head: bytes = RECORD.pack(MARKER, partition, flags, len(payload), crc)
    return head + payload


class Found(NamedTuple):
    """A record, or a stretch that is none (`corrupt` says why), at `start` (inclusive) to `end` of a buffer."""

    start: int
    end: int
    partition: int
    internal: bool
    corrupt: str


def is_whole(data: bytes, at: int) -> int:
    """The end of the valid record at `at`, or 0 when there is none."""
    if at + RECORD_BYTES > len(data):
        return 0
    marker, partition, _, length, crc = RECORD.unpack_from(data, at)
    end: int = at + RECORD_BYTES + length
    if marker != MARKER or partition >= limits.LOG_PARTITIONS or end > len(data):
        return 0
    if _extend(_crc(data[at : at + 8]), data[at + RECORD_BYTES : end]) != crc:
        return 0
    return end


def next_whole(data: bytes, at: int) -> int:
    """Where the next valid record begins, from `at` on; -1 when none does."""
    while (at := data.find(MARKER_BYTES, at)) >= 0:
        if is_whole(data, at):
            return at
        at += 1
    return -1


def broken_end(data: bytes, at: int) -> int:
    """Where the broken stretch at `at` ends: one record when its length still leads to a valid one, else resync."""
    if at + RECORD_BYTES <= len(data):
        marker, _, _, length, _ = RECORD.unpack_from(data, at)
        end: int = at + RECORD_BYTES + length
        if marker == MARKER and (end == len(data) or (end < len(data) and is_whole(data, end))):
            return end
    following = next_whole(data, at + 1)
    return following if following >= 0 else len(data)


def walk(data: bytes) -> Iterator[Found]:
    """All records and broken stretches of a buffer that begins at a record, every checksum looked at."""
    at = 0
    while at < len(data):
        end = is_whole(data, at)
        if end:
            _, partition, flags, _, _ = RECORD.unpack_from(data, at)
            yield Found(at, end, partition, bool(flags & INTERNAL), "")
        else:
            end = broken_end(data, at)
            yield Found(at, end, 0, False, "checksum or header is wrong")
        at = end


def torn_at(data: bytes) -> int:
    """Where a torn tail begins: after the last whole record. The length of `data` when nothing is torn."""
    end = 0
    for found in walk(data):
        if not found.corrupt:
            end = found.end
    return end
