"""Uvicorn's HTTP/1.1 protocol, bounded: how long a head may take and be, how many connections there may be.

Uvicorn bounds neither: a client that sends half a head, or a body that nobody wants any more, would be kept for ever.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from catchall.core import limits
from catchall.core.errors import Reason
from catchall.intake.answers import HELP, RETRY_BUSY_SECONDS
from catchall.intake.metrics import FrontMetrics


def _raw(status: bytes, error: str, detail: str, *fields: bytes) -> bytes:
    body = msgspec.json.encode({"error": error, "detail": detail, "help": HELP + error})
    head = [b"HTTP/1.1 " + status, b"content-type: application/json", b"content-length: %d" % len(body)]
    return b"\r\n".join([*head, b"x-sentry-error: " + error.encode(), *fields, b"connection: close", b"", body])


_BUSY = _raw(
    b"503 Service Unavailable", Reason.BUSY.value, "too many connections", b"retry-after: %d" % RETRY_BUSY_SECONDS
)
_TOO_SLOW = _raw(b"408 Request Timeout", "head_timeout", "the head of the request did not arrive in time")
_HEAD_TOO_LARGE = _raw(
    b"431 Request Header Fields Too Large", "head_too_large", f"a head may have {limits.REQUEST_HEAD_BYTES_MAX} bytes"
)


@dataclass(slots=True, kw_only=True)
class Gate:
    """The bounds of connections. Times in seconds."""

    metrics: FrontMetrics
    connections_max: int = limits.CONNECTIONS_MAX
    head_bytes_max: int = limits.REQUEST_HEAD_BYTES_MAX
    head_seconds: float = limits.REQUEST_HEAD_SECONDS_MAX
    idle_seconds: float = limits.KEEP_ALIVE_SECONDS
    discard_seconds: float = limits.REFUSED_BODY_SECONDS_MAX
    flush_seconds: float = limits.CLOSE_SECONDS_MAX
    clock: Callable[[], float] = time.monotonic


class _Reading(Enum):
    NOTHING = 0  # between two requests: uvicorn's keep-alive timer runs
    HEAD = 1
    BODY = 2


class FrontProtocol(HttpToolsProtocol):
    """One connection. `look` is called about twice a second for each of them."""

    gate: ClassVar[Gate]

    _reading = _Reading.HEAD
    _since = 0.0
    _head_bytes = 0
    _answered_since = 0.0
    _closing_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        gate = self.gate
        self._since = gate.clock()  # the first head is awaited from now on
        if len(self.connections) >= gate.connections_max:
            gate.metrics.connections_refused += 1
            self.transport = transport
            transport.write(_BUSY)
            transport.close()
            return
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._reading is _Reading.HEAD:  # the head goes on after these bytes
            self._head_bytes += len(data)
            if self._head_bytes > self.gate.head_bytes_max:
                self._give_up(_HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading = _Reading.HEAD
        self._since = self.gate.clock()
        self._head_bytes = 0

    def on_headers_complete(self) -> None:
        self._reading = _Reading.BODY
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._reading = _Reading.NOTHING
        self._since = self.gate.clock()
        super().on_message_complete()

    def look(self, now: float) -> None:
        """End what has lasted too long."""
        if self.transport.is_closing():
            self._cut_when_stuck(now)
        elif self._reading is _Reading.HEAD:
            if now - self._since > self.gate.head_seconds:
                self._give_up(_TOO_SLOW if self._head_bytes else b"")
        elif not self._answered():
            self._answered_since = 0.0
        elif self._reading is _Reading.BODY:
            if not self._answered_since:
                self._answered_since = now
            elif now - self._answered_since > self.gate.discard_seconds:
                self.transport.close()  # answered already: the rest of its body is not wanted
        elif self.timeout_keep_alive_task is None and now - self._since > self.gate.idle_seconds:
            self.transport.close()  # uvicorn's timer was lost when a body went on after its answer

    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def _cut_when_stuck(self, now: float) -> None:
        if not self._closing_since:
            self._closing_since = now
        elif now - self._closing_since > self.gate.flush_seconds:
            self.transport.abort()  # its client does not read what is left to send

    def _give_up(self, answer: bytes) -> None:
        self.gate.metrics.heads_given_up += 1
        if answer and self._answered():
            self.transport.write(answer)
        self.transport.close()


def bounded_protocol(gate: Gate) -> type[FrontProtocol]:
    """The protocol class for one server."""
    return type("BoundedFrontProtocol", (FrontProtocol,), {"gate": gate})


def look_at(connections: Iterable[object], now: float) -> None:
    """Look at all connections of a server."""
    for connection in list(connections):
        if isinstance(connection, FrontProtocol):
            connection.look(now)
