"""A small load generator: keep-alive connections on loopback, requests built before the clock starts.

Closed loop: each connection sends its next request when the last one was answered. Open loop: a fixed schedule, and
latency counts from the scheduled moment, so that a stalled server is not flattered.
"""

import asyncio
import gzip
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from bench.faults import Faults
from bench.processes import percentile_ms


@dataclass
class Outcome:
    """What came back. Latencies in seconds; `acked`: ids answered with 2xx."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    codes: Counter[int] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    acked: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Accepted requests a second."""
        return len(self.acked) / self.seconds if self.seconds else 0.0

    def percentile_ms(self, share: float) -> float:
        """A percentile of the latencies, in milliseconds."""
        return percentile_ms(self.latencies, share)


WITHOUT_BODY = (204, 304)  # RFC 9110 section 6.4.1
Request = tuple[str, bytes]
"""An event's id and the bytes of its request."""


def envelope(event: dict[str, Any]) -> bytes:
    """An event as clients send it, before compression."""
    body = json.dumps(event, separators=(",", ":")).encode()
    return b'{"event_id":"%s"}\n{"type":"event","length":%d}\n%s\n' % (event["event_id"].encode(), len(body), body)


def pace_us(events: int = 500) -> float:
    """How fast this machine is now: CPU microseconds of `json.loads` for an event of the load.

    Others on the same cores can double every figure; this one tells by how much.
    """
    known = Faults(50)
    bodies = [json.dumps(known.happen()[1], separators=(",", ":")) for _ in range(events)]
    began = time.thread_time()
    for body in bodies:
        json.loads(body)
    return round((time.thread_time() - began) / events * 1e6, 1)


def requests(dsns: Sequence[str], count: int, faults: int, seed: str = "1") -> list[Request]:
    """Gzipped envelopes. A fault always happens in the same project; the projects have about as many faults each."""
    built = []
    known = Faults(faults, seed)
    for _ in range(count):
        number, event = known.happen()
        body = gzip.compress(envelope(event), 6, mtime=0)
        built.append((event["event_id"], _request(dsns[number % len(dsns)], body)))
    return built


def _request(dsn: str, body: bytes) -> bytes:
    url = urlsplit(dsn)
    head = (
        f"POST /api/{url.path.strip('/')}/envelope/ HTTP/1.1\r\nHost: {url.hostname}:{url.port}\r\n"
        "Content-Type: application/x-sentry-envelope\r\nContent-Encoding: gzip\r\n"
        f"X-Sentry-Auth: Sentry sentry_version=7, sentry_client=bench/1, sentry_key={url.username}\r\n"
        f"User-Agent: sentry.python/2.14.0\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.buffer = b""
        self.answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own class is no subclass of it

    def send(self, data: bytes) -> asyncio.Future[int]:
        if self.transport is None:
            raise ConnectionResetError("closed before the request was sent")
        self.buffer = b""
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(data)
        return self.answer

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.answer is None or self.answer.done():
            return
        found = answered(self.buffer)
        if found is None:
            return
        code, stays = found
        if not stays and self.transport is not None:
            self.transport.close()
            self.transport = None  # the next request opens another one
        self.answer.set_result(code)

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        if self.answer is not None and not self.answer.done():
            found = answered(self.buffer, ended=True)
            if found is None:
                self.answer.set_exception(error or ConnectionResetError("closed without an answer"))
            else:
                self.answer.set_result(found[0])


def answered(data: bytes, *, ended: bool = False) -> tuple[int, bool] | None:
    """Status of a whole answer, and whether its connection stays open; None while more must come.

    `ended`: nothing more comes, which is how a body without a length ends (RFC 9112 section 6.3).
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = data[: end + 2].lower()
    code = int(data[9:12])
    length = _header(head, b"content-length")
    if code in WITHOUT_BODY:
        whole = True
    elif length:
        whole = len(data) - end - 4 >= int(length)
    elif _header(head, b"transfer-encoding") == b"chunked":
        whole = data.endswith(b"0\r\n\r\n")
    else:
        whole = ended
    if not whole:
        return None
    stays = _header(head, b"connection") != b"close" and not data.startswith(b"HTTP/1.0")
    return code, stays


def _header(head: bytes, name: bytes) -> bytes:
    at = head.find(b"\r\n" + name + b":")
    return head[at + len(name) + 3 : head.find(b"\r\n", at + 2)].strip() if at >= 0 else b""


class _Run:
    def __init__(self, sent: Sequence[Request], host: str, port: int, retry: bool) -> None:
        self.sent, self.host, self.port, self.retry = sent, host, port, retry
        self.next = 0
        self.outcome = Outcome()

    async def one(self, connection: _Connection | None, number: int, since: float) -> _Connection | None:
        event_id, data = self.sent[number]
        try:
            if connection is None or connection.transport is None:
                loop = asyncio.get_running_loop()
                _, connection = await loop.create_connection(_Connection, self.host, self.port)
            code = await connection.send(data)
        except OSError as error:
            self.outcome.errors[type(error).__name__] += 1
            return None
        self.outcome.latencies.append(time.perf_counter() - since)
        self.outcome.codes[code] += 1
        if 200 <= code < 300:
            self.outcome.acked.append(event_id)
        return connection

    async def closed(self, connections: int, until: float) -> None:
        async def work() -> None:
            connection: _Connection | None = None
            while self.next < len(self.sent) and time.perf_counter() < until:
                number, self.next = self.next, self.next + 1
                connection = await self.one(connection, number, time.perf_counter())
                if connection is None:
                    if not self.retry and sum(self.outcome.errors.values()) > 50:
                        return
                    await asyncio.sleep(0.05)

        await asyncio.gather(*(work() for _ in range(connections)))

    async def scheduled(self, rate: float, connections: int) -> None:
        idle: list[_Connection] = []
        gate = asyncio.Semaphore(connections)
        start = time.perf_counter()

        async def send(number: int, due: float) -> None:
            async with gate:
                connection = await self.one(idle.pop() if idle else None, number, due)
                if connection is not None:
                    idle.append(connection)

        tasks = []
        for number in range(len(self.sent)):
            due = start + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.ensure_future(send(number, due)))
        await asyncio.gather(*tasks)


def send(
    sent: Sequence[Request],
    dsn: str,
    *,
    connections: int = 32,
    rate: float = 0.0,
    seconds_max: float = 120.0,
    retry: bool = False,
) -> Outcome:
    """Send the requests: as fast as they are answered, or `rate` a second. `retry`: go on while the server is down."""
    url = urlsplit(dsn)
    if url.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise ValueError("load goes to loopback only")

    async def go() -> Outcome:
        run = _Run(sent, "127.0.0.1", url.port or 80, retry)
        start = time.perf_counter()
        if rate:
            await run.scheduled(rate, connections)
        else:
            await run.closed(connections, start + seconds_max)
        run.outcome.seconds = time.perf_counter() - start
        return run.outcome

    return uvloop.run(go())
