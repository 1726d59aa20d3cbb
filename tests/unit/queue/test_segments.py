"""The segment files: torn tails, broken middles, failing disks, full disks, rolling, restarts, kill -9."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catchall.core import limits
from catchall.core.errors import PositionBeyondLog, QueueFailed, QueueFull, Reason, StoreError
from catchall.queue.base import Lane, LogRecord
from catchall.queue.files import Files
from catchall.queue.segment_format import HEADER_BYTES, RECORD_BYTES
from catchall.queue.segments import SegmentReader, SegmentWriter
from catchall.queue.spool import Spool


class Running:
    """A writer on a folder, with what was settled."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.done: list[object] = []
        self.failed: list[object] = []
        self.changed = threading.Event()
        self.writer = SegmentWriter(folder, self.settle, **options)

    def settle(self, tickets: Any, error: QueueFailed | None) -> None:
        (self.failed if error else self.done).extend(tickets)
        self.changed.set()

    def append(self, payload: bytes, partition: int = 0) -> None:
        self.writer.append(Lane.NORMAL, partition, payload, payload)

    def put(self, *payloads: bytes) -> None:
        """Append one after the other, each in its own group."""
        for payload in payloads:
            before = self.ended()
            self.append(payload)
            wait_for(partial(self.more_than, before))

    def ended(self) -> int:
        return len(self.done) + len(self.failed)

    def more_than(self, number: int) -> bool:
        return self.ended() > number

    def close(self) -> None:
        self.writer.close(5)


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def read_all(folder: Path, start: int = 0) -> list[LogRecord]:
    reader = SegmentReader(folder)
    info = reader.logs()[Lane.NORMAL]
    found: list[LogRecord] = []
    offset = max(start, info.start)
    while offset < info.end:
        part = reader.read(info.uuid, offset, range(16), records_max=3, bytes_max=1 << 30)
        found += part.records
        assert part.next_offset > offset
        offset = part.next_offset
    reader.close()
    return found


def payloads(folder: Path) -> list[bytes]:
    return [record.payload for record in read_all(folder) if not record.corrupt]


def segments(folder: Path) -> list[Path]:
    return sorted((folder / "normal").glob("*.seg"))


