"""A worker that stands still, as under a debugger, a frozen disk or a paused container, and perhaps wakes again.

Every time that it may last is shortened here; which role is stopped in which moment is not left to chance.
"""

import os
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from bench.server import Server
from catchall.worker.commit import CommitLock
from tests.support.chaos import Load, check, hurt_roles, kept, said, signal_one, until, with_limits

LOCK_SECONDS = 1.0
NEVER = 1000.0
PER_SECOND = 400
TOOK_OVER = "another worker took over"


def stop_in_commit(server: Server) -> tuple[str, int]:
    """Stop a worker while it holds the commit lock; its name and process id."""
    path = server.data / "run" / "commit.lock"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        names = {pid: name for name, pid in hurt_roles(server).items()}
        held = CommitLock.holder(path)
        if held is None or held[0] not in names or not signal_one(held[0], signal.SIGSTOP):
            continue
        if is_stopped(held[0]) and CommitLock.holder(path) == held:
            return names[held[0]], held[0]
        signal_one(held[0], signal.SIGCONT)
    raise AssertionError("no worker was seen with the lock")


def stop_between_commits(server: Server) -> int:
    """Stop the only worker while it has a part of the load in hand, without the lock."""
    path = server.data / "run" / "commit.lock"
    pid = hurt_roles(server)["worker-0"]
    for _ in range(1000):
        signal_one(pid, signal.SIGSTOP)
        until(lambda: is_stopped(pid), "the worker stands still")
        if CommitLock.holder(path) is None:
            return pid
        signal_one(pid, signal.SIGCONT)
        time.sleep(0.003)  # let it come further
    raise AssertionError("the worker always had the lock")


def is_stopped(pid: int) -> bool:
    """Does the kernel say that all of it stands still? A signal takes a moment."""
    try:
        states = [
            (task / "stat").read_text().rpartition(")")[2].split()[0] for task in Path(f"/proc/{pid}/task").iterdir()
        ]
    except FileNotFoundError:
        return False
    return set(states) == {"T"}


def is_replaced(server: Server, name: str, pid: int) -> bool:
    """Has the role another process now?"""
    return hurt_roles(server).get(name, pid) != pid


class SecondWorker:
    """Another process tree that takes the only worker's place, as on a machine that thinks the first one dead."""

    def __init__(self, server: Server) -> None:
        with (server.folder / "second.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*server.launcher, "--data", server.data, "run", "--role", "worker-0"],
                env=server.environ,
                stdout=log,
                stderr=log,
            )
        self.status = server.data / "run" / "status-worker-0.json"
        until(self.status.exists, "the second worker started")

    def stop(self) -> None:
        """Ask it to finish what it began."""
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(30) == 0


@pytest.mark.chaos
@pytest.mark.timeout(180)
def test_a_worker_that_stands_still_with_the_lock_is_ended_and_intake_goes_on(tmp_path: Path) -> None:
    launcher = with_limits(COMMIT_LOCK_SECONDS_MAX=LOCK_SECONDS, ROLE_SILENT_SECONDS_MAX=NEVER)
    with Server(tmp_path, {"CATCHALL_WORKERS": "2"}, launcher) as server:
        dsn = server.create_project("chaos")["dsn"]
        load = Load(dsn, 6 * PER_SECOND, PER_SECOND)
        with load:
            for ended in range(1, 3):
                name, pid = stop_in_commit(server)
                since = time.monotonic()
                until(partial(is_replaced, server, name, pid), f"{name} is replaced")
                assert LOCK_SECONDS / 2 < time.monotonic() - since < LOCK_SECONDS * 6
                assert said(server, ["commit lock held too long"]) == ended
        found = kept(server, "chaos", load.acked)
    check(found)
    assert len(load.acked) == len(load.sent), "intake does not wait for workers"


@pytest.mark.chaos
@pytest.mark.timeout(180)
@pytest.mark.parametrize("where", ["in its commit", "between two commits"])
def test_a_worker_that_wakes_after_its_partitions_were_taken_over_commits_nothing_twice(
    tmp_path: Path, where: str
) -> None:
    launcher = with_limits(COMMIT_LOCK_SECONDS_MAX=NEVER, ROLE_SILENT_SECONDS_MAX=NEVER)
    with Server(tmp_path, {"CATCHALL_WORKERS": "1"}, launcher) as server:
        dsn = server.create_project("chaos")["dsn"]
        load = Load(dsn, 4 * PER_SECOND, PER_SECOND)
        with load:
            time.sleep(1.0)
            pid = stop_in_commit(server)[1] if where == "in its commit" else stop_between_commits(server)
            second = SecondWorker(server)
            time.sleep(1.0)
            os.kill(pid, signal.SIGCONT)
            until(lambda: said(server, [TOOK_OVER]), "the first one sees that it was replaced")
            second.stop()
        found = kept(server, "chaos", load.acked)
        assert hurt_roles(server)["worker-0"] == pid, "it went on, it was not started again"
    check(found)
    assert len(load.acked) == len(load.sent)
