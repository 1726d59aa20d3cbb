"""The supervisor with real processes: restarts, order of stopping, stuck children."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec
import pytest

PROGRAM = """
import os, sys, time
from pathlib import Path
from typing import Protocol
from catchall.core import limits
limits.ROLE_RESTART_SECONDS_MIN = 0.05
limits.ROLE_SILENT_SECONDS_MAX = 1.0
limits.COMMIT_LOCK_SECONDS_MAX = 1.0
from catchall.supervisor import RoleSpec, Supervisor
from catchall.worker.commit import CommitLock
folder = Path(sys.argv[1])
def role(name):
    def run(beat):
        with open(folder / "starts", "a") as file:
            file.write(f"{name} {os.getpid()}\\n")
        while beat():
            time.sleep(0.02)
        with open(folder / "ends", "a") as file:
            file.write(name + "\\n")
    return run
def holder(beat):
    with CommitLock(folder / "lock").held():
        role("holder")(beat)
specs = [RoleSpec("front", role("front"), 0), RoleSpec("worker", role("worker"), 1), RoleSpec("web", role("web"), 2)]
if sys.argv[2] == "holder":
    specs = [RoleSpec("holder", holder, 0, beats=False)]
sys.exit(Supervisor(specs, lock_holder=lambda: CommitLock.holder(folder / "lock"), status_file=folder / "status").run())
"""


class Running:
    def __init__(self, folder: Path, kind: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), kind], stderr=subprocess.PIPE)

    def starts(self) -> list[tuple[str, int]]:
        path = self.folder / "starts"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(name, int(pid)) for name, pid in (line.split() for line in lines if line.count(" ") == 1)]

    def wait_for(self, name: str, times: int, seconds: float = 10.0) -> int:
        """Wait until a role was started this often; its newest process id."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pids = [pid for found, pid in self.starts() if found == name]
            if len(pids) >= times:
                return pids[-1]
            time.sleep(0.02)
        raise AssertionError(f"{name} was not started {times} times: {self.starts()}")


class Start(Protocol):
    def __call__(self, kind: str = "roles") -> Running: ...


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    running: list[Running] = []

    def make(kind: str = "roles") -> Running:
        running.append(Running(tmp_path, kind))
        return running[-1]

    yield make
    for one in running:
        if one.process.poll() is None:
            one.process.kill()
        for _, pid in one.starts():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        one.process.communicate()


def test_a_killed_role_is_started_again(start: Start) -> None:
    running = start()
    first = running.wait_for("worker", 1)
    os.kill(first, signal.SIGKILL)
    second = running.wait_for("worker", 2)
    assert second != first
    assert len([name for name, _ in running.starts() if name == "front"]) == 1


def test_a_stopped_role_is_ended_and_started_again(start: Start) -> None:
    running = start()
    first = running.wait_for("worker", 1)
    os.kill(first, signal.SIGSTOP)
    assert running.wait_for("worker", 2) != first


def test_a_holder_of_the_commit_lock_is_ended_after_its_time(start: Start) -> None:
    running = start("holder")
    first = running.wait_for("holder", 1)
    assert running.wait_for("holder", 2) != first


def test_sigterm_stops_intake_first_then_workers_then_the_rest(start: Start) -> None:
    running = start()
    for name in ("front", "worker", "web"):
        running.wait_for(name, 1)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(10) == 0
    assert (running.folder / "ends").read_text().split() == ["front", "worker", "web"]
    assert not (running.folder / "status").exists()


def test_a_second_signal_stops_now(start: Start) -> None:
    running = start()
    pid = running.wait_for("front", 1)
    os.kill(pid, signal.SIGSTOP)
    running.process.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(10) == 0


def test_children_end_when_their_supervisor_was_killed(start: Start) -> None:
    running = start()
    pids = [running.wait_for(name, 1) for name in ("front", "worker", "web")]
    running.process.kill()
    running.process.wait()
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, "orphans live on"
        time.sleep(0.02)


def test_the_status_file_names_the_roles(start: Start) -> None:
    running = start()
    pid = running.wait_for("web", 1)
    deadline = time.monotonic() + 5
    while not (running.folder / "status").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    status = msgspec.json.decode((running.folder / "status").read_bytes())
    assert status["supervisor"] == running.process.pid
    assert status["roles"]["web"] == pid
