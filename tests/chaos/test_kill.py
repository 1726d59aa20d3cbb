"""Any process may die, or stand still, at any line: whatever was acknowledged is stored exactly once.

`CATCHALL_CHAOS_ROUNDS` sets how many are killed or stopped (default 10; 50 is what a release is held to).
"""

import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from bench.client import requests, send
from bench.server import Server
from tests.support.chaos import ROUNDS, Load, check, hurt_roles, kept, signal_one, until, with_limits

LEASE_SECONDS = 1.5
"""How long a role may be silent here; a minute in earnest."""

REQUESTS_PER_SECOND = 400
SECONDS_PER_ROUND = 1.5
ENDS = (0.5, 1.0, 1.0, 2.0)
"""When a stopped process goes on, in leases: before its time, just as it is up (as often as all others), never."""


class Injuries:
    """What was done to whom."""

    def __init__(self, server: Server, seed: int) -> None:
        self._server = server
        self._chance = random.Random(seed)
        self.killed: Counter[str] = Counter()
        self.stopped: Counter[str] = Counter()

    def one(self) -> None:
        """Wait a moment, then hurt one role, by one of two ways."""
        time.sleep(self._chance.uniform(0.3, 0.7))
        until(lambda: hurt_roles(self._server), "anything runs")
        roles = hurt_roles(self._server)
        name = self._chance.choice(sorted(roles))
        if self._chance.random() < 0.5:
            self.killed[name] += signal_one(roles[name], signal.SIGKILL)
        else:
            self._stop(name, roles[name])

    def _stop(self, name: str, pid: int) -> None:
        if not signal_one(pid, signal.SIGSTOP):
            return
        self.stopped[name] += 1
        leases = self._chance.choice(ENDS)
        if leases > 1.5:
            until(lambda: hurt_roles(self._server).get(name) not in (pid, None), f"{name} is replaced")
            return
        time.sleep(leases * LEASE_SECONDS + self._chance.uniform(-0.1, 0.3))
        signal_one(pid, signal.SIGCONT)


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_roles_that_are_killed_or_stand_still_lose_and_double_nothing(tmp_path: Path) -> None:
    launcher = with_limits(
        ROLE_SILENT_SECONDS_MAX=LEASE_SECONDS,
        COMMIT_LOCK_SECONDS_MAX=LEASE_SECONDS / 2,
        ROLE_RESTART_SECONDS_MAX=0.5,  # so that the next one to be hurt is there
    )
    with Server(tmp_path, {"CATCHALL_WORKERS": "2"}, launcher) as server:
        dsn = server.create_project("chaos")["dsn"]
        load = Load(dsn, int(ROUNDS * SECONDS_PER_ROUND * REQUESTS_PER_SECOND), REQUESTS_PER_SECOND)
        injuries = Injuries(server, 20261123)
        with load:
            for _ in range(ROUNDS):
                injuries.one()
        found = kept(server, "chaos", load.acked)
    print(
        f"acked {len(load.acked)} of {len(load.sent)}, killed {dict(injuries.killed)}, stopped"
        f" {dict(injuries.stopped)}, lost {len(found.lost)}, doubled {len(found.doubled)}"
    )
    check(found)
    assert injuries.killed.total() + injuries.stopped.total() >= ROUNDS * 3 // 4
    assert len(load.acked) > REQUESTS_PER_SECOND, "the server was hardly ever up"


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
    found = kept(server, "chaos", acked)
    server.stop()
    assert acked
    check(found)
