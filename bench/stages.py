"""`python -m bench.stages`: CPU microseconds per event, stage by stage, of the worker's half of the line.

In process, without network and log files: the load's requests go through the real refinery and committer, whose parts
are wrapped in stopwatches. A stage's time is its own, without that of the stages inside it, so that the stages add up
to the whole. What the stopwatches themselves cost is measured, too, and taken off. Prints one JSON line.
"""

import argparse
import gc
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, ParamSpec, TypeVar
from unittest.mock import patch

from bench.client import pace_us
from bench.inprocess import InProcess, Load, generate
from bench.processes import BESIDE, say
from catchall.core import limits
from catchall.pipeline import build, row
from catchall.store.sqlite import events, payloads, prepared
from catchall.store.sqlite.hot import SqliteHot
from catchall.wire import sentry
from catchall.worker import commit, refine

P = ParamSpec("P")
R = TypeVar("R")

STAGES = (
    "record",
    "inflate",
    "parse",
    *(step.__name__ for step in build.STEPS),
    "freeze",
    "encode",
    "row",
    "refine: the rest",
    "prepare: compress",
    "prepare: tokens",
    "prepare: the rest",
    "commit: events",
    "commit: hot tables",
    "commit: the rest",
)
"""In the order of the line."""


class Stopwatch:
    """CPU time by stage; a stage within another one stops the outer one's watch."""

    def __init__(self, clock: Callable[[], int] = time.thread_time_ns) -> None:
        self.own: dict[str, int] = defaultdict(int)
        self.calls: dict[str, int] = defaultdict(int)
        self._clock = clock
        self._inner: list[int] = []

    def wrap(self, stage: str, work: Callable[P, R]) -> Callable[P, R]:
        """The same function, watched."""
        clock, own, calls, inner = self._clock, self.own, self.calls, self._inner

        def watched(*arguments: P.args, **named: P.kwargs) -> R:
            inner.append(0)
            began = clock()
            try:
                return work(*arguments, **named)
            finally:
                spent = clock() - began
                own[stage] += spent - inner.pop()
                calls[stage] += 1
                if inner:
                    inner[-1] += spent

        return watched


def watch_cost(rounds: int = 20_000) -> tuple[float, float]:
    """What a watch adds, in nanoseconds per call: to the stage itself, and to the one around it."""
    watch = Stopwatch()
    nothing = watch.wrap("inside", lambda: None)

    def calls() -> None:
        for _ in range(rounds):
            nothing()

    watch.wrap("around", calls)()
    return watch.own["inside"] / rounds, watch.own["around"] / rounds


@contextmanager
def watched(watch: Stopwatch) -> Iterator[None]:
    """Put watches on all stages."""
    places: list[tuple[ModuleType | type, str, str]] = [
        (refine, "decode_record", "record"),
        (refine, "inflate", "inflate"),
        (sentry, "parse", "parse"),
        (refine, "freeze", "freeze"),
        (row, "encode_body", "encode"),
        (refine, "to_row", "row"),
        (refine.Refinery, "take", "refine: the rest"),
        (payloads.FrameWriter, "compress", "prepare: compress"),
        (prepared, "tag_text", "prepare: tokens"),
        (prepared, "event_document", "prepare: tokens"),
        (events.SqliteEventStore, "prepare", "prepare: the rest"),
        (events.SqliteEventStore, "commit", "commit: events"),
        (SqliteHot, "commit", "commit: hot tables"),
        (commit.Committer, "commit", "commit: the rest"),
    ]
    steps = tuple(watch.wrap(step.__name__, step) for step in build.STEPS)
    with ExitStack() as all_of_them:
        all_of_them.enter_context(patch.object(build, "STEPS", steps))
        for owner, name, stage in places:
            all_of_them.enter_context(patch.object(owner, name, watch.wrap(stage, getattr(owner, name))))
        yield


def measure(count: int, faults: int, projects: int) -> dict[str, Any]:
    """Events are stored first until the day's dictionary is there; then `count` are measured."""
    batches = -(-2 * limits.DICTIONARY_EVENTS_MIN // limits.BATCH_RECORDS_MAX)
    before = batches * limits.BATCH_RECORDS_MAX
    now = time.time()
    load = Load(before + count, faults, projects, now - 3600, now, level=6)
    watch = Stopwatch()
    done = 0
    with tempfile.TemporaryDirectory(prefix="catchall-stages-", dir=BESIDE) as folder:
        line = InProcess(Path(folder) / "data", projects)
        for sent in generate(load):
            arrived = line.arrive(sent)
            if done < before:
                line.commit(line.refine(arrived), arrived.at)
            else:
                gc.freeze()  # as in a worker, where all that lives long was made before the fork
                with watched(watch):
                    line.commit(line.refine(arrived), arrived.at)
            done += len(sent)
            if done % 5000 == 0:
                say(f"stages: {done} of {load.events}")
        line.close()
    return _result(watch, count)


def _result(watch: Stopwatch, count: int) -> dict[str, Any]:
    inside, around = watch_cost()
    whole = sum(watch.own.values()) - (inside + around) * sum(watch.calls.values())
    own = {stage: (watch.own[stage] - inside * watch.calls[stage]) / count / 1e3 for stage in STAGES}
    return {
        "events": count,
        "json_loads_us": pace_us(),
        "us_per_event": {stage: round(spent, 1) for stage, spent in own.items()},
        "sum_us_per_event": round(whole / count / 1e3, 1),
    }


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--faults", type=int, default=50)
    parser.add_argument("--projects", type=int, default=1)
    wanted = parser.parse_args()
    print(json.dumps(measure(wanted.count, wanted.faults, wanted.projects)))


if __name__ == "__main__":
    main()
