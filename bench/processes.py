"""What processes and files cost: memory, CPU time, disk, and how long the disk takes to make something durable."""

import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Self

TICKS = os.sysconf("SC_CLK_TCK")
BESIDE = Path("/var/tmp")
"""Where measurements keep their data: on a disk, which /tmp often is not."""


def pss_mib(pids: Iterable[int]) -> float:
    """Memory of processes in MiB, shared pages divided among those who share them. One that is gone has none."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return round(total / 1024, 1)


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far, all its threads and the children that ended, in steps of the system's clock tick.
    0 for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def running_seconds(pid: int) -> float:
    """CPU time of the threads that a process has now, to the nanosecond: for what takes less than a clock tick."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((thread / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total / 1e9


def with_children(pids: Iterable[int]) -> list[int]:
    """These processes and all that they started, which still run."""
    found: list[int] = []
    waiting = list(pids)
    while waiting:
        pid = waiting.pop()
        if pid in found:
            continue
        found.append(pid)
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                waiting.extend(int(child) for child in children.read_text().split())
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def disk_bytes(folder: Path) -> int:
    """Bytes on disk below a folder, or of a file, as allocated."""
    total = 0
    for path in [folder, *folder.rglob("*")]:
        try:
            total += path.stat().st_blocks * 512 if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def fsync_ms(writes: int = 200, size: int = 64 * 1024) -> dict[str, float]:
    """How long this disk takes to make an append durable (fdatasync), as the log does for each group of acks."""
    taken = []
    with tempfile.TemporaryFile(dir=BESIDE) as file:
        for _ in range(writes):
            file.write(os.urandom(size))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return {"p50_ms": percentile_ms(taken, 0.5), "p99_ms": percentile_ms(taken, 0.99)}


def percentile_ms(seconds: Sequence[float], share: float) -> float:
    """A percentile of durations, in milliseconds: the least that `share` of them do not exceed."""
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3, 3) if ordered else 0.0


def say(text: str) -> None:
    """Progress, for whoever watches: on stderr, because stdout holds the result alone."""
    print(f"  {text}", file=sys.stderr, flush=True)


class CpuSince:
    """CPU time of processes from now on, by name."""

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = pids
        self._before = {name: cpu_seconds(pid) for name, pid in pids.items()}

    def seconds(self, *prefixes: str) -> float:
        """Of those whose names begin so; of all when nothing is named."""
        return sum(
            cpu_seconds(pid) - self._before[name]
            for name, pid in self._pids.items()
            if not prefixes or name.startswith(prefixes)
        )

    def per_event(self, events: int) -> dict[str, int]:
        """Microseconds per event of a catchall's roles."""
        parts = {"workers": ("worker",), "intake": ("front",), "web": ("web",), "all": ()}
        return {name: round(self.seconds(*prefixes) / max(events, 1) * 1e6) for name, prefixes in parts.items()}


class Repeat:
    """Does something again and again beside the measurement, each time with the number of the round."""

    def __init__(self, work: Callable[[int], object], every: float) -> None:
        self._work = work
        self._every = every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.done = 0
        self.failed = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            try:
                self._work(self.done)
            except (OSError, RuntimeError) as error:
                self.failed += 1
                say(f"{type(error).__name__}: {error}")
            else:
                self.done += 1


class RepeatApart:
    """The same in a process of its own, for what must not take the time of the one that measures: Python's threads
    wait for each other."""

    def __init__(self, work: Callable[[int], object], every: float) -> None:
        context = multiprocessing.get_context("fork")
        self._ended = context.Event()
        self._counts = context.Array("q", 2)
        self._process = context.Process(target=self._run, args=(work, every), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._process.join()

    def _run(self, work: Callable[[int], object], every: float) -> None:
        repeat = Repeat(work, every)
        with repeat:
            self._ended.wait()
        self._counts[:] = [repeat.done, repeat.failed]

    @property
    def done(self) -> int:
        """How often it was done; known at the end."""
        done: int = self._counts[0]
        return done

    @property
    def failed(self) -> int:
        """How often it failed; known at the end."""
        failed: int = self._counts[1]
        return failed


class PeakMemory(Repeat):
    """Looks at the memory of processes, and of all that they started, a few times a second."""

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        super().__init__(lambda _round: self._look(pids()), every=0.5)
        self.peak = 0.0

    def _look(self, pids: Iterable[int]) -> None:
        self.peak = max(self.peak, pss_mib(with_children(pids)))
