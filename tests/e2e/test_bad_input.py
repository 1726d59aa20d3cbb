"""Bad input against a running installation: each line of docs/bad-input.md is sent, and comes to what the page says."""

import asyncio
import contextlib
import http.client
import json
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bench.server import Server
from catchall.bootstrap import Parts
from catchall.config import Settings
from catchall.core import limits
from catchall.store.base import Hot
from tests.support.asking import Answer, ask, post
from tests.support.bad_inputs import MEBIBYTE, bodies, endless, envelope, event_json, item
from tests.support.chaos import hurt_roles, said, with_limits

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PAGE = Path(__file__).parents[2] / "docs" / "bad-input.md"
LINE = re.compile(
    r"^\| (?P<input>[^|]+) \| (?P<answer>\d{3}|none)(?: `(?P<error>\w+)`)? \| (?P<ends>[^|]+) \|$", re.MULTILINE
)
END = re.compile(r"`(\w+)`(?: `(\w+)`)?")
PATIENCE_SECONDS = 2.0
"""For heads and bodies here; 10 and 30 in earnest."""

GROWTH_BYTES_MAX = 40 * MEBIBYTE
KEYS_OWNER = "the key's own project"
HEAD = "POST /api/{id}/envelope/?sentry_key={key} HTTP/1.1\r\nHost: x\r\n"


class Expected(NamedTuple):
    """A line of the page. `status` 0: no answer. `ends`: outcomes with their reasons, in the ledger."""

    status: int
    error: str
    ends: set[tuple[str, str]]


def page() -> dict[str, Expected]:
    """All lines of all tables."""
    return {
        found["input"]: Expected(
            0 if found["answer"] == "none" else int(found["answer"]),
            found["error"] or "",
            {(outcome, reason) for outcome, reason in END.findall(found["ends"])},
        )
        for found in LINE.finditer(PAGE.read_text(encoding="utf-8"))
    }


EXPECTED = page()


class Site:
    """The installation of this file: what was sent to which project, and all that was answered."""

    def __init__(self, server: Server, hot: Hot) -> None:
        self.server = server
        self._hot = hot
        self.roles = hurt_roles(server)
        self.statuses: Counter[int] = Counter()
        self.answers: dict[str, Answer | None] = {}
        self.projects: dict[str, dict[str, Any]] = {}
        self.bodies = bodies(time.time())
        self._rows: list[dict[str, Any]] = []

    def project(self, name: str) -> dict[str, Any]:
        """A project for one line of the page."""
        if name not in self.projects:
            slug, key = f"bad-{len(self.projects)}", f"{len(self.projects):032x}"
            made, _ = self._hot.create_project(name, slug=slug, key=key, now=time.time_ns() // 1000)
            self.projects[name] = {"id": made.project_id, "key": key}
        return self.projects[name]

    def note(self, name: str, answer: Answer | None) -> None:
        """Keep what was answered."""
        self.answers[name] = answer
        self.statuses[answer.status if answer else 0] += 1

    def settle(self) -> None:
        """Let all that was sent be worked off, and read the ledger."""
        time.sleep(1.5 * limits.REFUSALS_FLUSH_SECONDS)
        self.server.drain()
        self._rows = self.server.ledger()["rows"]

    def ends(self, project_id: int) -> Counter[tuple[str, str]]:
        """Where a project's items and requests ended, in the ledger."""
        return Counter(
            {
                (row["outcome"], row["reason"]): row["count"]
                for row in self._rows
                if row["project_id"] == project_id and row["outcome"] != "seen"
            }
        )

    def events(self, name: str) -> list[dict[str, Any]]:
        """The stored events of a line's project."""
        project = str(self.projects[name]["id"])
        lines = self.server.command("events", "--project", project, "--limit", "1000", "--json").splitlines()
        return [json.loads(line) for line in lines]


def raw(site: Site, name: str, head: str, trickle: bytes = b"", chunks: Iterator[bytes] | None = None) -> None:
    """Send a request's beginning by hand, then a byte now and then, or one chunk after the other; note the answer."""
    received = b""
    with socket.create_connection(("127.0.0.1", site.server.port)) as connection:
        connection.settimeout(0.05)
        with contextlib.suppress(OSError):
            connection.sendall(head.encode())
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError, BrokenPipeError, ConnectionResetError):
                if chunks is not None and not received:
                    chunk = next(chunks)
                    connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                    connection.settimeout(0.001)
                elif trickle and not received:
                    connection.sendall(trickle)
            try:
                part = connection.recv(65536)
            except TimeoutError:
                continue
            except ConnectionResetError:
                break
            if not part:
                break
            received += part
    top, _, body = received.partition(b"\r\n\r\n")
    status = int(top.split()[1]) if top else 0
    site.note(name, Answer(status, http.client.HTTPMessage(), body) if status else None)


