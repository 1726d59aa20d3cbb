"""A real front on loopback for the intake tests: uvicorn in a thread, the segment log in a folder, keys in a list."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from catchall.core.limits import LOG_PARTITIONS
from catchall.core.record import PROTOCOL_REFUSALS, RawRecord, Refusal, decode_record, decode_refusals
from catchall.intake.acks import Acks, Appender
from catchall.intake.addresses import AddressList, networks
from catchall.intake.application import Application
from catchall.intake.body import Bodies
from catchall.intake.keys import KeyCache
from catchall.intake.metrics import FrontMetrics
from catchall.intake.protocol import Gate
from catchall.intake.proxy import Proxy
from catchall.intake.receiver import Parts
from catchall.intake.refusals import RefusalCounts
from catchall.intake.server import Front, run
from catchall.intake.tls import TlsFiles
from catchall.intake.upstream import Upstream
from catchall.queue.base import Lane, LogWriter, Settle
from catchall.queue.segments import SegmentReader, SegmentWriter
from catchall.queue.spool import Spool
from catchall.store.base import Project, ProjectKey

KEY = "a" * 32
ID = "0123456789abcdef0123456789abcdef"
EVENT = json.dumps({"event_id": ID, "message": "it broke"}).encode()
DEADLINE = 10.0
CLOCK = 1_800_000_000_000_000


def envelope(event_id: str = ID, payload: bytes = EVENT, **header: str) -> bytes:
    """An envelope with one event."""
    fields = {"event_id": event_id, **header} if event_id else header
    return json.dumps(fields).encode() + b'\n{"type":"event","length":%d}\n' % len(payload) + payload + b"\n"


class Keys:
    """A store that holds only keys."""

    def __init__(self) -> None:
        self.version = 1
        self.list = [ProjectKey(key_id=7, project_id=1, key=KEY)]
        self.project_list = [Project(project_id=1, name="shop", slug="shop", created_at="")]
        self.broken = False
        self.looks = 0

    def keys_version(self) -> int:
        self.looks += 1
        if self.broken:
            raise OSError("the disk is gone")
        return self.version

    def keys(self) -> list[ProjectKey]:
        return list(self.list)

    def projects(self) -> list[Project]:
        return list(self.project_list)

    def change(self, *keys: ProjectKey) -> None:
        """Replace all keys."""
        self.list = list(keys)
        self.version += 1


class Answer:
    """What came back."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The name of the refusal, said twice."""
        assert self.headers["X-Sentry-Error"] == self.json["error"]
        assert self.json["help"] == "docs/reference/intake.md#" + self.json["error"]
        return str(self.json["error"])


@dataclass
class RunningFront:
    """Settings of a front under test, and the front."""

    folder: Path
    keys: Keys = field(default_factory=Keys)
    bodies: Bodies = field(default_factory=Bodies)
    gate: dict[str, Any] = field(default_factory=dict)
    proxy: dict[str, Any] = field(default_factory=dict)
    acks: Acks = field(default_factory=Acks)
    trusted: tuple[str, ...] = ()
    readers: tuple[str, ...] = ("127.0.0.1",)
    more_metrics: Callable[[], bytes] | None = None
    key_limit: int = 0
    project_limit: int = 0
    writer: Callable[[Path, Settle], LogWriter] | None = None
    tls: tuple[Path, Path] | None = None
    drain_seconds: float = 5.0
    refusals_seconds: float = 0.05

    def __enter__(self) -> Self:
        ready = threading.Event()
        front = self.prepare()
        front.started = ready.set
        self.thread = threading.Thread(target=run, args=(front,), daemon=True)
        self.thread.start()
        assert ready.wait(DEADLINE)
        return self

    def prepare(self) -> Front:
        """Build it, without running it."""
        self.metrics = FrontMetrics()
        self.wanted = True
        self.clock = CLOCK
        make = self.writer or SegmentWriter
        writer = make(self.folder / "log", self.acks.settle)
        self.spool = Spool(self.folder / "spool")
        proxies = AddressList(networks(self.trusted))
        keys = KeyCache(lambda: self.keys, self.metrics, key_limit=self.key_limit, project_limit=self.project_limit)
        self.parts = Parts(
            keys=keys,
            acks=self.acks,
            appender=Appender(writer, self.acks),
            spool=self.spool,
            refusals=RefusalCounts(),
            metrics=self.metrics,
            proxies=proxies,
            bodies=self.bodies,
            clock=lambda: self.clock,
        )
        self.web = self.folder / "web.sock"
        self.gates = Gate(metrics=self.metrics, **self.gate)
        application = Application(
            self.parts,
            Proxy(Upstream(self.web), proxies, self.metrics, **self.proxy),
            metrics_readers=AddressList(networks(self.readers)),
            more_metrics=self.more_metrics,
        )
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.front = Front(
            application=application,
            parts=self.parts,
            gate=self.gates,
            sockets=[listener],
            tls=TlsFiles(*self.tls, self.metrics) if self.tls else None,
            beat=lambda: self.wanted,
            drain_seconds=self.drain_seconds,
            keys_poll_seconds=60.0,
            refusals_seconds=self.refusals_seconds,
            tls_poll_seconds=0.05,
        )
        return self.front

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self.wanted = False
        self.thread.join(30)
        assert not self.thread.is_alive()

    # --- asking -----------------------------------------------------------------------------------------------
    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **more: Any
    ) -> Answer:
        """One request on a connection of its own."""
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {}, **more)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def send(self, body: Any = None, *, key: str = KEY, path: str = "/api/1/envelope/", **headers: str) -> Answer:
        """One envelope with its key in the usual header."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if key:
            fields["X-Sentry-Auth"] = f"Sentry sentry_version=7, sentry_client=test/1, sentry_key={key}"
        return self.ask("POST", path, envelope() if body is None else body, fields)

    def raw(self, data: bytes = b"") -> socket.socket:
        """A bare connection."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=DEADLINE)
        connection.sendall(data)
        return connection

    # --- looking into the log -----------------------------------------------------------------------------------
    def log(self) -> dict[Lane, list[RawRecord]]:
        """All request records that are durable."""
        return {lane: [record for record, internal in found if not internal] for lane, found in self._all().items()}

    def records(self) -> list[RawRecord]:
        """The same of all lanes."""
        return [record for found in self.log().values() for record in found]

    def _all(self) -> dict[Lane, list[tuple[RawRecord, bool]]]:
        reader = SegmentReader(self.folder / "log")
        found: dict[Lane, list[tuple[RawRecord, bool]]] = {}
        for info in reader.logs():
            at = info.start
            found[info.lane] = []
            while at < info.end:
                read = reader.read(info.uuid, at, range(LOG_PARTITIONS), records_max=500, bytes_max=1 << 24)
                found[info.lane] += [(decode_record(one.payload), one.internal) for one in read.records]
                at = read.next_offset
        return found

    def refusals(self) -> dict[tuple[int, str], int]:
        """What was written about refusals so far, added up."""
        counts: dict[tuple[int, str], int] = {}
        for record, internal in self._all()[Lane.NORMAL]:
            if internal:
                assert record.protocol == PROTOCOL_REFUSALS
                for refusal in decode_refusals(record.body):
                    assert isinstance(refusal, Refusal)
                    assert refusal.category == "request"
                    cell = (refusal.project_id, refusal.reason)
                    counts[cell] = counts.get(cell, 0) + refusal.count
        return counts


def until(condition: Callable[[], bool]) -> None:
    """Wait for something, not for ever."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
