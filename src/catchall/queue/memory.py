"""The log in memory: for tests, ours and those of others. The same promises, but for durability."""

import secrets
import time
from collections.abc import Collection, Sequence

from catchall.core import limits
from catchall.core.errors import PositionBeyondLog, QueueFull, Reason
from catchall.queue.base import Depth, Lane, LogInfo, LogRecord, ReadResult, Settle


class MemoryLog:
    """Writer and reader in one. A record's offset is its number; every append is settled at once.

    `records_max`: records of a lane beyond which it is full.
    """

    def __init__(self, settle: Settle, *, records_max: int = 1_000_000) -> None:
        self._settle = settle
        self._records_max = records_max
        self._uuids = [secrets.token_bytes(16) for _ in Lane]
        self._records: list[list[LogRecord]] = [[] for _ in Lane]
        self._starts = [0 for _ in Lane]
        self._closed = False

    def append(self, lane: Lane, partition: int, payload: bytes, ticket: object, *, internal: bool = False) -> None:
        """See `LogWriter.append`."""
        if self._closed:
            raise QueueFull(Reason.LOG_UNAVAILABLE, limits.LOG_RETRY_AFTER_SECONDS)
        records = self._records[lane]
        if len(records) - self._starts[lane] >= self._records_max:
            raise QueueFull(Reason.LOG_FULL, limits.LOG_RETRY_AFTER_SECONDS)
        records.append(LogRecord(len(records), len(records) + 1, partition, internal, payload))
        self._settle([ticket], None)

    def logs(self) -> list[LogInfo]:
        """See `LogReader.logs`."""
        return [
            LogInfo(uuid, lane, start, len(records), sum(not record.internal for record in records))
            for uuid, lane, start, records in zip(self._uuids, Lane, self._starts, self._records, strict=True)
        ]

    def read(
        self, uuid: bytes, offset: int, partitions: Collection[int], *, records_max: int, bytes_max: int
    ) -> ReadResult:
        """See `LogReader.read`."""
        records = self._checked(uuid, offset)
        found: list[LogRecord] = []
        size = 0
        while offset < len(records) and len(found) < records_max and size < bytes_max:
            record = records[offset]
            if record.partition in partitions:
                found.append(record)
                size += len(record.payload)
            offset += 1
        return ReadResult(found, offset)

    def _checked(self, uuid: bytes, offset: int) -> list[LogRecord]:
        if uuid not in self._uuids:
            raise PositionBeyondLog(f"there is no log {uuid.hex()}")
        lane = self._uuids.index(uuid)
        if not self._starts[lane] <= offset <= len(self._records[lane]):
            raise PositionBeyondLog(f"the log has no offset {offset}")
        return self._records[lane]

    def release(self, uuid: bytes, offset: int) -> int:
        """See `LogReader.release`; here every record is a segment of its own."""
        records = self._checked(uuid, offset)
        lane = self._uuids.index(uuid)
        freed = sum(len(record.payload) for record in records[self._starts[lane] : offset])
        self._starts[lane] = offset
        return freed

    def depth(self, info: LogInfo, offsets: Sequence[int]) -> Depth:
        """See `LogReader.depth`."""
        records = self._checked(info.uuid, min(offsets))
        waiting = [record for record in records[: info.end] if record.offset >= offsets[record.partition]]
        size = sum(len(record.payload) for record in waiting)
        return Depth(sum(not record.internal for record in waiting), size, time.time() if waiting else None)

    def close(self, timeout: float = 0.0) -> None:
        """Take nothing more."""
        del timeout
        self._closed = True