def send_broken_connections(site: Site) -> None:
    """The table of endless and slow requests."""

    def head(name: str, rest: str) -> str:
        return HEAD.format(**site.project(name)) + rest

    long = "Content-Length: 5000\r\n\r\n{}\n"
    raw(site, "a body that trickles", head("a body that trickles", long), b"x")
    raw(site, "a body that stops", head("a body that stops", long))
    raw(site, "a head that trickles", "POST /api/1/envelope/ HTTP/1.1\r\nX: ", b"y")
    raw(site, "a head that does not end", "POST / HTTP/1.1\r\nX: " + "y" * 200_000)
    name = "a body that says it has 25 MB"
    raw(site, name, head(name, f"Content-Length: {25 * MEBIBYTE}\r\n\r\n{{}}\n"))
    name = "a chunked body that does not end"
    raw(site, name, head(name, "Transfer-Encoding: chunked\r\n\r\n"), chunks=endless())
    name = "a body that ends with its connection"
    with socket.create_connection(("127.0.0.1", site.server.port)) as connection:
        connection.sendall(head(name, long).encode())
    site.note(name, None)


def send_with_bad_keys(site: Site) -> None:
    """The table of keys. Those that name no project are counted for the installation."""
    good = envelope(item(event_json()))
    for name, key in {
        "no key": "", "a key that nobody has": "f" * 32, "a key of 100 characters": "f" * 100,
        "a key of 10,000 characters": "f" * 10_000,
        "another project's key": site.project(KEYS_OWNER)["key"],
    }.items():  # fmt: skip
        site.note(name, post(site.server, site.project(name), good, key=key))
    name = "a disabled key"
    site.note(name, post(site.server, site.project(name), good))


