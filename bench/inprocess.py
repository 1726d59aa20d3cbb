"""The worker's half of the line in this process: records in, stored events out. No network, no log files.

Records are those that intake would have written for the load's requests; they go through the same refinery and the same
committer as in a worker.
"""

import gzip
import multiprocessing
import secrets
import time
from collections.abc import Iterable, Iterator
from multiprocessing.queues import Queue
from pathlib import Path
from typing import NamedTuple

from isal import igzip

from bench.client import envelope
from bench.faults import Faults
from catchall import heap
from catchall.bootstrap import Parts
from catchall.core import limits
from catchall.core.record import RawRecord, encode_record, partition_of
from catchall.core.times import MICROSECONDS
from catchall.installation import Installation
from catchall.intake.receiver import ENVELOPE
from catchall.pipeline.context import BatchContext, ProjectSettings
from catchall.queue.base import Lane, LogRecord
from catchall.worker.batch import Batch
from catchall.worker.commit import CommitLock, Committer
from catchall.worker.refine import Refinery

CHUNKS_WAITING_MAX = 4
GENERATED_SECONDS_MAX = 600.0
RETENTION_DAYS = 3650  # whatever the time of the load, its timestamps are taken as they are


class Load(NamedTuple):
    """What is to be stored: so many events of so many faults over so many projects, spread over a time.

    `first` and `last`: epoch seconds between which they arrive. `level`: how hard the bodies are compressed; clients
    take 6, and for a million events 1 is enough.
    """

    events: int
    faults: int
    projects: int
    first: float
    last: float
    level: int = 1


class Sent(NamedTuple):
    """One request of the load. `fault`: which of them."""

    fault: int
    event_id: str
    at: float
    body: bytes


def generate(load: Load) -> Iterator[list[Sent]]:
    """The requests in batches, as a worker gets them when there is enough to do."""
    faults = Faults(load.faults)
    step = (load.last - load.first) / load.events
    batch: list[Sent] = []
    for number in range(load.events):
        at = load.first + number * step
        fault, event = faults.happen(at)
        plain = envelope(event)
        body = gzip.compress(plain, load.level, mtime=0) if load.level > 1 else igzip.compress(plain, 1)
        batch.append(Sent(fault, event["event_id"], at, body))
        if len(batch) == limits.BATCH_RECORDS_MAX:
            yield batch
            batch = []
    if batch:
        yield batch


def generated_beside(load: Load) -> Iterator[list[Sent]]:
    """The same, made by another process: neither its time nor its memory is in what is measured here."""
    context = multiprocessing.get_context("spawn")
    queue: Queue[list[Sent]] = context.Queue(CHUNKS_WAITING_MAX)
    process = context.Process(target=_generate_into, args=(queue, load), daemon=True)
    process.start()
    try:
        while batch := queue.get(timeout=GENERATED_SECONDS_MAX):
            yield batch
    finally:
        process.terminate()
        process.join()


def _generate_into(queue: "Queue[list[Sent]]", load: Load) -> None:
    for batch in generate(load):
        queue.put(batch)
    queue.put([])


class InProcess:
    """An installation of its own and the parts of one worker."""

    def __init__(self, data: Path, projects: int) -> None:
        heap.collect_seldom()  # as in a worker
        installation = Installation(data)
        installation.create()
        self._parts = Parts(data)
        hot = self._parts.hot
        self.projects = [self._project(number) for number in range(projects)]
        self._key = installation.key()
        self._uuid = secrets.token_bytes(16)
        self._end = 0
        self._log = hot.register_log(self._uuid, Lane.NORMAL)
        self._leases = hot.take_leases("bench", range(limits.LOG_PARTITIONS))
        self._refinery = Refinery(self._key, self._parts.spool.read)
        lock = CommitLock(installation.commit_lock)
        self._committer = Committer(self._parts.events, hot, self._parts.blobs, lock, pause=time.sleep)
        self._settings = {
            project: ProjectSettings(project_id=project, slug=str(project), retention_days=RETENTION_DAYS)
            for project in self.projects
        }

    def _project(self, number: int) -> int:
        project, _ = self._parts.hot.create_project(
            f"project {number}", slug=f"project-{number}", key=secrets.token_hex(16), now=0
        )
        return project.project_id

    def arrive(self, batch: Iterable[Sent]) -> "Arrived":
        """What intake would have written for these requests."""
        records = []
        now = 0
        for sent in batch:
            now = int(sent.at * MICROSECONDS)
            record = RawRecord(
                protocol=ENVELOPE,
                project_id=self.projects[sent.fault % len(self.projects)],
                key_id=1,
                received_at=now,
                peer="127.0.0.1",
                event_id=sent.event_id,
                encoding="gzip",
                content_type="application/x-sentry-envelope",
                user_agent="sentry.python/2.14.0",
                body=sent.body,
            )
            payload = encode_record(record)
            offset, self._end = self._end, self._end + len(payload)
            partition = partition_of(sent.event_id, limits.LOG_PARTITIONS)
            records.append(LogRecord(offset, self._end, partition, False, payload))
        return Arrived(records, now)

    def refine(self, arrived: "Arrived") -> Batch:
        """Hop 5: what becomes of the records."""
        batch = Batch()
        context = BatchContext(now=arrived.at, installation_key=self._key, projects=self._settings)
        self._refinery.take(arrived.records, self._log, self._uuid, batch, context)
        for partition in range(limits.LOG_PARTITIONS):
            batch.positions[self._log, partition] = arrived.records[-1].next_offset
        return batch

    def commit(self, batch: Batch, at: int) -> None:
        """Hop 6: it is durable. `at`: microseconds since the epoch."""
        self._committer.commit(batch, self._leases, at)
        if self._parts.events.should_learn():
            self._parts.events.learn()  # in a process of its own in real life

    def settle(self) -> None:
        """What a worker does when nothing came for a moment."""
        self._committer.settle()

    def close(self) -> None:
        """Close the stores, as a worker that ends."""
        self._parts.close()


class Arrived(NamedTuple):
    """Records of one batch, and when the last of them came (microseconds since the epoch)."""

    records: list[LogRecord]
    at: int
