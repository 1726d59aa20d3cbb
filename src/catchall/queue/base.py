"""What a log promises, whatever it is made of (segment files, memory, Kafka).

A log has a UUID, made with it. A record's offset never changes and grows with arrival; the next record's offset is the
one to continue from. Sixteen virtual partitions lie in one log: a reader names those it wants.
"""

from collections.abc import Callable, Collection, Sequence
from enum import IntEnum
from typing import NamedTuple, Protocol

from catchall.core.errors import QueueFailed


class Lane(IntEnum):
    """Three logs side by side, drained in this order of urgency."""

    URGENT = 0
    NORMAL = 1
    SPILL = 2


class LogInfo(NamedTuple):
    """One log as it stands: records from `start` (inclusive) to `end` (exclusive, durable) can be read.

    `requests`: how many request records were ever appended up to `end` (internal records, as refusals, not counted).
    """

    uuid: bytes
    lane: Lane
    start: int
    end: int
    requests: int


class LogRecord(NamedTuple):
    """One record read. `next_offset`: where the following one begins. `corrupt`: why its bytes cannot be trusted, or
    empty; then `payload` is what was found there and `partition` is the one that shall make a dead letter of it."""

    offset: int
    next_offset: int
    partition: int
    internal: bool
    payload: bytes
    corrupt: str = ""


class ReadResult(NamedTuple):
    """`records` of the wanted partitions in order; everything before `next_offset` has been looked at."""

    records: list[LogRecord]
    next_offset: int


class Depth(NamedTuple):
    """What waits in one log after an offset. `oldest_at`: when the oldest waiting segment was begun (epoch seconds)."""

    requests: int
    bytes: int
    oldest_at: float | None


Settle = Callable[[Sequence[object], QueueFailed | None], None]
"""Called once per group, from the writer's own thread: these tickets are durable, or (with the error) are not."""


class LogWriter(Protocol):
    """Intake's end. One process owns it."""

    def append(self, lane: Lane, partition: int, payload: bytes, ticket: object, *, internal: bool = False) -> None:
        """Take a record for the next group commit; `ticket` comes back through `settle`.

        Raises QueueFull at once when the log is past its bound in bytes, free disk or pending bytes: nothing of the
        record is kept then.
        """

    def close(self, timeout: float) -> None:
        """Commit what is pending, settle it, stop. Idempotent."""


class LogReader(Protocol):
    """The workers' end. Any number of processes."""

    def logs(self) -> list[LogInfo]:
        """All logs that exist now, most urgent first."""

    def read(
        self, uuid: bytes, offset: int, partitions: Collection[int], *, records_max: int, bytes_max: int
    ) -> ReadResult:
        """Durable records of these partitions from `offset` on. Never waits; nothing new gives an empty list.

        Raises PositionBeyondLog when `offset` is beyond the durable end or before the first record that still exists.
        """

    def release(self, uuid: bytes, offset: int) -> int:
        """Everything before `offset` is committed for every partition: free what lies wholly before it.

        Returns how many bytes were freed.
        """

    def depth(self, info: LogInfo, offsets: Sequence[int]) -> Depth:
        """What waits up to the end that `info` saw, given the next offset of each of the 16 partitions.

        Raises PositionBeyondLog when records from there on are gone already.
        """

    def close(self) -> None: ...