def disable_key(site: Site, name: str) -> None:
    """Switch the one key of a line's project off."""
    listed = site.server.command("key", "list", str(site.project(name)["id"]), "--json").splitlines()
    site.server.command("key", "disable", str(json.loads(listed[0])["id"]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server with all that the page names sent to it, and worked off."""
    launcher = with_limits(REQUEST_HEAD_SECONDS_MAX=PATIENCE_SECONDS, REQUEST_BODY_SECONDS_MAX=PATIENCE_SECONDS)
    with Server(tmp_path_factory.mktemp("bad"), launcher=launcher) as server, Parts(server.data, Settings()) as parts:
        server.wait_for("/readyz")
        made = Site(server, parts.hot)
        disable_key(made, "a disabled key")  # long before it is used: it takes a second
        for name, bad in made.bodies.items():
            for _ in range(bad.times):
                made.note(name, post(server, made.project(name), bad.body, encoding=bad.encoding))
        name = "a broken event at `/store/`"
        project = made.project(name)
        made.note(name, ask(server, "POST", f"/api/{project['id']}/store/?sentry_key={project['key']}", b'{"a":'))
        send_with_bad_keys(made)
        send_broken_connections(made)
        made.settle()
        yield made


def test_the_page_names_what_is_sent_and_nothing_else(site: Site) -> None:
    assert set(EXPECTED) == set(site.answers)


@pytest.mark.parametrize("name", EXPECTED)
def test_what_comes_in_is_answered_and_ends_as_the_page_says(site: Site, name: str) -> None:
    expected, answer = EXPECTED[name], site.answers[name]
    assert (answer.status if answer else 0) == expected.status, answer
    if expected.error:
        assert answer is not None
        assert answer.error == expected.error
    if expected.error in ("key_missing", "key_unknown"):
        assert expected.ends <= set(site.ends(0))
    elif expected.error == "key_other_project":
        assert expected.ends == set(site.ends(site.projects[KEYS_OWNER]["id"]))
    elif name in site.projects:
        assert expected.ends == set(site.ends(site.projects[name]["id"]))
    else:
        assert expected.ends == set(), "what has no project is in no ledger"


def only(site: Site, name: str) -> dict[str, Any]:
    """The one event of a line."""
    (event,) = site.events(name)
    return event


@pytest.mark.parametrize(("name", "direction"), [("a clock ten years ahead", 1), ("a clock ten years behind", -1)])
def test_a_wrong_clock_is_put_right_and_what_it_said_is_kept(site: Site, name: str, direction: int) -> None:
    event = only(site, name)
    said_at = datetime.fromisoformat(event["timestamp_original"])
    arrived = datetime.fromisoformat(event["received_at"])
    assert event["timestamp"] == event["received_at"]
    assert 3652 <= direction * (said_at - arrived).total_seconds() / 86_400 <= 3653


def test_of_300_large_tags_some_are_kept_and_the_rest_is_marked(site: Site) -> None:
    event = only(site, "300 tags of 10 KB")
    assert len(event["tags"]) == limits.TAGS_MAX
    assert max(map(len, event["tags"].values())) <= limits.TAG_VALUE_CHARS_MAX
    (cut,) = [one for one in event["cut"] if one["path"] == "tags"]
    assert (cut["original"], cut["kept"]) == (300, limits.TAGS_MAX)
    assert len(json.dumps(event)) < 100_000


def test_frames_without_numbers_are_kept_without(site: Site) -> None:
    frames = only(site, "frames without numbers")["stack_trace"]
    assert [frame.get("function") or frame.get("filename") for frame in frames if frame][:4] == [
        "load", "shop.py", "shop.py", "pay",
    ]  # fmt: skip
    assert [frame.get("lineno") for frame in frames] == [None] * len(frames)


def test_what_is_no_text_is_replaced_not_lost(site: Site) -> None:
    assert only(site, "bytes that are no UTF-8 everywhere")["message"] == "it broke"
    assert "\ufffd" in only(site, "bytes that are no UTF-8 everywhere")["release_version"]
    assert only(site, "NULs everywhere, as escapes")["message"] == "it broke"
    assert only(site, "NULs everywhere, as bytes")["release_version"] == "a\ufffd"


def test_the_same_event_counts_once(site: Site) -> None:
    name = "the same event 100 times"
    assert site.ends(site.projects[name]["id"]) == {("stored", ""): 1, ("duplicate", "duplicate"): 99}
    assert len(site.events(name)) == 1


def peak_bytes(pid: int) -> int:
    """The most memory that a process ever held, since it was last asked to forget that."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) * 1024


@pytest.mark.parametrize("name", ["1 GB in 1 MB of gzip", "1 GB in zstd", "1 GB in brotli", "1 GB in gzip in gzip"])
def test_a_bomb_costs_neither_worker_nor_front_any_memory(site: Site, name: str) -> None:
    bomb = site.bodies[name]
    before = {}
    pids = {role: pid for role, pid in site.roles.items() if role == "front" or role.startswith("worker")}
    for role, pid in pids.items():
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew (man 5 proc)
        before[role] = peak_bytes(pid)
    site.note(name, post(site.server, site.project(name), bomb.body, encoding=bomb.encoding))
    site.server.drain()
    grown = {role: peak_bytes(pid) - before[role] for role, pid in pids.items()}
    assert max(grown.values()) < GROWTH_BYTES_MAX, grown


def test_hundreds_of_slow_connections_slow_nobody_down(site: Site) -> None:
    project = site.project("slow")

    async def slow(start: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        with socket.socket() as connection:
            connection.setblocking(False)
            await loop.sock_connect(connection, ("127.0.0.1", site.server.port))
            await loop.sock_sendall(connection, start)
            answer = asyncio.ensure_future(loop.sock_recv(connection, 65536))
            while not answer.done():
                with contextlib.suppress(OSError):
                    await loop.sock_sendall(connection, b"x")
                await asyncio.sleep(0.2)
            return await answer

    async def others() -> list[float]:
        waits = []
        for _ in range(20):
            begun = time.monotonic()
            answer = await asyncio.to_thread(post, site.server, project, envelope(item(event_json())))
            site.note("slow", answer)
            waits.append(time.monotonic() - begun)
            await asyncio.sleep(0.05)
        return waits

    async def all_together() -> tuple[list[bytes], list[float]]:
        head = HEAD.format(**project).encode()
        starts = [head] * 150 + [head + b"Content-Length: 5000\r\n\r\n{}\n"] * 150
        slow_ones = asyncio.gather(*map(slow, starts))
        waits = await others()
        return await asyncio.wait_for(slow_ones, 30), waits

    answers, waits = asyncio.run(all_together())
    assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 408 Request Timeout"}
    assert max(waits) < PATIENCE_SECONDS / 2


def test_after_all_of_it_the_ledger_balances_and_nobody_was_started_again(site: Site) -> None:
    time.sleep(1.5 * limits.REFUSALS_FLUSH_SECONDS)
    site.server.drain()
    ledger = site.server.ledger()
    assert ledger["balanced"], ledger["differences"]
    assert ledger["requests"]["waiting"] == 0
    assert hurt_roles(site.server) == site.roles
    assert {status for status in site.statuses if status >= 500} == set()
    for words in ("failed", "Traceback", "exception"):
        assert said(site.server, [words]) == 0, site.server.own_log()[-2000:]
