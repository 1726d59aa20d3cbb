"""The log as segment files: the readers' end. Any number of processes; nothing here writes a segment."""

import os
from bisect import bisect_right
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path

import google_crc32c

from catchall.core import limits
from catchall.core.errors import PositionBeyondLog
from catchall.queue.base import Depth, Lane, LogInfo, LogRecord, ReadResult
from catchall.queue.files import Files
from catchall.queue.published import Published
from catchall.queue.segment_folder import bases, lane_folder, read_uuid, segment_path
from catchall.queue.segment_format import (
    HEADER_BYTES,
    INTERNAL,
    MARKER,
    RECORD,
    RECORD_BYTES,
    broken_end,
    decode_header,
    is_whole,
)

UNKNOWN_PARTITION = 0  # who makes a dead letter of a stretch whose partition cannot be known

_extend = google_crc32c.extend
_crc = google_crc32c.value


class _Lane:
    """What a reader remembers of one lane."""

    def __init__(self, lane: Lane, folder: Path) -> None:
        self.lane = lane
        self.folder = folder
        self.uuid = read_uuid(folder)
        self.bases: list[int] = []
        self.open_base = -1
        self.descriptor = -1
        self.folder_time = -1
        self.counted: tuple[int, int] = (-1, 0)  # an offset, and the requests before it

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = self.open_base = -1


