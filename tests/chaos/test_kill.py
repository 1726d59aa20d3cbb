"""Any process may die at any line: whatever was acknowledged is stored exactly once, and the ledger balances.

`CATCHALL_CHAOS_ROUNDS` sets the number of kills (default 10; 50 is what a release is held to).
"""

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from bench.client import Outcome, requests, send
from bench.server import Server

ROUNDS = int(os.environ.get("CATCHALL_CHAOS_ROUNDS", "10"))
REQUESTS_PER_ROUND = 400
ROUND_SECONDS = 0.7


class Load:
    """Sends requests beside the test, each once, whether the server is up or not."""

    def __init__(self, dsn: str, count: int) -> None:
        self._sent = requests([dsn], count, 50)
        self._dsn = dsn
        self._rate = REQUESTS_PER_ROUND / ROUND_SECONDS
        self._outcome = Outcome()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self._outcome = send(self._sent, self._dsn, rate=self._rate, connections=16, retry=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    @property
    def acked(self) -> list[str]:
        """Ids that were answered with 2xx."""
        return self._outcome.acked


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_kill_9_of_any_role_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(20261123)
    with Server(tmp_path, {"CATCHALL_WORKERS": "2"}) as server:
        dsn = server.create_project("chaos")["dsn"]
        load = Load(dsn, ROUNDS * REQUESTS_PER_ROUND)
        killed: Counter[str] = Counter()
        with load:
            for _ in range(ROUNDS):
                time.sleep(chance.uniform(0.5, 1.0) * ROUND_SECONDS)
                roles = {name: pid for name, pid in server.roles().items() if pid and name != "supervisor"}
                name = chance.choice(sorted(roles))
                try:
                    os.kill(roles[name], signal.SIGKILL)
                    killed[name] += 1
                except ProcessLookupError:
                    continue
        server.wait_for("/healthz")
        server.drain(120)
        ledger = server.ledger()
        lines = server.command("events", "--project", "chaos", "--limit", "1000000", "--json").splitlines()
        stored = Counter(json.loads(line)["event_id"] for line in lines)
        issues = [json.loads(line) for line in server.command("issues", "--project", "chaos", "--json").splitlines()]
    assert sum(killed.values()) >= ROUNDS // 2, killed
    assert len(load.acked) > REQUESTS_PER_ROUND, "the server was hardly ever up"
    assert [event_id for event_id in load.acked if event_id not in stored] == []
    assert [event_id for event_id, count in stored.items() if count > 1] == []
    assert ledger["balanced"], ledger["differences"]
    assert ledger["items"]["stored"] == len(stored) == sum(issue["events"] for issue in issues)


def kill_all(server: Server) -> None:
    """Every process at once, the supervisor too."""
    for pid in server.roles().values():
        if pid:
            os.kill(pid, signal.SIGKILL)


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_kill_9_of_everything_and_a_new_start_lose_nothing(tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.start()
    dsn = server.create_project("chaos")["dsn"]
    acked: list[str] = []
    for seed in range(2):
        sent = requests([dsn], 2000, 20, seed=str(seed))
        timer = threading.Timer(0.5, kill_all, [server])
        timer.start()
        outcome = send(sent, dsn, rate=2000.0, connections=16)
        timer.join()
        acked += outcome.acked
        assert server.process is not None
        server.process.wait()
        server.process = None
        server.start()
    server.drain(120)
    ledger = server.ledger()
    lines = server.command("events", "--project", "chaos", "--limit", "1000000", "--json").splitlines()
    server.stop()
    stored = Counter(json.loads(line)["event_id"] for line in lines)
    assert acked
    assert [event_id for event_id in acked if event_id not in stored] == []
    assert max(stored.values()) == 1
    assert ledger["balanced"], ledger["differences"]
