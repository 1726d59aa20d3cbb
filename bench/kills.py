"""`python -m bench.kills`: acknowledged events lost or doubled when processes are killed under load. One JSON line.

Again and again a role of a running catchall, taken at random, gets SIGKILL while requests are sent, each once. When
the load has ended and the log is drained, every id that was answered with 2xx must be stored exactly once.
"""

import argparse
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from typing import Any

from bench.client import Outcome, requests, send
from bench.processes import say
from bench.server import Server

RATE = 400.0
KILL_EVERY = 1.5  # seconds: longer than a role needs to start again
EVENTS_LISTED_MAX = 10_000_000


def measure(kills: int, seed: str) -> dict[str, Any]:
    """Kill so often."""
    chance = random.Random(seed)
    killed: Counter[str] = Counter()
    outcome = Outcome()
    with Server() as server:
        project = server.create_project("kills")
        server.wait_for("/readyz")
        sent = requests([project["dsn"]], int(RATE * KILL_EVERY * (kills + 1)), 50)

        def load() -> None:
            nonlocal outcome
            outcome = send(sent, project["dsn"], rate=RATE, connections=16, retry=True)

        sending = threading.Thread(target=load)
        sending.start()
        for number in range(kills):
            time.sleep(KILL_EVERY)
            role, pid = chance.choice(sorted(server.live_roles().items()))
            if _kill(pid):
                killed[role] += 1
            say(f"kills: {number + 1} of {kills}: {role}")
        sending.join()
        server.wait_for("/healthz")
        server.drain(300)
        stored = _stored(server, str(project["id"]))
        ledger = server.ledger()
    return {
        "kills": dict(killed),
        "sent": len(sent),
        "acked": len(outcome.acked),
        "lost": sum(event_id not in stored for event_id in outcome.acked),
        "doubled": sum(count > 1 for count in stored.values()),
        "balanced": ledger["balanced"],
        "codes": dict(outcome.codes),
        "errors": dict(outcome.errors),
    }


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _stored(server: Server, project: str) -> Counter[str]:
    """Stored ids, with how often each is there."""
    lines = server.command("events", "--project", project, "--limit", str(EVENTS_LISTED_MAX), "--json").splitlines()
    return Counter(json.loads(line)["event_id"] for line in lines)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", default="1")
    wanted = parser.parse_args()
    print(json.dumps(measure(wanted.kills, wanted.seed)))


if __name__ == "__main__":
    main()