class SegmentReader:
    """Reads the logs of a folder. Belongs to one process: open it after the fork."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files = Files()
        self._published: Published | None = None
        self._lanes: dict[bytes, _Lane] = {}

    def logs(self) -> list[LogInfo]:
        """All logs that exist now, most urgent first; none before the first front process made them."""
        if len(self._lanes) < len(Lane) and not self._find_lanes():
            return []
        assert self._published is not None
        found = []
        for one in self._lanes.values():
            cell = self._published.cell(one.lane)
            if not one.bases:
                one.bases = bases(one.folder)
            found.append(LogInfo(one.uuid, one.lane, one.bases[0] if one.bases else cell.end, cell.end, cell.requests))
        return found

    def _find_lanes(self) -> bool:
        try:
            self._published = self._published or Published(self._root, create=False)
            found = [_Lane(lane, lane_folder(self._root, lane)) for lane in Lane]
        except FileNotFoundError:
            return False
        self._lanes = {one.uuid: one for one in found}
        return True

    def read(
        self, uuid: bytes, offset: int, partitions: Collection[int], *, records_max: int, bytes_max: int
    ) -> ReadResult:
        """Durable records of these partitions from `offset` on (see `LogReader.read`)."""
        one = self._lane(uuid)
        assert self._published is not None
        end = self._published.cell(one.lane).end
        self._check_place(one, offset, end)
        wanted = frozenset(partitions)
        records: list[LogRecord] = []
        size = 0
        while offset < end and len(records) < records_max and size < bytes_max:
            data, at_end = self._chunk(one, offset, end)
            taken = self._take(data, offset, at_end, wanted, records, records_max, bytes_max - size)
            size += taken
            if not taken:
                break
            offset += taken
        return ReadResult(records, offset)

    def _take(
        self,
        data: bytes,
        offset: int,
        at_end: bool,
        wanted: frozenset[int],
        records: list[LogRecord],
        records_max: int,
        bytes_max: int,
    ) -> int:
        """Add the records of one chunk; returns how many bytes of it are dealt with. `at_end`: the log goes no further
        in this segment, so what is cut off there is broken, not unread."""
        at = 0
        size = len(data)
        while at < size and len(records) < records_max and at < bytes_max:
            end = size + 1
            if at + RECORD_BYTES <= size:
                marker, partition, flags, length, crc = RECORD.unpack_from(data, at)
                if marker == MARKER and partition < limits.LOG_PARTITIONS:
                    end = at + RECORD_BYTES + length
            if end <= size:
                if partition in wanted:
                    payload = data[at + RECORD_BYTES : end]
                    if _extend(_crc(data[at : at + 8]), payload) == crc:
                        record = LogRecord(offset + at, offset + end, partition, bool(flags & INTERNAL), payload)
                        records.append(record)
                        at = end
                        continue
                elif end == size or data[end : end + 2] == data[at : at + 2]:
                    at = end
                    continue
            elif not at_end and end - at <= limits.LOG_RECORD_BYTES_MAX + RECORD_BYTES:
                return at  # the rest of this record lies in the next chunk
            broken = self._broken(data, at, offset, wanted, records)
            at = broken
        return at

    def _broken(self, data: bytes, at: int, offset: int, wanted: frozenset[int], records: list[LogRecord]) -> int:
        end = broken_end(data, at)
        if is_whole(data, at):
            return end
        if UNKNOWN_PARTITION in wanted:
            payload = data[at : min(end, at + limits.LOG_CORRUPT_BYTES_MAX)]
            why = f"bytes {offset + at} to {offset + end} of the log fail their checksum"
            records.append(LogRecord(offset + at, offset + end, UNKNOWN_PARTITION, False, payload, why))
        return end

    def _chunk(self, one: _Lane, offset: int, end: int) -> tuple[bytes, bool]:
        """Bytes of the log from `offset` on, of one segment; and whether they reach its end."""
        if one.open_base < 0 or not one.bases or not self._holds(one, offset):
            self._open_segment(one, offset)
        index = bisect_right(one.bases, one.open_base)
        if index == len(one.bases) and self._changed(one):
            # the writer may have begun a segment here, and this one may hide a failed tail beyond that
            one.bases = bases(one.folder)
            index = bisect_right(one.bases, one.open_base)
        stop = min(end, one.bases[index]) if index < len(one.bases) else end
        want = min(stop - offset, limits.LOG_READ_BYTES + limits.LOG_RECORD_BYTES_MAX)
        data = os.pread(one.descriptor, want, HEADER_BYTES + offset - one.open_base)
        if not data and stop > offset:
            # this segment ended before the published end: a younger one begins here
            one.bases = bases(one.folder)
            self._open_segment(one, offset)
            data = os.pread(one.descriptor, want, HEADER_BYTES + offset - one.open_base)
            if not data:
                raise PositionBeyondLog(f"the log in {one.folder} ends at {offset}, before its published end {end}")
        return data, offset + len(data) >= stop

    def _changed(self, one: _Lane) -> bool:
        seen, one.folder_time = one.folder_time, one.folder.stat().st_mtime_ns
        return seen != one.folder_time

    def _holds(self, one: _Lane, offset: int) -> bool:
        index = bisect_right(one.bases, offset) - 1
        return index >= 0 and one.bases[index] == one.open_base

    def _open_segment(self, one: _Lane, offset: int) -> None:
        one.close()
        one.bases = bases(one.folder)
        index = bisect_right(one.bases, offset) - 1
        if index < 0:
            raise self._gone(one, offset)
        try:
            one.descriptor = os.open(segment_path(one.folder, one.bases[index]), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise self._gone(one, offset) from None
        one.open_base = one.bases[index]

    def _gone(self, one: _Lane, offset: int) -> PositionBeyondLog:
        return PositionBeyondLog(
            f"the log in {one.folder} no longer has offset {offset}: the store is older than the log (a restored "
            "backup?). Records in between would be lost silently; restore a matching log, or move the log folder away"
        )

    def _check_place(self, one: _Lane, offset: int, end: int) -> None:
        if offset > end:
            raise PositionBeyondLog(
                f"the store has committed offset {offset} of the log in {one.folder}, which ends at {end}: the log is "
                "older than the store (a restored backup?). Restore a matching one, or move the log folder away"
            )
        if not one.bases or offset < one.bases[0]:
            one.bases = bases(one.folder)
            if one.bases and offset < one.bases[0]:
                raise self._gone(one, offset)

    def _lane(self, uuid: bytes) -> _Lane:
        if uuid not in self._lanes:
            self.logs()
        if uuid not in self._lanes:
            raise PositionBeyondLog(f"there is no log {uuid.hex()} in {self._root}")
        return self._lanes[uuid]

    def release(self, uuid: bytes, offset: int) -> int:
        """Remove the segments wholly before `offset` (see `LogReader.release`)."""
        one = self._lane(uuid)
        assert self._published is not None
        self._published.release(one.lane, offset)
        found = bases(one.folder)
        freed = 0
        for base, following in pairwise(found):
            if following > offset:
                break
            path = segment_path(one.folder, base)
            try:
                freed += path.stat().st_size
                path.unlink()
            except FileNotFoundError:
                continue  # another worker was quicker
        if freed:
            self._files.sync_folder(one.folder)
            one.bases = bases(one.folder)
        return freed

    def depth(self, info: LogInfo, offsets: Sequence[int]) -> Depth:
        """What waits up to the end that `info` saw (see `LogReader.depth`)."""
        one = self._lane(info.uuid)
        lowest = min(offsets)
        self._check_place(one, lowest, info.end)
        if lowest >= info.end:
            return Depth(0, 0, None)
        waiting = info.requests - self._requests_before(one, lowest, info.end)
        highest = min(max(offsets), info.end)
        for record in self._records(one, lowest, highest):
            if not record.internal and record.offset < offsets[record.partition]:
                waiting -= 1  # its partition is ahead of the slowest
        self._chunk(one, lowest, info.end)
        header = decode_header(os.pread(one.descriptor, HEADER_BYTES, 0))
        return Depth(waiting, info.end - lowest, header.made_at / 1e6)

    def _requests_before(self, one: _Lane, offset: int, end: int) -> int:
        """Request records before an offset: the segment's header says those before it, the rest is counted."""
        self._chunk(one, offset, end)
        header = decode_header(os.pread(one.descriptor, HEADER_BYTES, 0))
        start, count = header.base, header.requests
        if header.base <= one.counted[0] <= offset:
            start, count = one.counted
        count += sum(not record.internal for record in self._records(one, start, offset))
        one.counted = (offset, count)
        return count

    def _records(self, one: _Lane, offset: int, end: int) -> list[LogRecord]:
        everyone = range(limits.LOG_PARTITIONS)
        found: list[LogRecord] = []
        while offset < end:
            part = self.read(one.uuid, offset, everyone, records_max=limits.LOG_READ_RECORDS_MAX, bytes_max=1 << 30)
            found += [record._replace(payload=b"") for record in part.records if record.offset < end]
            offset = part.next_offset
        return found

    def close(self) -> None:
        """Close files and memory."""
        for one in self._lanes.values():
            one.close()
        if self._published:
            self._published.close()
            self._published = None
        self._lanes = {}
