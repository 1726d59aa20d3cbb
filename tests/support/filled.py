"""A data folder full of stories, made by the real log and the real worker: nothing is written past the pipeline."""

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from catchall.bootstrap import Parts, make_worker
from catchall.config import Settings
from catchall.core.limits import LOG_PARTITIONS
from catchall.core.record import RawRecord, encode_record, partition_of
from catchall.installation import Installation
from catchall.queue.base import Lane
from catchall.queue.segments import SegmentWriter
from tests.support.stories import STORIES, envelope, event_of, times

PROJECTS = {
    "checkout-api": ("Checkout API", "python"),
    "web-shop": ("Web shop", "browser"),
    "importer": ("Importer", "python"),
}
BROKEN = (
    b'{"sent_at":"2026-01-01T00:00:00Z"}\n{"type":"event"}\n{"message": "cut off in the mid\n',
    b'{}\n{"type":"event","length":4096}\n{"message":"shorter than it says"}',
    b'{}\n{"type":"event"}\n{"exception": [[[ "<script>alert(1)</script>", "\x1b[31mred" ]]]\n',
)
ROUNDS_MAX = 1000


def fill(data: Path, *, share: float = 1.0, empty_project: bool = True) -> None:
    """Make an installation in `data` with all stories (a `share` of each) and three dead letters."""
    Installation(data).create()
    with Parts(data, Settings()) as parts:
        now = time.time()
        numbers = {}
        for key, (slug, (name, platform)) in enumerate(PROJECTS.items()):
            made = parts.hot.create_project(
                name, slug=slug, key=f"{key:032x}", now=_micros(now - 40 * 86_400), platform=platform
            )
            numbers[slug] = (made[0].project_id, made[1].key_id)
        if empty_project:
            parts.hot.create_project("Mobile app", slug="mobile-app", key=f"{99:032x}", now=_micros(now), platform="")
        _write(parts, _requests(now, numbers, share))
        work(parts)


def work(parts: Parts) -> None:
    """Let a worker process all that waits in the log."""
    worker = make_worker(parts, 0, 1)
    worker.start()
    for _ in range(ROUNDS_MAX):
        if not worker.round():
            return


def add(data: Path, slug: str, event: dict[str, Any]) -> str:
    """One more event, through the log and the worker; the id of its issue. Not beside a running server."""
    with Parts(data, Settings()) as parts:
        project = next(one for one in parts.hot.projects() if one.slug == slug)
        key = parts.hot.keys(project.project_id)[0]
        at = time.time()
        body = envelope({"timestamp": at, **event}, at)
        _write(parts, [_record(project.project_id, key.key_id, at, body, event["event_id"])])
        work(parts)
        stored = parts.events.get(project.project_id, event["event_id"])
        assert stored is not None, "the event was not stored"
        return stored.issue_id


def _micros(seconds: float) -> int:
    return int(seconds * 1_000_000)


def _requests(now: float, numbers: dict[str, tuple[int, int]], share: float) -> list[RawRecord]:
    """What the clients would have sent, in the order of its arrival."""
    chance = random.Random(20)
    sent: list[tuple[float, RawRecord]] = []
    for story in STORIES:
        project_id, key_id = numbers[story.project]
        moments = times(story, now, chance)
        keep = max(2, round(len(moments) * share))
        for number, at in enumerate(moments[-keep:]):
            event = event_of(story, number, at, chance)
            sent.append((at, _record(project_id, key_id, at, envelope(event, at), event["event_id"])))
    for number, body in enumerate(BROKEN):
        project_id, key_id = numbers["web-shop"]
        sent.append((now - 600 * (number + 1), _record(project_id, key_id, now - 600 * (number + 1), body, "")))
    return [record for _, record in sorted(sent, key=lambda pair: pair[0])]


def _record(project_id: int, key_id: int, at: float, body: bytes, event_id: str) -> RawRecord:
    return RawRecord(
        protocol="sentry.envelope",
        project_id=project_id,
        key_id=key_id,
        received_at=_micros(at + 0.2),
        peer="192.0.2.7",
        event_id=event_id,
        content_type="application/x-sentry-envelope",
        body=body,
    )


def _write(parts: Parts, records: list[RawRecord]) -> None:
    failures: list[object] = []

    def settle(tickets: Sequence[object], failure: object) -> None:
        if failure is not None:
            failures.append(failure)

    writer = SegmentWriter(parts.installation.log, settle)
    for record in records:
        partition = partition_of(record.event_id, LOG_PARTITIONS) if record.event_id else 0
        writer.append(Lane.NORMAL, partition, encode_record(record), record.event_id)
    writer.close(30.0)
    assert not failures
