"""A real disk that runs full under load: what is acknowledged is there, the rest is refused, and it mends itself."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.server import CATCHALL, Server
from tests.support.asking import ask, post
from tests.support.chaos import Load, check, hurt_roles, kept, until
from tests.support.small_disk import MEBIBYTE, SmallDisk

DISK_BYTES = 128 * MEBIBYTE
BOUND_BYTES = 48 * MEBIBYTE
GIVEN_BACK_BYTES = 24 * MEBIBYTE  # more than emptied write-ahead logs and drained segments make room for
PER_SECOND = 300
FULL_SECONDS = 4.0
LARGE = b'{}\n{"type":"attachment","filename":"x"}\n' + os.urandom(1_500_000)
CHECK_DATABASES = """
import sqlite3, sys
from pathlib import Path
for path in Path(sys.argv[1]).rglob("*.db"):
    print(path.name, *sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone())
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with SmallDisk(tmp_path / "disk", DISK_BYTES) as made:
        yield made


def server_on(disk: SmallDisk, bound: int) -> Server:
    """A server whose data folder is the disk."""
    server = Server(disk.folder, {"CATCHALL_FREE_DISK_BYTES_MIN": str(bound)}, (*disk.entry, CATCHALL))
    server.folder = disk.folder.parent  # its own log is not to take the room
    return server


def roles(server: Server, disk: SmallDisk) -> dict[str, int]:
    """Process ids by role."""
    server.data, inside = disk.seen / "data", server.data
    try:
        return hurt_roles(server)
    finally:
        server.data = inside


def assert_refuses(server: Server, project: dict[str, Any], reasons: set[str]) -> None:
    """Small and large bodies are refused by name, with a time to come back; readiness tells why."""
    for body in (b"{}\n" + b'{"type":"event"}\n{"message":"no room"}\n', LARGE):
        answer = post(server, project, body)
        assert answer.status == 503
        assert answer.error in reasons
        assert int(answer.headers["Retry-After"]) > 0
    ready = ask(server, "GET", "/readyz")
    assert ready.status == 503
    assert b"The disk is full" in ready.body
    assert ask(server, "GET", "/healthz").status == 200


def assert_nothing_half_written(disk: SmallDisk) -> None:
    """No part of a file, no body that nobody names, every database sound."""
    data = disk.seen / "data"
    assert [path.name for path in data.rglob("*") if path.name.endswith((".partial", ".part"))] == []
    assert list((data / "spool").iterdir()) == []
    command: list[str | Path] = [*disk.entry, sys.executable, "-c", CHECK_DATABASES, disk.folder / "data"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(told) >= 3
    assert [line for line in told if not line.endswith(" ok")] == []


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_below_the_bound_of_free_disk_it_refuses_and_recovers(disk: SmallDisk) -> None:
    with server_on(disk, BOUND_BYTES) as server:
        server.wait_for("/readyz")
        project = server.create_project("full")
        before = roles(server, disk)
        load = Load(project["dsn"], 12 * PER_SECOND, PER_SECOND)
        with load:
            time.sleep(1.0)
            disk.leave(BOUND_BYTES + MEBIBYTE)  # the load itself takes the rest
            until(lambda: ask(server, "GET", "/readyz").status == 503, "it is full")
            disk.leave(BOUND_BYTES - GIVEN_BACK_BYTES)
            time.sleep(FULL_SECONDS / 2)
            assert_refuses(server, project, {"disk_full"})
            disk.clear()
            until(lambda: ask(server, "GET", "/readyz").status == 200, "there is room again")
        found = kept(server, "full", load.acked)
        assert roles(server, disk) == before, "nobody had to be started again"
    check(found)
    assert set(load.outcome.codes) == {200, 503}
    assert load.outcome.errors.total() == 0
    assert found.ledger["items"]["refused"] == load.outcome.codes[503] + 2
    assert_nothing_half_written(disk)


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.parametrize("when", ["before the first event", "under load"])
def test_a_disk_without_a_byte_left_loses_nothing_and_recovers(disk: SmallDisk, when: str) -> None:
    with server_on(disk, 0) as server:
        server.wait_for("/readyz")
        project = server.create_project("full")
        before = roles(server, disk)
        load = Load(project["dsn"], 10 * PER_SECOND, PER_SECOND)
        if when == "before the first event":
            disk.leave(0)
        with load:
            time.sleep(1.0)
            if when == "under load":
                disk.leave(0)
            until(lambda: ask(server, "GET", "/readyz").status == 503, "it is full")
            os.kill(before["scheduler"], signal.SIGKILL)  # to start another one nothing needs to be written
            time.sleep(FULL_SECONDS)
            assert_refuses(server, project, {"disk_full", "log_unavailable"})
            disk.clear()
        until(lambda: post(server, project, b'{}\n{"type":"session"}\n{}\n').status == 200, "it accepts again")
        until(lambda: ask(server, "GET", "/readyz").status == 200, "it is ready again")
        found = kept(server, "full", load.acked)
        after = roles(server, disk)
        assert after["front"] == before["front"]
        assert after["scheduler"] != before["scheduler"]
    check(found)
    assert set(load.outcome.codes) == {200, 503}
    assert_nothing_half_written(disk)
