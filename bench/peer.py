"""`python -m bench.peer --dsn DSN --pids 1,2,3 --stored-command CMD`: the same load on another server and on ours.

The other one is any server that takes Sentry envelopes, known by its DSN (on loopback), its processes (their children
are counted with them) and a command that prints how many events it has stored. It is set up and started by whoever
measures, with its own rate limits lifted. Ours is started here, with fresh data. First everything is sent as fast as
it is answered, and it is counted how soon all that was accepted is stored; then at a fixed rate, for the latency.
Prints one JSON line with both and the ratios.
"""

import argparse
import json
import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.client import pace_us, requests, send
from bench.processes import PeakMemory, cpu_seconds, disk_bytes, fsync_ms, pss_mib, say, with_children
from bench.server import Server
from catchall.bootstrap import Parts
from catchall.core.ledger import Outcome
from catchall.store.base import Hot

FAULTS = 50
COMMAND_SECONDS_MAX = 60.0
SETTLE_SECONDS = 5.0  # with nothing to do, before the disk is looked at: logs are emptied by then


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server to measure. `look_every`: seconds between two questions how much is stored, which cost CPU time too."""

    name: str
    dsn: str
    pids: Callable[[], Sequence[int]]
    stored: Callable[[], int]
    disk: Path | None
    look_every: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send: `count` events at once and `rate` a second for `seconds`; `patience`: seconds without progress
    after which what is not stored yet counts as lost. `seconds_max`: for the sending at once."""

    count: int
    rate: float
    seconds: float
    patience: float
    seconds_max: float


def number_printed_by(command: Sequence[str]) -> int:
    """The number that a command prints as its last word. Raises RuntimeError when it fails or prints none."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=COMMAND_SECONDS_MAX)
    words = done.stdout.split()
    if done.returncode or not words or not words[-1].isdecimal():
        raise RuntimeError(f"{shlex.join(command)} printed no number: {done.stdout[-500:]}{done.stderr[-500:]}")
    return int(words[-1])


def wait_until_stored(target: Target, wanted: int, patience: float) -> tuple[int, float]:
    """How many are stored in the end, and at which moment (of `perf_counter`) the last progress was seen."""
    found = target.stored()
    at = time.perf_counter()
    while found < wanted and time.perf_counter() - at < patience:
        time.sleep(target.look_every)
        now = target.stored()
        if now != found:
            found, at = now, time.perf_counter()
    return found, at


def measure(target: Target, plan: Plan) -> dict[str, Any]:
    """Saturation, then the fixed rate."""
    say(f"peer: {target.name}: {plan.count} events at once")
    sent = requests([target.dsn], plan.count, FAULTS)
    idle = pss_mib(with_children(target.pids()))
    before = target.stored()
    disk = disk_bytes(target.disk) if target.disk else 0
    cpu = sum(map(cpu_seconds, with_children(target.pids())))
    with PeakMemory(target.pids) as memory:
        began = time.perf_counter()
        outcome = send(sent, target.dsn, seconds_max=plan.seconds_max)
        after, ended = wait_until_stored(target, before + len(outcome.acked), plan.patience)
    cpu = sum(map(cpu_seconds, with_children(target.pids()))) - cpu
    stored = after - before
    result = {
        "acks_per_s": round(outcome.rate, 1),
        "accepted": len(outcome.acked),
        "stored": stored,
        "processed_per_s": round(stored / (ended - began), 1) if stored else 0.0,
        "cpu_us_per_event": round(cpu / stored * 1e6) if stored else 0,
        "idle_pss_mib": idle,
        "peak_pss_mib": memory.peak,
        "codes": dict(outcome.codes),
        "errors": dict(outcome.errors),
    }
    if target.disk:
        time.sleep(SETTLE_SECONDS)
        result["disk_bytes_per_event"] = round((disk_bytes(target.disk) - disk) / stored) if stored else 0
    return {**result, "at_rate": _latency(target, plan)}


def _latency(target: Target, plan: Plan) -> dict[str, Any]:
    say(f"peer: {target.name}: {plan.rate:g} a second for {plan.seconds:g} s")
    sent = requests([target.dsn], int(plan.rate * plan.seconds), FAULTS, seed="rate")
    outcome = send(sent, target.dsn, rate=plan.rate, connections=64)
    return {
        "rate_per_s": plan.rate,
        "p50_ms": outcome.percentile_ms(0.5),
        "p99_ms": outcome.percentile_ms(0.99),
        "codes": dict(outcome.codes),
        "errors": dict(outcome.errors),
    }


def ours(plan: Plan) -> dict[str, Any]:
    """The same with a catchall of our own."""
    with Server() as server:
        dsn = server.create_project("peer")["dsn"]
        server.wait_for("/readyz")
        with Parts(server.data) as parts:
            target = Target(
                name="ours",
                dsn=dsn,
                pids=lambda: [server.roles()["supervisor"]],
                stored=lambda: _stored(parts.hot),
                disk=server.data,
                look_every=0.05,
            )
            return measure(target, plan)


def _stored(hot: Hot) -> int:
    return sum(count for key, count in hot.ledger().rows.items() if key.outcome == Outcome.STORED.value)


def ratio(other: float, own: float) -> float | None:
    """How many times as much as ours; None when there is nothing to compare with."""
    return round(other / own, 3) if own else None


def compare(own: dict[str, Any], other: dict[str, Any]) -> dict[str, float | None]:
    """The other server's figures as multiples of ours."""
    names = ("acks_per_s", "processed_per_s", "cpu_us_per_event", "idle_pss_mib", "peak_pss_mib")
    found = {name: ratio(other[name], own[name]) for name in names}
    found["p99_ms"] = ratio(other["at_rate"]["p99_ms"], own["at_rate"]["p99_ms"])
    if "disk_bytes_per_event" in other:
        found["disk_bytes_per_event"] = ratio(other["disk_bytes_per_event"], own["disk_bytes_per_event"])
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dsn", required=True, help="of the other server; it must be on loopback")
    parser.add_argument("--pids", required=True, help="its processes: numbers with commas between them")
    parser.add_argument("--stored-command", required=True, help="prints how many events it has stored")
    parser.add_argument("--disk", type=Path, help="the folder or file where it stores")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long the fixed rate lasts")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds without progress before it is given up")
    parser.add_argument("--seconds-max", type=float, default=300.0, help="longest time to send at saturation")
    return parser.parse_args()


def main() -> None:
    """Measure both."""
    wanted = _arguments()
    plan = Plan(
        count=wanted.count,
        rate=wanted.rate,
        seconds=wanted.seconds,
        patience=wanted.patience,
        seconds_max=wanted.seconds_max,
    )
    pids = [int(pid) for pid in wanted.pids.split(",")]
    command = shlex.split(wanted.stored_command)
    peer = Target(
        name="the other",
        dsn=wanted.dsn,
        pids=lambda: pids,
        stored=lambda: number_printed_by(command),
        disk=wanted.disk,
        look_every=0.5,
    )
    other = measure(peer, plan)
    own = ours(plan)
    result = {
        "events": plan.count,
        "json_loads_us": pace_us(),
        "fsync_of_this_disk": fsync_ms(),
        "ours": own,
        "peer": other,
        "peer_to_ours": compare(own, other),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
