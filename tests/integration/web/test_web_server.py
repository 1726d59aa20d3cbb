"""The web process itself: its socket, and how it ends."""

import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVE = """
import signal, sys, threading, time
from pathlib import Path
from catchall.web import server, application
from catchall.web.services import WebServices

folder = Path(sys.argv[1])
going = [True]
signal.signal(signal.SIGTERM, lambda *_: going.clear())
services = WebServices(hot=None, events=None, blobs=None, data_dir=folder, base_url="http://localhost:1",
                       secret=bytes(32), status=dict, clock=lambda: time.time_ns() // 1000)
real = application.build

def slow(services):
    app = real(services)
    def answer(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            (folder / "under-way").touch()
            while going and not (folder / "answer-now").exists():
                time.sleep(0.01)
            time.sleep(0.3)
            start_response("200 OK", [("Content-Length", "4")])
            return [b"done"]
        return app(environ, start_response)
    return answer

server.build = slow
server.run(services, folder / "web.sock", threads=2, beat=lambda: bool(going))
(folder / "ended").touch()
"""


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(str(self.path))


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert process.poll() is None, "the web process ended"
        assert time.monotonic() < deadline, f"{path.name} does not appear"
        time.sleep(0.02)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(tmp_path)])
    try:
        wait_for(tmp_path / "web.sock", process)
        yield tmp_path, process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def test_the_socket_is_for_this_user_only(web):
    folder, _ = web
    mode = os.stat(folder / "web.sock").st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


def test_it_answers(web):
    connection = UnixConnection(web[0] / "web.sock")
    connection.request("GET", "/-/health")
    assert connection.getresponse().read() == b"ok\n"


def test_a_body_beyond_the_limit_is_refused_by_its_announced_length(web):
    """The head alone: who goes on sending after the answer may find the connection closed."""
    connection = UnixConnection(web[0] / "web.sock")
    connection.putrequest("POST", "/login/")
    connection.putheader("Content-Length", "3000000")
    connection.endheaders()
    assert connection.getresponse().status == 413


def test_an_answer_under_way_is_finished_before_it_ends(web):
    folder, process = web
    connection = UnixConnection(folder / "web.sock")
    connection.request("GET", "/slow")
    wait_for(folder / "under-way", process)
    process.send_signal(signal.SIGTERM)
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"done")
    assert process.wait(20) == 0
    assert (folder / "ended").exists()
    assert not (folder / "web.sock").exists()


def test_it_starts_over_a_socket_that_a_killed_one_left(web):
    folder, process = web
    process.kill()
    process.wait()
    assert (folder / "web.sock").exists()
    again = subprocess.Popen([sys.executable, "-c", SERVE, str(folder)])
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                connection = UnixConnection(folder / "web.sock")
                connection.request("GET", "/-/health")
                assert connection.getresponse().status == 200
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
    finally:
        again.kill()
        again.wait()