def test_a_torn_tail_is_cut_at_whatever_byte_it_tore(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    running = Running(folder)
    running.put(b"first", b"second")
    running.close()
    (segment,) = segments(folder)
    whole = segment.read_bytes()
    last = len(whole) - RECORD_BYTES - len(b"second")
    for end in range(last, len(whole)):
        segment.write_bytes(whole[:end])
        again = Running(folder)
        assert payloads(folder) == [b"first"]
        again.put(b"third")
        assert payloads(folder) == [b"first", b"third"]
        again.close()
        segment.write_bytes(whole)
        (folder / "published").unlink()


@pytest.mark.parametrize("what", ["marker", "length", "payload"])
def test_a_broken_middle_is_one_corrupt_record_and_the_rest_goes_on(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "log"
    running = Running(folder)
    running.put(b"first", b"second", b"third")
    running.close()
    (segment,) = segments(folder)
    data = bytearray(segment.read_bytes())
    at = HEADER_BYTES + RECORD_BYTES + len(b"first") + {"marker": 0, "length": 5, "payload": RECORD_BYTES}[what]
    data[at] ^= 0xFF
    segment.write_bytes(data)
    again = Running(folder)
    found = read_all(folder)
    again.close()
    assert [record.payload for record in found if not record.corrupt] == [b"first", b"third"]
    (broken,) = (record for record in found if record.corrupt)
    assert b"second"[1:] in broken.payload


def test_requests_are_counted_on_over_restarts_and_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_SEGMENT_BYTES_MAX", 100)
    folder = tmp_path / "log"
    for restart in range(3):
        running = Running(folder)
        running.put(*(b"x" * 40 for _ in range(10)))
        running.close()
        reader = SegmentReader(folder)
        info = reader.logs()[Lane.NORMAL]
        assert info.requests == 10 * (restart + 1)
        assert reader.depth(info, [0] * 16).requests == info.requests
        reader.close()
    assert len(segments(folder)) > 5
    assert len(read_all(folder)) == 30


def test_released_segments_go_and_their_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_SEGMENT_BYTES_MAX", 100)
    folder = tmp_path / "log"
    running = Running(folder)
    running.put(*(b"x" * 40 for _ in range(10)))
    reader = SegmentReader(folder)
    info = reader.logs()[Lane.NORMAL]
    found = read_all(folder)
    before = len(segments(folder))
    assert reader.release(info.uuid, found[5].offset) > 0
    assert len(segments(folder)) < before
    assert [record.offset for record in read_all(folder)][-5:] == [record.offset for record in found[5:]]
    with pytest.raises(PositionBeyondLog, match="older than the log"):
        reader.read(info.uuid, 0, range(16), records_max=1, bytes_max=1)
    running.close()
    reader.close()


def test_a_drained_active_segment_is_rolled_and_freed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_ROLL_DRAINED_BYTES", 10)
    monkeypatch.setattr(limits, "LOG_TICK_SECONDS", 0.01)
    folder = tmp_path / "log"
    running = Running(folder)
    running.put(b"x" * 40)
    reader = SegmentReader(folder)
    info = reader.logs()[Lane.NORMAL]
    reader.release(info.uuid, info.end)
    wait_for(lambda: len(segments(folder)) == 2)
    assert reader.release(info.uuid, info.end) > 0
    assert len(segments(folder)) == 1
    running.put(b"y")
    assert payloads(folder) == [b"y"]
    running.close()
    reader.close()


class FailingFiles(Files):
    """A disk that fails when it is told to."""

    def __init__(self) -> None:
        self.fail_sync = self.fail_write = self.fail_truncate = False
        self.free = 1 << 40

    def write_at(self, descriptor: int, data: bytes, offset: int) -> None:
        if self.fail_write:
            super().write_at(descriptor, data[: len(data) // 2], offset)
            raise OSError(28, "No space left on device")
        super().write_at(descriptor, data, offset)

    def sync(self, descriptor: int) -> None:
        if self.fail_sync:
            raise OSError(5, "Input/output error")
        super().sync(descriptor)

    def truncate(self, descriptor: int, size: int) -> None:
        if self.fail_truncate:
            raise OSError(5, "Input/output error")
        super().truncate(descriptor, size)

    def free_bytes(self, folder: Path) -> int:
        return self.free


@pytest.mark.parametrize("fault", ["fail_sync", "fail_write"])
@pytest.mark.parametrize("truncates", [True, False])
def test_a_failed_group_is_never_read_and_the_next_one_is(tmp_path: Path, fault: str, truncates: bool) -> None:
    folder = tmp_path / "log"
    files = FailingFiles()
    running = Running(folder, files=files)
    running.put(b"before")
    setattr(files, fault, True)
    files.fail_truncate = not truncates
    running.put(b"lost")
    assert running.failed == [b"lost"]
    setattr(files, fault, False)
    running.put(b"after")
    assert payloads(folder) == [b"before", b"after"]
    running.close()
    again = Running(folder)
    assert payloads(folder) == [b"before", b"after"]
    again.close()
    assert len(segments(folder)) == 2, "the failed file was written again"


def test_a_full_disk_is_said_and_recovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_SPACE_CHECK_SECONDS", -1.0)
    files = FailingFiles()
    running = Running(tmp_path / "log", files=files)
    files.free = 10
    with pytest.raises(QueueFull) as caught:
        running.append(b"x")
    assert caught.value.reason is Reason.DISK_FULL and caught.value.retry_after > 0
    files.free = 1 << 40
    running.put(b"y")
    assert payloads(tmp_path / "log") == [b"y"]
    running.close()


def test_a_log_past_its_bytes_is_full_until_it_is_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOG_SPACE_CHECK_SECONDS", -1.0)
    monkeypatch.setattr(limits, "LOG_SEGMENT_BYTES_MAX", 100)
    running = Running(tmp_path / "log", bytes_max=300)
    with pytest.raises(QueueFull) as caught:
        running.put(*(b"x" * 40 for _ in range(20)))
    assert caught.value.reason is Reason.LOG_FULL
    reader = SegmentReader(tmp_path / "log")
    info = reader.logs()[Lane.NORMAL]
    reader.release(info.uuid, info.end)
    running.put(b"again")
    running.close()
    reader.close()


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    running = Running(tmp_path / "log")
    with pytest.raises(StoreError, match="another process"):
        Running(tmp_path / "log")
    running.close()


def test_a_raising_settle_does_not_end_the_writer(tmp_path: Path) -> None:
    calls: list[object] = []

    def settle(tickets: Any, _error: object) -> None:
        calls.extend(tickets)
        raise RuntimeError("somebody else's mistake")

    writer = SegmentWriter(tmp_path / "log", settle)
    for number in range(3):
        writer.append(Lane.NORMAL, 0, b"x", number)
        wait_for(partial(calls.__contains__, number))
    writer.close(5)
    assert calls == [0, 1, 2]


def test_an_old_log_beside_a_newer_store_is_refused(tmp_path: Path) -> None:
    running = Running(tmp_path / "log")
    running.put(b"x")
    running.close()
    reader = SegmentReader(tmp_path / "log")
    info = reader.logs()[Lane.NORMAL]
    with pytest.raises(PositionBeyondLog, match="older than the store"):
        reader.read(info.uuid, info.end + 100, range(16), records_max=1, bytes_max=1)
    reader.close()


KILLED = """
import sys
from pathlib import Path
from catchall.queue.base import Lane
from catchall.queue.segments import SegmentWriter
def settle(tickets, error):
    sys.stdout.write("".join(f"{ticket}\\n" for ticket in tickets))
    sys.stdout.flush()
writer = SegmentWriter(Path(sys.argv[1]), settle)
first = int(sys.argv[2])
for number in range(first, first + 10_000_000):
    writer.append(Lane.NORMAL, number % 16, b"%d" % number, number)
"""


def test_what_was_settled_survives_kill_9(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    settled: set[int] = set()
    for round_number in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(folder), str(round_number * 10**7)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        for _ in range(2000):
            settled.add(int(process.stdout.readline()))
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().decode()
        settled |= {int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n")}
        process.wait()
        process.stdout.close()
    Running(folder).close()
    found = [int(payload) for payload in payloads(folder)]
    assert settled <= set(found)
    assert len(found) == len(set(found))
    by_partition = [[number for number in found if number % 16 == partition] for partition in range(16)]
    assert all(numbers == sorted(numbers) for numbers in by_partition)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from(["put", "tear", "restart", "release"]), st.integers(0, 60)), max_size=20))
def test_any_history_keeps_every_settled_record_once(history: list[tuple[str, int]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "log"
        running = Running(folder)
        wanted: list[bytes] = []
        first = 0
        for step, (what, number) in enumerate(history):
            if what == "put":
                payload = b"%d:" % step + os.urandom(number)
                running.put(payload)
                wanted.append(payload)
            elif what == "release":
                reader = SegmentReader(folder)
                found = read_all(folder)
                info = reader.logs()[Lane.NORMAL]
                reader.release(info.uuid, found[number % len(found)].offset if found else info.start)
                first = len(wanted) - len(read_all(folder))
                reader.close()
            else:
                running.close()
                if what == "tear":
                    with segments(folder)[-1].open("ab") as file:
                        file.write(os.urandom(number))
                running = Running(folder)
            assert payloads(folder) == wanted[first:]
        running.close()


def test_the_spool_keeps_bodies_by_its_own_names(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", free_disk_bytes_min=0)
    name = spool.write(b"body")
    assert spool.read(name) == b"body"
    spool.delete(name)
    assert spool.read(name) is None
    with pytest.raises(ValueError, match="names no spooled body"):
        spool.read("../installation.key")


def test_the_spool_forgets_bodies_that_nobody_came_for(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", free_disk_bytes_min=0)
    name = spool.write(b"body")
    assert spool.forget_older(0, now=time.time() + limits.SPOOL_AGE_SECONDS_MIN - 60) == 0
    assert spool.forget_older(0, now=time.time() + limits.SPOOL_AGE_SECONDS_MIN + 60) == 1
    assert spool.read(name) is None


def test_the_spool_refuses_when_the_disk_has_no_room(tmp_path: Path) -> None:
    files = FailingFiles()
    files.free = 100
    with pytest.raises(QueueFull):
        Spool(tmp_path / "spool", free_disk_bytes_min=50, files=files).write(b"x" * 60)
