"""`python -m bench.bare`: our durable acks against those of a bare server, in one run. Prints one JSON line.

The bare server is what any intake must do at the least: a callable on the same HTTP server (uvicorn, uvloop, httptools)
reads each body and appends its length and bytes to one file, with one fdatasync for all that wait. It knows no keys, no
limits and no protocol. The ratio says what ours adds.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn

from bench.client import requests, send
from bench.line import intake_alone
from bench.processes import BESIDE, cpu_seconds, fsync_ms, say
from bench.server import free_port
from catchall.intake.asgi import Receive, Scope, Send

START_SECONDS_MAX = 30.0
ANSWER = b"{}"
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"2")]


class GroupFile:
    """One file and one thread: what gathers while a group is written and synced is the next group."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._changed = threading.Condition()
        threading.Thread(target=self._commit, daemon=True).start()

    def append(self, body: bytes) -> asyncio.Future[None]:
        """A future that ends when the body is durable."""
        ticket = asyncio.get_running_loop().create_future()
        with self._changed:
            self._waiting.append((body, ticket))
            self._changed.notify()
        return ticket

    def _commit(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                group, self._waiting = self._waiting, []
            os.write(self._file, b"".join(len(body).to_bytes(4, "little") + body for body, _ in group))
            os.fdatasync(self._file)
            group[0][1].get_loop().call_soon_threadsafe(_settle, [ticket for _, ticket in group])


def _settle(tickets: list[asyncio.Future[None]]) -> None:
    for ticket in tickets:
        if not ticket.done():
            ticket.set_result(None)


def serve(port: int, path: Path) -> None:
    """Be the bare server until told to end."""
    file = GroupFile(path)

    async def application(scope: Scope, receive: Receive, answer: Send) -> None:
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message["body"]
            more = message.get("more_body", False)
        await file.append(body)
        await answer({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await answer({"type": "http.response.body", "body": ANSWER})

    uvicorn.run(
        application,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
    )


def bare(count: int) -> dict[str, Any]:
    """Durable acks of the bare server at saturation."""
    port = free_port()
    dsn = f"http://{'0' * 32}@127.0.0.1:{port}/1"
    with tempfile.TemporaryDirectory(prefix="catchall-bare-", dir=BESIDE) as folder:
        command = [sys.executable, "-m", "bench.bare", "--serve", str(port), "--file", f"{folder}/group"]
        process = subprocess.Popen(command)
        try:
            _wait_for(dsn)
            sent = requests([dsn], count, 50)
            before = cpu_seconds(process.pid)
            outcome = send(sent, dsn)
            spent = cpu_seconds(process.pid) - before
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(START_SECONDS_MAX)
    return {
        "acks_per_s": round(outcome.rate),
        "cpu_us_per_event": round(spent / max(len(outcome.acked), 1) * 1e6),
        "p50_ms": outcome.percentile_ms(0.5),
        "p99_ms": outcome.percentile_ms(0.99),
        "codes": dict(outcome.codes),
    }


def _wait_for(dsn: str) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    one = requests([dsn], 1, 1)
    while not send(one, dsn, connections=1).acked:
        if time.monotonic() > deadline:
            raise TimeoutError("the bare server does not answer")
        time.sleep(0.05)


def side_by_side(count: int) -> dict[str, Any]:
    """Ours, the bare one, ours again: the machine's mood shows in the two runs of ours."""
    runs = []
    for name, measure in (("ours", intake_alone), ("bare", bare), ("ours again", intake_alone)):
        say(f"bare: {name}")
        runs.append(measure(count))
    first, other, second = runs
    rate = (first["acks_per_s_intake_alone"] + second["acks_per_s_intake_alone"]) / 2
    spent = (first["intake_cpu_us_per_event"] + second["intake_cpu_us_per_event"]) / 2
    return {
        "events": count,
        "ours": first,
        "bare": other,
        "ours_again": second,
        "fsync_of_this_disk": fsync_ms(),
        "ratio_acks": round(rate / other["acks_per_s"], 2),
        "ratio_cpu": round(spent / other["cpu_us_per_event"], 2),
    }


def main() -> None:
    """Measure, or be the server that is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--serve", type=int, metavar="PORT", help="be the bare server")
    parser.add_argument("--file", type=Path, help="where the bare server appends")
    wanted = parser.parse_args()
    if wanted.serve:
        serve(wanted.serve, wanted.file)
    else:
        print(json.dumps(side_by_side(wanted.count)))


if __name__ == "__main__":
    main()
