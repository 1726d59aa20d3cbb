"""The log as segment files: the writer's end. One process, one commit thread, one fsync for all that waits.

While one group is written and synced, the next gathers. Readers see a record only after its fsync (`Published`). After
a failed write or fsync the file is never written again: what it holds beyond the durable end is cut or hidden by the
next segment, which begins right there.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from catchall.core import limits
from catchall.core.errors import QueueFailed, QueueFull, Reason, StoreError
from catchall.queue.base import Lane, Settle
from catchall.queue.files import Files
from catchall.queue.published import Published
from catchall.queue.segment_folder import bases, lane_folder, make_uuid, segment_path
from catchall.queue.segment_format import (
    HEADER_BYTES,
    SegmentHeader,
    decode_header,
    encode_header,
    encode_log_record,
    torn_at,
    walk,
)
from catchall.queue.segment_reader import SegmentReader

__all__ = ["SegmentReader", "SegmentWriter"]

log = structlog.get_logger(__name__)


class _LaneLog:
    """One lane's log as its writer knows it: the active segment and how far it is durable."""

    def __init__(self, folder: Path, lane: Lane, files: Files, published: Published, clock: Callable[[], int]) -> None:
        self.lane = lane
        self.folder = folder
        self._files = files
        self._published = published
        self._clock = clock
        self._descriptor = -1
        self._base = 0
        self.start = 0
        self.end = 0
        self.requests = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.sync_folder(folder.parent)
        self._uuid = make_uuid(files, folder)
        self._recover()

    def _recover(self) -> None:
        """Cut the torn tail of the last segment; what is whole there counts, also if nobody was told so."""
        found = bases(self.folder)
        if not found:
            self._published.reset_released(self.lane)
            self._begin_segment()
        else:
            path = segment_path(self.folder, found[-1])
            data = path.read_bytes()
            header = decode_header(data)
            if header.uuid != self._uuid:
                raise StoreError(f"{path} belongs to another log: move the folder away, or restore the right one")
            body = data[HEADER_BYTES:]
            whole = torn_at(body)
            self._base, self.end = header.base, header.base + whole
            self.requests = header.requests + sum(not record.internal for record in walk(body[:whole]))
            self._descriptor = self._files.open_existing(path)
            if whole < len(body):
                log.warning("torn tail of the log cut", lane=self.lane.name.lower(), bytes=len(body) - whole)
                self._files.truncate(self._descriptor, HEADER_BYTES + whole)
            self._files.sync(self._descriptor)
        self.start = bases(self.folder)[0]
        self._published.publish(self.lane, self.end, self.requests)

    def _begin_segment(self) -> None:
        """Make the next active segment: there whole, with its header, before anything points to it."""
        self._give_up_segment()
        path = segment_path(self.folder, self.end)
        partial = path.with_suffix(".partial")
        descriptor = self._files.open_new(partial)
        try:
            header = encode_header(SegmentHeader(self._uuid, self.end, self.requests, self._clock()))
            self._files.write_at(descriptor, header, 0)
            self._files.sync(descriptor)
            self._files.rename(partial, path)
            self._files.sync_folder(self.folder)
        except OSError:
            self._files.close(descriptor)
            raise
        self._descriptor = descriptor
        self._base = self.end

    def _give_up_segment(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            self._files.close(descriptor)

    def commit(self, data: bytes, requests: int) -> None:
        """Write and sync one group. Raises OSError; then nothing of it will ever be read."""
        if self._descriptor < 0 or self.end - self._base >= limits.LOG_SEGMENT_BYTES_MAX:
            self._begin_segment()
        descriptor = self._descriptor
        try:
            self._files.write_at(descriptor, data, HEADER_BYTES + self.end - self._base)
            self._files.sync(descriptor)
        except OSError:
            self._cut_failed()
            raise
        self.end += len(data)
        self.requests += requests
        self._published.publish(self.lane, self.end, self.requests)

    def _cut_failed(self) -> None:
        try:
            self._files.truncate(self._descriptor, HEADER_BYTES + self.end - self._base)
        except OSError as error:
            log.warning("the tail of a failed segment stays, hidden by the next", error=str(error))
        self._give_up_segment()

    def roll_when_drained(self) -> None:
        """Let a committed active segment go, so that its disk can be freed."""
        size = self.end - self._base
        large = self._descriptor >= 0 and size >= limits.LOG_ROLL_DRAINED_BYTES
        if large and self._published.released(self.lane) >= self.end:
            self._begin_segment()

    def look_at_start(self) -> None:
        """Workers remove segments: see where the log begins now."""
        found = bases(self.folder)
        self.start = found[0] if found else self.end

    def close(self) -> None:
        """Close the active segment; all of it is durable."""
        self._give_up_segment()


class SegmentWriter:
    """The writing end of the logs of one folder. Raises StoreError when another process has it."""

    def __init__(
        self,
        root: Path,
        settle: Settle,
        *,
        bytes_max: int = limits.LOG_BYTES_MAX,
        free_disk_bytes_min: int = limits.LOG_FREE_DISK_BYTES_MIN,
        pending_bytes_max: int = limits.LOG_PENDING_BYTES_MAX,
        files: Files | None = None,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._files = files or Files()
        self._root = root
        self._settle = settle
        self._bytes_max = bytes_max
        self._free_disk_bytes_min = free_disk_bytes_min
        self._pending_bytes_max = pending_bytes_max
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = self._take_lock()
        self._published = Published(root, create=True)
        self._logs = [_LaneLog(lane_folder(root, lane), lane, self._files, self._published, clock) for lane in Lane]
        self._chunks: list[list[bytes]] = [[] for _ in Lane]
        self._requests = [0 for _ in Lane]
        self._tickets: list[object] = []
        self._pending_bytes = 0
        self._space_looked_at = 0.0
        self._complained_at = float("-inf")
        self._no_space: QueueFull | None = None
        self._closing = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="log-commit", daemon=True)
        self._thread.start()

    def _take_lock(self) -> int:
        lock = os.open(self._root / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise StoreError(f"another process writes the log in {self._root}: only one front may run") from None
        return lock

    def append(self, lane: Lane, partition: int, payload: bytes, ticket: object, *, internal: bool = False) -> None:
        """Take a record for the next group commit (see `LogWriter.append`)."""
        self._refuse_when_full(lane)
        if len(payload) > limits.LOG_RECORD_BYTES_MAX:
            raise QueueFull(Reason.TOO_LARGE, limits.LOG_RETRY_AFTER_SECONDS)
        record = encode_log_record(partition, payload, internal)
        with self._wake:
            if self._closing:
                raise QueueFull(Reason.LOG_UNAVAILABLE, limits.LOG_RETRY_AFTER_SECONDS)
            if not self._tickets:
                self._wake.notify()
            self._chunks[lane].append(record)
            self._requests[lane] += not internal
            self._tickets.append(ticket)
            self._pending_bytes += len(record)

    def _refuse_when_full(self, lane: Lane) -> None:
        now = time.monotonic()
        if now - self._space_looked_at > limits.LOG_SPACE_CHECK_SECONDS:
            self._space_looked_at = now
            self._look_at_space()
        if self._no_space:
            raise self._no_space
        own = self._logs[lane]
        if own.end - own.start > self._bytes_max or self._pending_bytes > self._pending_bytes_max:
            raise QueueFull(Reason.LOG_FULL, limits.LOG_RETRY_AFTER_SECONDS)

    def _look_at_space(self) -> None:
        for one in self._logs:
            one.look_at_start()
        free = self._files.free_bytes(self._root)
        full = free < self._free_disk_bytes_min
        self._no_space = QueueFull(Reason.DISK_FULL, limits.LOG_RETRY_AFTER_SECONDS) if full else None

    def _run(self) -> None:
        """The commit thread: group after group, until closed and empty."""
        while True:
            with self._wake:
                if not self._tickets and not self._closing:
                    self._wake.wait(limits.LOG_TICK_SECONDS)
                if not self._tickets and self._closing:
                    return
                chunks, self._chunks = self._chunks, [[] for _ in Lane]
                requests, self._requests = self._requests, [0 for _ in Lane]
                tickets, self._tickets = self._tickets, []
                self._pending_bytes = 0
            error = self._commit(chunks, requests)
            if tickets:
                try:
                    self._settle(tickets, error)
                except Exception:  # the edge to foreign code: it must not end the thread that everybody waits for
                    log.exception("settling a group failed")

    def _commit(self, chunks: list[list[bytes]], requests: list[int]) -> QueueFailed | None:
        failed: OSError | None = None
        for one in self._logs:
            try:
                if chunks[one.lane]:
                    one.commit(b"".join(chunks[one.lane]), requests[one.lane])
                one.roll_when_drained()
            except OSError as error:
                failed = error
                self._space_looked_at = 0.0
                self._complain(one.lane, error)
        # a group may span lanes: if one failed, all are told so, and what did get through is a duplicate at worst
        return QueueFailed(f"the log cannot be written: {failed}") if failed else None

    def _complain(self, lane: Lane, error: OSError) -> None:
        """Once in a while: on a full disk hundreds of groups fail each second, and our own log lies there too."""
        now = time.monotonic()
        if now - self._complained_at >= limits.LOG_COMPLAINT_SECONDS:
            self._complained_at = now
            log.error("the log cannot be written", lane=lane.name.lower(), error=str(error))

    def close(self, timeout: float) -> None:
        """Commit what is pending, settle it, stop. Idempotent."""
        with self._wake:
            if self._closing:
                return
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout)
        for one in self._logs:
            one.close()
        os.close(self._lock)
