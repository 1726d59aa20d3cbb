"""A short life of an installation, played by the real parts, for the power-cut tests to record and to cut.

"acked ID" is written to the standard output once the sender would have its answer. With the small limits segments roll,
write-ahead logs are emptied and a dictionary is trained within a few dozen events.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from catchall import bootstrap
from catchall.core import limits
from catchall.core.record import RawRecord, encode_record, partition_of
from catchall.queue.base import Lane
from catchall.queue.segments import SegmentWriter

ANSWER_SECONDS = 20.0
SMALL_LIMITS = {
    "LOG_SEGMENT_BYTES_MAX": 12_000,
    "LOG_ROLL_DRAINED_BYTES": 2_000,
    "LOG_FREE_DISK_BYTES_MIN": 0,
    "HOT_WAL_PAGES": 40,
    "SHARD_LOG_PAGES_MIN": 40,
    "DICTIONARY_EVENTS_MIN": 60,
    "SETTLE_SECONDS": 0,
    "LOG_RELEASE_SECONDS": 0,
}
BROKEN = {f"{number:032x}" for number in (31, 32)}  # events that are no JSON: dead letters
WITH_FILE = {f"{number:032x}" for number in (33, 34)}
FILE = b"hello"
DAY = 86_400_000_000
NOON = 1_795_478_400_000_000


class Story:
    """Sends, works and says what was acknowledged."""

    def __init__(self, data: Path) -> None:
        self.parts = bootstrap.Parts(data)
        self._answered = 0
        self._number = 0
        self.now = NOON
        self._writer = SegmentWriter(self.parts.installation.log, self._answer, free_disk_bytes_min=0)
        self.worker = bootstrap.make_worker(self.parts, 0, 1)
        self.worker.start()

    def _answer(self, tickets: Any, error: object) -> None:
        assert error is None
        for ticket in tickets:
            os.write(1, f"acked {ticket}\n".encode())
        self._answered += len(tickets)

    def send(self, count: int, *, spool: bool = False) -> None:
        """Append requests, each with an event of its own, and wait until they are answered."""
        for _ in range(count):
            self._number += 1
            event_id = f"{self._number:032x}"
            body = _envelope(event_id, self._number)
            record = RawRecord(
                protocol="sentry.envelope",
                project_id=1,
                key_id=1,
                received_at=self.now,
                event_id=event_id,
                body=b"" if spool else body,
                spool=self.parts.spool.write(body) if spool else "",
            )
            partition = partition_of(event_id, limits.LOG_PARTITIONS)
            self._writer.append(Lane.NORMAL, partition, encode_record(record), event_id)
        deadline = time.monotonic() + ANSWER_SECONDS
        while self._answered < self._number:
            assert time.monotonic() < deadline, "the log does not answer"
            time.sleep(0.001)

    def work(self, rounds: int = 3) -> None:
        """Let the worker do what there is."""
        turns = iter([True] * rounds)
        self.worker.run(lambda: next(turns, False), lambda _seconds: None)
        if self.parts.events.should_learn():
            self.parts.events.learn()  # in a process of its own in real life

    def end(self) -> None:
        """Stop, as a clean stop does."""
        self._writer.close(10)
        self.work()
        self.parts.close()


def _envelope(event_id: str, number: int) -> bytes:
    event = {
        "event_id": event_id,
        "message": f"order {number} failed",
        "user": {"id": str(number)},
        "tags": {"region": "eu-1", "shelf": f"s{number % 7}"},
        "exception": {"values": [{"type": f"Error{number % 5}", "value": "bad", "stacktrace": _stack(number % 5)}]},
    }
    payload = b"nonsense" if event_id in BROKEN else json.dumps(event).encode()
    lines = [b'{"event_id":"%s"}' % event_id.encode(), b'{"type":"event","length":%d}' % len(payload), payload]
    if event_id in WITH_FILE:
        lines += [b'{"type":"attachment","length":%d,"filename":"a.txt"}' % len(FILE), FILE]
    return b"\n".join(lines)


def _stack(fault: int) -> dict[str, Any]:
    return {"frames": [{"function": f"f{fault}_{place}", "module": "shop", "lineno": place + 1} for place in range(5)]}


def play(data: Path) -> None:
    """The story: batches of several sizes, every kind of thing that is stored, a day's end, a clean stop."""
    story = Story(data)
    for count in (1, 7, 20):
        story.send(count)
        story.work()
    story.send(2, spool=True)
    story.send(4)  # two broken ones and two with a file
    story.work()
    story.send(40)
    story.work()
    story.now += DAY
    story.send(10)
    story.work()
    story.send(5)
    story.end()
