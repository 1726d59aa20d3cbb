"""Batches for tests of the hot tables: events with short names, and a worker that commits them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catchall.core.event import SEVERITIES
from catchall.core.identity import Position, issue_id_of
from catchall.core.issue import Issue, IssueTransition
from catchall.core.ledger import LedgerKey
from catchall.core.times import MICROSECONDS
from catchall.store.base import AppliedEvent, DeadLetter, EventRow, Hot, HotBatch, Lease
from catchall.store.memory_hot import MemoryHot
from catchall.store.sqlite.hot import SqliteHot

BACKENDS = ("sqlite", "memory")
LOG_UUID = b"log-of-the-tests"
START = 1_790_000_000  # epoch seconds; 2026-09-21T14:13:20Z


@contextmanager
def opened(backend: str, folder: Path) -> Iterator[Hot]:
    """The hot tables of a backend, empty."""
    hot: Hot = SqliteHot(folder / "hot.db") if backend == "sqlite" else MemoryHot()
    yield hot
    hot.close()


def key_of(number: int) -> str:
    """A DSN's key."""
    return f"{number:032x}"


def make_projects(hot: Hot, count: int = 2) -> None:
    """Projects 1 to `count`."""
    for number in range(1, count + 1):
        hot.create_project(f"Project {number}", slug=f"project-{number}", key=key_of(number), now=START * MICROSECONDS)


def issue_of(fault: str, project: int = 1) -> int:
    """The id of the issue that events with this fault belong to."""
    return issue_id_of(project, f"v1:{fault}")


def event(fault: str = "fault", *, project: int = 1, at: float = 0, name: str = "", **changes: Any) -> AppliedEvent:
    """An event `at` seconds after START. `name` makes its id; without one every call makes another."""
    event_id = hashlib.md5((name or f"{_next_number()}").encode()).hexdigest()
    timestamp = START * MICROSECONDS + round(at * MICROSECONDS)
    severity = changes.pop("severity", "error")
    row = EventRow(
        project_id=project,
        event_id=event_id,
        position=Position(1, 0, 0),
        timestamp=timestamp,
        received_at=changes.pop("received_at", timestamp),
        severity=SEVERITIES.index(severity),
        environment=changes.pop("environment", "production"),
        release_version=changes.pop("release", "app@1.0"),
        service_name="api",
        issue_id=issue_of(fault, project),
        user_id=changes.pop("user", ""),
        trace_id="",
        error_type=changes.pop("error_type", "ValueError"),
        message=changes.pop("message", f"message of {fault}"),
        transaction="",
        culprit=changes.pop("culprit", f"app.views in {fault}"),
        platform="python",
        category="code",
        handled=changes.pop("handled", False),
        fingerprint=f"v1:{fault}",
        fingerprint_reason="type and frames",
        text="",
        tags=[],
        body=b"",
        stacks=[],
    )
    assert not changes, changes
    return AppliedEvent(row, issue_of(fault, project))


_numbers = iter(range(1_000_000_000))


def _next_number() -> int:
    return next(_numbers)


def dead_letter(
    project: int = 1, *, data: bytes = b"broken", record: bytes = b"whole record", **changes: Any
) -> DeadLetter:
    """A dead letter as a worker hands it over."""
    facts: dict[str, Any] = {
        "project_id": project,
        "category": "error",
        "reason": "json_malformed",
        "detail": "at byte 5",
        "received_at": START * MICROSECONDS,
        "position": Position(1, 4096, 2),
        "protocol": "sentry",
        "data": data,
        "record": record,
    }
    return DeadLetter(**(facts | changes))


class Feeder:
    """A worker that has some partitions of one log and commits what it is given."""

    def __init__(self, hot: Hot, *, partitions: tuple[int, ...] = (0, 1), worker: str = "worker-1") -> None:
        self.hot = hot
        self.log = hot.register_log(LOG_UUID, 1)
        self.leases: list[Lease] = hot.take_leases(worker, partitions)
        self.partitions = partitions
        self.offset = max(hot.positions(self.log)[partition] for partition in partitions)

    def batch(self, *events: AppliedEvent, at: float = 0, **changes: Any) -> HotBatch:
        """The next batch. `at`: when it is committed, in seconds after START."""
        self.offset += 100
        facts: dict[str, Any] = {
            "leases": self.leases,
            "positions": {(self.log, partition): self.offset for partition in self.partitions},
            "events": list(events),
            "ledger": counted(events),
            "rollups": {},
            "dead_letters": [],
            "requests": len(events),
            "now": START * MICROSECONDS + round(at * MICROSECONDS),
        }
        return HotBatch(**(facts | changes))

    def commit(self, *events: AppliedEvent, at: float = 0, **changes: Any) -> list[IssueTransition]:
        """Commit the next batch."""
        return self.hot.commit(self.batch(*events, at=at, **changes))


def counted(events: tuple[AppliedEvent, ...]) -> dict[LedgerKey, int]:
    """What a worker counts for events that are stored."""
    ledger: dict[LedgerKey, int] = {}
    for applied in events:
        for outcome in ("seen", "stored"):
            key = LedgerKey(applied.row.project_id, "error", outcome, "")
            ledger[key] = ledger.get(key, 0) + 1
    return ledger


def found(hot: Hot, fault: str = "fault", project: int = 1) -> Issue:
    """The issue of a fault, which is there."""
    issue = hot.issue(issue_of(fault, project))
    assert issue is not None
    return issue
