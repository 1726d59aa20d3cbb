"""What every log promises: one suite, over the segment files and over memory."""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from catchall.core.errors import PositionBeyondLog, QueueFailed, QueueFull, Reason
from catchall.queue.base import Lane, LogInfo, LogReader, LogRecord, LogWriter
from catchall.queue.memory import MemoryLog
from catchall.queue.segments import SegmentReader, SegmentWriter

EVERYONE = range(16)


class Log:
    """One log under test: its two ends, and the tickets that were settled."""

    def __init__(self, make: Callable[[Any], tuple[LogWriter, LogReader]]) -> None:
        self.settled: list[object] = []
        self.errors: list[QueueFailed] = []
        self.writer, self.reader = make(self.settle)

    def settle(self, tickets: Any, error: QueueFailed | None) -> None:
        if error:
            self.errors.append(error)
        else:
            self.settled.extend(tickets)

    def append(self, payload: bytes, *, partition: int = 0, lane: Lane = Lane.NORMAL, internal: bool = False) -> None:
        self.writer.append(lane, partition, payload, payload, internal=internal)

    def wait(self, tickets: int) -> None:
        deadline = time.monotonic() + 10
        while len(self.settled) < tickets:
            assert time.monotonic() < deadline, "not settled"
            time.sleep(0.001)

    def info(self, lane: Lane = Lane.NORMAL) -> LogInfo:
        return self.reader.logs()[lane]

    def records(self, lane: Lane = Lane.NORMAL, partitions: Any = EVERYONE, records_max: int = 1000) -> list[LogRecord]:
        info = self.info(lane)
        offset = info.start
        found: list[LogRecord] = []
        while offset < info.end:
            part = self.reader.read(info.uuid, offset, partitions, records_max=records_max, bytes_max=1 << 30)
            found += part.records
            assert part.next_offset > offset
            offset = part.next_offset
        return found


@pytest.fixture(params=["segments", "memory"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Log]:
    def segments(settle: Any) -> tuple[LogWriter, LogReader]:
        return SegmentWriter(tmp_path / "log", settle), SegmentReader(tmp_path / "log")

    def memory(settle: Any) -> tuple[LogWriter, LogReader]:
        both = MemoryLog(settle)
        return both, both

    made = Log(segments if request.param == "segments" else memory)
    yield made
    made.writer.close(5)
    made.reader.close()


def test_three_lanes_most_urgent_first(log: Log) -> None:
    infos = log.reader.logs()
    assert [info.lane for info in infos] == [Lane.URGENT, Lane.NORMAL, Lane.SPILL]
    assert len({info.uuid for info in infos}) == 3
    assert all((info.start, info.end, info.requests) == (0, 0, 0) for info in infos)


def test_records_come_back_in_order_with_growing_offsets(log: Log) -> None:
    for number in range(100):
        log.append(b"%d" % number, partition=number % 16)
    log.wait(100)
    found = log.records(records_max=7)
    assert [record.payload for record in found] == [b"%d" % number for number in range(100)]
    assert [record.partition for record in found] == [number % 16 for number in range(100)]
    assert all(one.next_offset == two.offset for one, two in pairwise(found))
    assert log.info().requests == 100


def test_a_reader_gets_only_its_partitions(log: Log) -> None:
    for number in range(64):
        log.append(b"%d" % number, partition=number % 16)
    log.wait(64)
    assert [record.payload for record in log.records(partitions={3, 5})] == [
        b"%d" % number for number in range(64) if number % 16 in (3, 5)
    ]


def test_internal_records_are_read_but_are_no_requests(log: Log) -> None:
    log.append(b"a", internal=True)
    log.append(b"b")
    log.wait(2)
    assert [(record.payload, record.internal) for record in log.records()] == [(b"a", True), (b"b", False)]
    assert log.info().requests == 1


def test_lanes_do_not_mix(log: Log) -> None:
    log.append(b"u", lane=Lane.URGENT)
    log.append(b"s", lane=Lane.SPILL)
    log.wait(2)
    assert [record.payload for record in log.records(Lane.URGENT)] == [b"u"]
    assert not log.records(Lane.NORMAL)


def test_depth_counts_what_each_partition_still_has_to_do(log: Log) -> None:
    for number in range(32):
        log.append(b"x" * 10, partition=number % 16)
    log.append(b"r", internal=True)
    log.wait(33)
    found = log.records()
    info = log.info()
    assert log.reader.depth(info, [info.start] * 16).requests == 32
    ahead = [found[16].offset] * 16
    assert log.reader.depth(info, ahead).requests == 16
    ahead[3] = info.end
    assert log.reader.depth(info, ahead).requests == 15
    done = log.reader.depth(info, [info.end] * 16)
    assert (done.requests, done.bytes, done.oldest_at) == (0, 0, None)


def test_a_place_that_the_log_does_not_have_is_refused(log: Log) -> None:
    log.append(b"x")
    log.wait(1)
    info = log.info()
    with pytest.raises(PositionBeyondLog):
        log.reader.read(info.uuid, info.end + 1, EVERYONE, records_max=1, bytes_max=1)
    with pytest.raises(PositionBeyondLog):
        log.reader.read(b"?" * 16, 0, EVERYONE, records_max=1, bytes_max=1)


def test_nothing_new_is_an_empty_list(log: Log) -> None:
    log.append(b"x")
    log.wait(1)
    info = log.info()
    assert log.reader.read(info.uuid, info.end, EVERYONE, records_max=1, bytes_max=1) == ([], info.end)


def test_a_closed_writer_takes_nothing(log: Log) -> None:
    log.append(b"x")
    log.writer.close(5)
    assert log.settled == [b"x"]
    with pytest.raises(QueueFull) as caught:
        log.append(b"y")
    assert caught.value.reason is Reason.LOG_UNAVAILABLE
