"""The power fails at any moment: what was acknowledged is stored exactly once, and the ledger balances.

Kill -9 shows none of the mistakes with fsync, for the kernel still writes what a dead process left. So a short life of
an installation is recorded as the kernel sees it, cut at many places, and each time the disk is laid out as it may be
then, with and without what was not synced, and catchall is started on it. `CATCHALL_POWER_CUTS` sets the number of
places (default 40; 400 is what a release is held to).
"""

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from catchall import bootstrap
from catchall.installation import Installation
from catchall.store.base import EventFilter, IssueFilter
from catchall.worker.standing import standing
from tests.support.power.disk import CASES, after_power_cut, lay_out
from tests.support.power.recording import Acked, Disk, Operation, Write, record
from tests.support.power.story import BROKEN, FILE, NOON, SMALL_LIMITS, WITH_FILE

CUTS = int(os.environ.get("CATCHALL_POWER_CUTS", "40"))
ROUNDS_MAX = 20


class Recording(NamedTuple):
    """A life: the disk before it, and what happened to that."""

    before: Disk
    operations: list[Operation]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    if shutil.which("strace") is None:
        pytest.skip("no strace: install it to record what the kernel is asked for")
    folder = tmp_path_factory.mktemp("power")
    data = folder / "data"
    Installation(data).create()
    parts = bootstrap.Parts(data)
    parts.hot.create_project("Shop", slug="shop", key="a" * 32, now=NOON)
    parts.close()
    changes = "; ".join(f"limits.{name} = {value}" for name, value in SMALL_LIMITS.items())
    program = f"from catchall.core import limits; {changes}; from pathlib import Path; "
    program += f"from tests.support.power.story import play; play(Path({str(data)!r}))"
    return Recording(*record([sys.executable, "-c", program], data, folder / "trace"))


def places(operations: list[Operation]) -> Iterator[int]:
    """Where to cut: around everything but plain writes, evenly over the life, and at its end."""
    found = [index for index, one in enumerate(operations) if not isinstance(one, Write)]
    step = max(1, len(found) // CUTS)
    for index in found[::step]:
        yield index + 1
    yield len(operations)


def start_and_check(data: Path, acked: set[str]) -> None:
    """Start on what is left, finish the work, and look at everything."""
    parts = bootstrap.Parts(data)
    try:
        bootstrap.prepare_log(parts)
        worker = bootstrap.make_worker(parts, 0, 1)
        worker.start()
        for _ in range(ROUNDS_MAX):
            if not worker.round():
                break
        found = list(parts.events.iterate(EventFilter()))
        stored = {event.event_id: event for event in found}
        assert len(found) == len(stored)
        dead = parts.hot.dead_letters(limit=100)
        now = standing(parts.reader, parts.hot)
        assert now.balanced, now.differences()
        assert now.waiting == 0
        items = now.ledger()["items"]
        assert acked - set(stored) <= BROKEN
        assert len(acked & BROKEN) <= len(dead) == items["dead"] <= len(BROKEN)
        assert items["stored"] == len(stored) + len(WITH_FILE & set(stored))
        for event_id in WITH_FILE & set(stored):
            (file,) = stored[event_id].attachments
            assert parts.blobs.get(file.blob) == FILE
        issues, _ = parts.hot.issues(IssueFilter(), sort="events", limit=100)
        assert sum(issue.events for issue in issues) == len(stored)
    finally:
        parts.close()
    for path in data.rglob("*.db"):
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CASES)
def test_whatever_the_disk_got_round_to_nothing_acknowledged_is_lost(
    recording: Recording, tmp_path: Path, case: str
) -> None:
    for cut in places(recording.operations):
        operations = recording.operations[:cut]
        acked = {one.event_id for one in operations if isinstance(one, Acked)}
        data = tmp_path / f"cut-{cut}"
        lay_out(after_power_cut(recording.before, operations, case, seed=cut), data)
        try:
            start_and_check(data, acked)
        except BaseException as error:
            error.add_note(f"cut after operation {cut}, {operations[-1]!r:.200}, case {case!r}; the disk is in {data}")
            raise
        shutil.rmtree(data)
