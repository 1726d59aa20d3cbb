"""`python -m bench.line`: the line from client to page, of a catchall of our own with fresh data.

Start, memory, durable acks, full processing, latency, how soon an event is visible, disk, CPU per event. Prints one
JSON line. The client runs on the same cores. `--count`: events of the saturating runs.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

from bench.client import Outcome, Request, pace_us, requests, send
from bench.pages import Visitor
from bench.processes import CpuSince, PeakMemory, Repeat, RepeatApart, disk_bytes, fsync_ms, percentile_ms, pss_mib, say
from bench.server import Server
from catchall.bootstrap import Parts
from catchall.worker.standing import standing

PROJECTS = 50
MANY_FAULTS = 5000
RATE = 200.0
BEFORE = 2000  # events that are there before a fixed rate begins
RATE_SECONDS = 20.0
PAGE_EVERY = 0.1  # seconds between two pages that somebody loads
PROBE_EVERY = 0.25  # seconds between two events that are watched until they are visible
LOOK_EVERY = 0.01
LOOK_SECONDS_MAX = 10.0
DRAIN_SECONDS_MAX = 600.0
SETTLE_SECONDS = 5.0  # as another server gets: the drained log is let go, write-ahead logs are emptied


def idle_and_start(_count: int) -> dict[str, Any]:
    """Seconds to the first answer, and memory at rest."""
    server = Server()
    with server:
        server.stop()
        start = server.start()
        server.wait_for("/readyz")
        time.sleep(3.0)
        by_role = {name: pss_mib([pid]) for name, pid in server.roles().items()}
        return {
            "start_s": round(start, 2),
            "idle_pss_mib": pss_mib(server.roles().values()),
            "idle_by_role_mib": by_role,
        }


def intake_alone(count: int) -> dict[str, Any]:
    """Durable acks at saturation while nobody reads the log."""
    with Server() as server:
        dsn = server.create_project("acks")["dsn"]
        server.stop()
        server.start("--role", "front")
        sent = requests([dsn], count, 50)
        role = json.loads((server.data / "run" / "status-front.json").read_bytes())["roles"]
        cpu = CpuSince(role)
        outcome = send(sent, dsn)
        spent = cpu.per_event(len(outcome.acked))["intake"]
    return {
        "acks_per_s_intake_alone": round(outcome.rate),
        "intake_cpu_us_per_event": spent,
        "ack_p50_ms": outcome.percentile_ms(0.5),
        "ack_p99_ms": outcome.percentile_ms(0.99),
        "fsync_of_this_disk": fsync_ms(),
        "json_loads_us": pace_us(),
        **_answers(outcome),
    }


def processing(count: int, faults: int, projects: int) -> dict[str, Any]:
    """Acks while workers drain; then until the log is drained: rate, CPU, memory, disk."""
    with Server() as server:
        dsns = [server.create_project(f"project {number}")["dsn"] for number in range(projects)]
        server.wait_for("/readyz")
        sent = requests(dsns, count, faults)
        before_disk = disk_bytes(server.data)
        roles = server.roles()
        cpu = CpuSince(roles)
        began = time.perf_counter()
        with PeakMemory(roles.values) as memory:
            outcome = send(sent, dsns[0])
            wait_until_drained(server)
        seconds = time.perf_counter() - began
        spent = cpu.per_event(len(outcome.acked))
        ledger = server.ledger()
        time.sleep(SETTLE_SECONDS)
        server.stop()  # what stays is what it costs
        disk = disk_bytes(server.data) - before_disk
    return {
        "faults": faults,
        "events": count,
        "json_loads_us": pace_us(),
        "acks_per_s_while_draining": round(outcome.rate),
        "processed_per_s": round(len(outcome.acked) / seconds),
        "cpu_us_per_event": spent,
        "peak_pss_mib": memory.peak,
        "disk_bytes_per_event": round(disk / max(count, 1)),
        "stored": ledger["items"]["stored"],
        "balanced": ledger["balanced"],
        **_answers(outcome),
    }


def wait_until_drained(server: Server) -> None:
    """As `catchall drain`, without the time that a command takes to start. Raises TimeoutError."""
    deadline = time.monotonic() + DRAIN_SECONDS_MAX
    with Parts(server.data) as parts:
        while standing(parts.reader, parts.hot).waiting:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the log is not drained after {DRAIN_SECONDS_MAX:g} s")
            time.sleep(0.02)


def _answers(outcome: Outcome) -> dict[str, Any]:
    return {"codes": dict(outcome.codes), "errors": dict(outcome.errors)}


class _Busy:
    """A catchall at a fixed rate, whose pages somebody loads all the time."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.project = server.create_project("latency")
        server.wait_for("/readyz")
        dsn = self.project["dsn"]
        # something for the pages to show, and enough for the day's dictionary, whose training takes a moment
        send(requests([dsn], BEFORE, 50, seed="before"), dsn)
        wait_until_drained(server)
        self.visitor = Visitor(server)
        found = self.visitor.api("issues", limit=20)["issues"]
        self.paths = ["/issues/", *(f"/issues/{issue['issue_id']}/" for issue in found)]
        self.sent: list[Request] = requests([dsn], int(RATE * RATE_SECONDS), 50)

    def load_page(self, number: int) -> None:
        """Every second page is the list."""
        path = self.paths[0 if number % 2 else number // 2 % len(self.paths)]
        self.visitor.must_get(path)

    def run(self) -> dict[str, Any]:
        """Send at the rate beside the pages; the latency of acks."""
        roles = self.server.roles()
        cpu = CpuSince(roles)
        with RepeatApart(self.load_page, every=PAGE_EVERY) as pages:
            outcome = send(self.sent, self.project["dsn"], rate=RATE, connections=64)
        return {
            "rate_per_s": RATE,
            "p50_ms": outcome.percentile_ms(0.5),
            "p99_ms": outcome.percentile_ms(0.99),
            "max_ms": outcome.percentile_ms(1.0),
            "pages_loaded": pages.done,
            "pages_failed": pages.failed,
            "cpu_us_per_event": cpu.per_event(len(outcome.acked)),
            "pss_mib": pss_mib(roles.values()),
            **_answers(outcome),
        }


def latency(_count: int) -> dict[str, Any]:
    """Ack latency at a fixed rate while workers run and pages are loaded."""
    with Server() as server:
        return _Busy(server).run()


def visible(_count: int) -> dict[str, Any]:
    """How soon after its ack an event is there for the JSON API, at the same rate and beside the same pages.

    Events of their own are watched, one after the other; their asking is part of the load.
    """
    with Server() as server:
        busy = _Busy(server)
        project = server.create_project("watched")
        watcher = Visitor(server)
        watched = iter(requests([project["dsn"]], int(RATE_SECONDS / PROBE_EVERY) + 1, 5, seed="watched"))
        taken: list[float] = []
        with Repeat(lambda _: taken.append(_watch(watcher, project, next(watched))), every=PROBE_EVERY) as probes:
            under = busy.run()
    return {
        "rate_per_s": RATE,
        "events_watched": len(taken),
        "failed": probes.failed,
        "p50_s": round(percentile_ms(taken, 0.5) / 1e3, 3),
        "p99_s": round(percentile_ms(taken, 0.99) / 1e3, 3),
        "max_s": round(percentile_ms(taken, 1.0) / 1e3, 3),
        "ack_p99_ms": under["p99_ms"],
        "pages_loaded": under["pages_loaded"],
    }


def _watch(watcher: Visitor, project: dict[str, Any], request: Request) -> float:
    """Send one event; seconds from its ack until the API has it. Raises TimeoutError."""
    if not send([request], project["dsn"], connections=1).acked:
        raise ConnectionError("a watched event was not taken")
    acked = time.perf_counter()
    path = f"/api/v1/projects/{project['id']}/events/{request[0]}"
    while watcher.get(path)[0] != 200:
        if time.perf_counter() - acked > LOOK_SECONDS_MAX:
            raise TimeoutError("an event that was taken is not visible")
        time.sleep(LOOK_EVERY)
    return time.perf_counter() - acked


PARTS: dict[str, Callable[[int], dict[str, Any]]] = {
    "idle": idle_and_start,
    "acks": intake_alone,
    "processing": lambda count: processing(count, 50, 1),
    "faults": lambda count: processing(count, MANY_FAULTS, PROJECTS),
    "latency": latency,
    "visible": visible,
}
"""Each part by name; the argument is how many events to send."""


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--only", choices=tuple(PARTS), action="append", help="this part; may be given several times")
    wanted = parser.parse_args()
    measured = {}
    for name in wanted.only or PARTS:
        say(f"line: {name}")
        measured[name] = PARTS[name](wanted.count)
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
