"""A request that ends every process that reads it, by a real SIGKILL: given up, and nothing else is lost."""

import json
import sys
import urllib.request
from pathlib import Path

import pytest

from bench.client import requests, send
from bench.server import Server
from catchall.core import limits
from tests.support.chaos import check, kept, said

POISON = "a request nobody survives"

LAUNCHER = f"""
import os, signal
from catchall.core import limits
limits.ROLE_RESTART_SECONDS_MAX = 0.1
from catchall.wire import sentry_store
real = sentry_store.parse
def parse(record, body, event_id_at):
    if {POISON.encode()!r} in body:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(record, body, event_id_at)
sentry_store.parse = parse
from catchall.cli.main import main
main()
"""


def post(dsn: str, message: str) -> None:
    """One event, as plain as it can be."""
    key, _, rest = dsn.removeprefix("http://").partition("@")
    host, _, project = rest.partition("/")
    url = f"http://{host}/api/{project}/store/?sentry_key={key}"
    body = json.dumps({"event_id": "f" * 32, "message": message}).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=10) as answer:
        assert answer.status == 200


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_a_record_that_ends_every_worker_becomes_a_dead_letter(tmp_path: Path) -> None:
    with Server(tmp_path, {"CATCHALL_WORKERS": "2"}, [sys.executable, "-c", LAUNCHER]) as server:
        dsn = server.create_project("chaos")["dsn"]
        before = send(requests([dsn], 300, 20, seed="before"), dsn, rate=2000.0, connections=16)
        post(dsn, POISON)
        after = send(requests([dsn], 300, 20, seed="after"), dsn, rate=2000.0, connections=16)
        found = kept(server, "chaos", before.acked + after.acked)
        letter = json.loads(server.command("deadletters", "list", "--json"))
        died = said(server, ["worker", "-9"])
    check(found)
    assert letter["reason"] == "worker_died"
    assert died >= limits.POISON_DEATHS
