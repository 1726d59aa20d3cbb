"""A load beside a server that is being hurt, and the question that follows: is all that was acknowledged there once?"""

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from bench.client import Outcome, requests, send
from bench.server import Server

ROUNDS = int(os.environ.get("CATCHALL_CHAOS_ROUNDS", "10"))
"""How many processes are killed or stopped; 50 is what a release is held to."""

DEADLINE = 30.0


def with_limits(**values: float) -> list[str]:
    """A launcher for `Server`: catchall itself, with some of its limits changed before anything reads them."""
    changes = "; ".join(f"limits.{name} = {value!r}" for name, value in values.items())
    program = f"from catchall.core import limits; {changes}; from catchall.cli.main import main; main()"
    return [sys.executable, "-c", program]


def until(condition: Callable[[], object], what: str, seconds: float = DEADLINE) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.01)


class Load:
    """Sends requests beside the test, each once, whether the server is up or not."""

    def __init__(self, dsn: str, count: int, per_second: float, *, seed: str = "1") -> None:
        self.sent = requests([dsn], count, 50, seed)
        self._send = partial(send, self.sent, dsn, rate=per_second, connections=16, retry=True)
        self.outcome = Outcome()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.outcome = self._send()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    @property
    def acked(self) -> list[str]:
        """Ids that were answered with 2xx. Known once the load has ended."""
        return self.outcome.acked


class Kept(NamedTuple):
    """What a server has of what it acknowledged. `stored`: events by id, with how often each is there."""

    stored: Counter[str]
    lost: list[str]
    doubled: list[str]
    issue_events: int
    ledger: dict[str, Any]


def kept(server: Server, project: str, acked: Iterable[str]) -> Kept:
    """Let the log run empty, then count."""
    server.wait_for("/healthz")
    server.drain(120)
    lines = server.command("events", "--project", project, "--limit", "1000000", "--json").splitlines()
    stored = Counter(json.loads(line)["event_id"] for line in lines)
    issues = [json.loads(line) for line in server.command("issues", "--project", project, "--json").splitlines()]
    return Kept(
        stored=stored,
        lost=[event_id for event_id in acked if event_id not in stored],
        doubled=[event_id for event_id, count in stored.items() if count > 1],
        issue_events=sum(issue["events"] for issue in issues),
        ledger=server.ledger(),
    )


def check(found: Kept) -> None:
    """Nothing lost, nothing doubled, and every count says the same."""
    assert found.lost == []
    assert found.doubled == []
    assert found.ledger["balanced"], found.ledger["differences"]
    assert found.ledger["items"]["stored"] == len(found.stored) == found.issue_events


def hurt_roles(server: Server) -> dict[str, int]:
    """The running roles that may be hurt, by name: all but the supervisor."""
    return {name: pid for name, pid in server.roles().items() if pid and name != "supervisor"}


def signal_one(pid: int, number: int) -> bool:
    """Send a signal; False when the process is gone."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def said(server: Server, words: Sequence[str]) -> int:
    """How many lines of the server's own log hold all of these words."""
    return sum(all(word in line for word in words) for line in server.own_log().splitlines())
