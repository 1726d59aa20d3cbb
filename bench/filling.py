"""Fills an installation with many events in process, and watches what that costs as it grows."""

import gc
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.client import pace_us
from bench.inprocess import InProcess, Load, generated_beside
from bench.processes import disk_bytes, say

MARKS = (10_000, 100_000, 1_000_000)
"""Numbers of stored events at which the cost is looked at."""
SAY_EVERY = 10_000
FLAT = 0.2
"""How far the cost per event may be from that at the first mark."""


class Spent(NamedTuple):
    """CPU seconds so far, for so many events."""

    events: int
    refine: float
    commit: float


def marks_of(count: int) -> list[int]:
    """The marks up to a number of events, and that number itself."""
    return [mark for mark in MARKS if mark < count] + [count]


def cost_between(before: Spent, after: Spent) -> dict[str, float]:
    """CPU microseconds per event of the events between two moments."""
    events = max(after.events - before.events, 1)
    refine = (after.refine - before.refine) / events * 1e6
    commit = (after.commit - before.commit) / events * 1e6
    return {"refine_us": round(refine, 1), "commit_us": round(commit, 1), "sum_us": round(refine + commit, 1)}


def growth(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The cost per event at the last mark against that at the first: as measured, and by the machine's pace."""
    first, last = rows[0], rows[-1]
    ratio = last["sum_us"] / first["sum_us"]
    paced = ratio * first["json_loads_us"] / last["json_loads_us"]
    return {"ratio": round(ratio, 2), "ratio_by_pace": round(paced, 2), "flat": abs(ratio - 1) <= FLAT}


class Filling:
    """Takes a load in and notes the cost at each mark: of the second half of the events up to there."""

    def __init__(self, data: Path, load: Load) -> None:
        self._data = data
        self._load = load
        self._line = InProcess(data, load.projects)
        self._so_far = Spent(0, 0.0, 0.0)
        self._paces: list[float] = []
        self.rows: list[dict[str, Any]] = []

    def run(self) -> None:
        """Fill. Afterwards the stores are closed."""
        load = self._load
        marks = marks_of(load.events)
        halves = [mark // 2 for mark in marks]
        middle = self._so_far
        gc.collect()
        gc.freeze()  # as in a worker, where all that lives long was made before the fork
        for sent in generated_beside(load):
            before = self._so_far.events
            self._take(self._line.arrive(sent))
            now = self._so_far.events
            if now // SAY_EVERY != before // SAY_EVERY:
                self._paces.append(pace_us(50))
                self._say(now)
            if marks and now >= marks[0]:
                marks.pop(0)
                self._mark(middle)
            if any(before < half <= now for half in halves):
                middle = self._so_far
                self._paces = []
        self._line.close()

    def _take(self, arrived: Any) -> None:
        began = time.process_time()
        batch = self._line.refine(arrived)
        refined = time.process_time()
        self._line.commit(batch, arrived.at)
        ended = time.process_time()
        events, refine, commit = self._so_far
        self._so_far = Spent(events + len(arrived.records), refine + refined - began, commit + ended - refined)

    def _mark(self, middle: Spent) -> None:
        self._line.settle()
        events = self._so_far.events
        self.rows.append(
            {
                "events": events,
                **cost_between(middle, self._so_far),
                "json_loads_us": round(sum(self._paces) / len(self._paces), 1) if self._paces else pace_us(),
                "disk_bytes_per_event": round(disk_bytes(self._data) / events),
                "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            }
        )

    def _say(self, now: int) -> None:
        spent = (self._so_far.refine + self._so_far.commit) / now * 1e6
        say(f"filling: {now} of {self._load.events}, {spent:.0f} us of CPU per event so far")
