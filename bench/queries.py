"""`python -m bench.queries`: what reading costs at a million stored events, and what storing them cost on the way.

The events (5,000 faults over 50 projects, 15 tags, two of them with many values) are filled in, in process, through
the worker's refinery and committer; they arrived over `--days` whole days that ended last midnight. One day is the
hardest case for the growth of a shard, many days for reading. Then the pages and the JSON API are asked on the web
process's own socket: wall and CPU time of each answer there, without the front. Prints one JSON line.

`--count`: events, 1,000,000 when left out, which takes about ten minutes. `--data`: keep the folder, and use what is in
it when it was filled before.
"""

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.filling import Filling, growth
from bench.inprocess import Load
from bench.pages import Visitor
from bench.processes import BESIDE, disk_bytes, percentile_ms, pss_mib, running_seconds, say
from bench.questions import QUESTIONS, Known, Questioner, look_round
from bench.server import Server

FAULTS = 5000
PROJECTS = 50
DAY = 86_400
ROUNDS = 100
SUMMARY = "filled.json"


def ask(visitor: Visitor, pid: int, known: Known, rounds: int) -> dict[str, Any]:
    """Ask every question some times; percentiles of each kind, and of each way to ask."""
    found = {}
    for kind, ways in QUESTIONS.items():
        say(f"queries: {kind}")
        questioner = Questioner(known, seed=kind)
        walls: dict[str, list[float]] = {way: [] for way in ways}
        cpus: list[float] = []
        for way, question in ways.items():
            visitor.must_get(question(questioner))  # templates and files are read once
            for _ in range(rounds):
                address = question(questioner)
                before, began = running_seconds(pid), time.perf_counter()
                visitor.must_get(address)
                walls[way].append(time.perf_counter() - began)
                cpus.append(running_seconds(pid) - before)
        every = [wall for way in walls.values() for wall in way]
        found[kind] = {
            "p50_ms": percentile_ms(every, 0.5),
            "p95_ms": percentile_ms(every, 0.95),
            "max_ms": percentile_ms(every, 1.0),
            "cpu_p50_ms": percentile_ms(cpus, 0.5),
            "cpu_p95_ms": percentile_ms(cpus, 0.95),
            "p95_ms_by_way": {way: percentile_ms(walls[way], 0.95) for way in ways},
        }
    return found


def fill(data: Path, count: int, days: int) -> dict[str, Any]:
    """Fill, unless that was done before; what it cost."""
    summary = data.parent / SUMMARY
    if summary.exists():
        filled: dict[str, Any] = json.loads(summary.read_bytes())
        return filled
    last = time.time() // DAY * DAY
    filling = Filling(data, Load(count, FAULTS, PROJECTS, last - days * DAY, last))
    began = time.perf_counter()
    filling.run()
    filled = {
        "events": count,
        "days": days,
        "since": last - days * DAY,
        "until": last,
        "seconds": round(time.perf_counter() - began, 1),
        "growth": filling.rows,
        "growth_ratio": growth(filling.rows),
        "disk_bytes_per_event": round(disk_bytes(data) / count),
    }
    summary.write_text(json.dumps(filled))
    return filled


def measure(folder: Path, count: int, days: int, rounds: int) -> dict[str, Any]:
    """Fill, start the server on it, ask."""
    filled = fill(folder / "data", count, days)
    since, until = (datetime.fromtimestamp(filled[name], UTC) for name in ("since", "until"))
    with Server(folder) as server:
        server.wait_for("/readyz")
        visitor = Visitor(server, straight=True)
        known = look_round(visitor, since, until)
        web = server.roles()["web"]
        asked = ask(visitor, web, known, rounds)
        memory = {"web_pss_mib": pss_mib([web]), "all_pss_mib": pss_mib(server.roles().values())}
    return {**filled, "rounds": rounds, "queries": asked, "memory_after": memory}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how often each question is asked")
    parser.add_argument("--data", type=Path, help="folder to keep; a temporary one when left out")
    wanted = parser.parse_args()
    if wanted.data is not None:
        wanted.data.mkdir(parents=True, exist_ok=True)
        print(json.dumps(measure(wanted.data, wanted.count, wanted.days, wanted.rounds)))
        return
    with tempfile.TemporaryDirectory(prefix="catchall-queries-", dir=BESIDE) as folder:
        print(json.dumps(measure(Path(folder), wanted.count, wanted.days, wanted.rounds)))


if __name__ == "__main__":
    main()
