"""`python -m bench.line`: acks, full processing, latency, memory, disk and CPU of a catchall of our own, side by side.

Prints one JSON line. The client runs on the same cores. `--count`: events of the processing run.
"""

import argparse
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

from bench.client import requests, send
from bench.server import Server, cpu_seconds, disk_bytes, pss_mib

PROJECTS = 50


def idle_and_start() -> dict[str, Any]:
    """Seconds to the first answer and memory at rest."""
    server = Server()
    with server:
        server.stop()
        start = server.start()
        server.wait_for("/readyz")
        time.sleep(3.0)
        roles = server.roles()
        by_role = {name: pss_mib([pid]) for name, pid in roles.items()}
        return {"start_s": round(start, 2), "idle_pss_mib": pss_mib(list(roles.values())), "idle_by_role_mib": by_role}


def intake_alone(count: int) -> dict[str, Any]:
    """Durable acks at saturation while nobody reads the log."""
    with Server() as server:
        dsn = server.create_project("acks")["dsn"]
        server.stop()
        server.start("--role", "front")
        try:
            outcome = send(requests([dsn], count, 50), dsn)
        finally:
            server.stop()
    return {"acks_per_s_intake_alone": round(outcome.rate), "codes": dict(outcome.codes)}


def processing(count: int, faults: int, projects: int) -> dict[str, Any]:
    """Acks while workers drain; then until the log is drained: rate, CPU of workers, memory, disk."""
    with Server() as server:
        dsns = [server.create_project(f"project {number}")["dsn"] for number in range(projects)]
        server.wait_for("/readyz")
        sent = requests(dsns, count, faults)
        before_disk = disk_bytes(server.data)
        roles = server.roles()
        workers = [pid for name, pid in roles.items() if name.startswith("worker")]
        cpu = sum(map(cpu_seconds, workers))
        peak = _PeakMemory(list(roles.values()))
        began = time.perf_counter()
        with peak:
            outcome = send(sent, dsns[0])
            server.drain(300)
        seconds = time.perf_counter() - began
        worker_cpu = sum(map(cpu_seconds, workers)) - cpu
        ledger = server.ledger()
        server.stop()  # checkpoints are written, the log is rolled: what stays is what it costs
        disk = disk_bytes(server.data) - before_disk
    return {
        "faults": faults,
        "events": count,
        "acks_per_s_while_draining": round(outcome.rate),
        "processed_per_s": round(len(outcome.acked) / seconds),
        "worker_cpu_us_per_event": round(worker_cpu / count * 1e6),
        "peak_pss_mib": peak.peak,
        "disk_bytes_per_event": round(disk / count),
        "stored": ledger["items"]["stored"],
        "balanced": ledger["balanced"],
    }


class _PeakMemory:
    """Looks at the memory of processes a few times a second."""

    def __init__(self, pids: list[int]) -> None:
        self._pids = pids
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak = 0.0

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            self.peak = max(self.peak, pss_mib(self._pids))


def latency(rate: float, seconds: float) -> dict[str, Any]:
    """Ack latency at a fixed rate while workers run and pages are loaded."""
    with Server() as server:
        dsn = server.create_project("latency")["dsn"]
        server.wait_for("/readyz")
        sent = requests([dsn], int(rate * seconds), 50)
        loading = _Repeat(lambda: urlopen(server.url + "/", timeout=10).read(), every=0.1)
        with loading:
            outcome = send(sent, dsn, rate=rate, connections=64)
    return {
        "rate_per_s": rate,
        "p50_ms": outcome.percentile_ms(0.5),
        "p99_ms": outcome.percentile_ms(0.99),
        "max_ms": outcome.percentile_ms(1.0),
        "pages_loaded": loading.done,
        "codes": dict(outcome.codes),
    }


class _Repeat:
    """Does something again and again beside the measurement."""

    def __init__(self, work: Callable[[], object], every: float) -> None:
        self._work = work
        self._every = every
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.done = 0

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every):
            self._work()
            self.done += 1


PARTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "idle": lambda _: idle_and_start(),
    "acks": intake_alone,
    "processing": lambda count: processing(count, 50, 1),
    "faults": lambda count: processing(count, 5000, PROJECTS),
    "latency": lambda _: latency(200, 20),
}
"""Each part by name; the argument is how many events to send."""


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--only", choices=tuple(PARTS), default=None)
    wanted = parser.parse_args()
    print(json.dumps({name: part(wanted.count) for name, part in PARTS.items() if wanted.only in (None, name)}))


if __name__ == "__main__":
    main()
