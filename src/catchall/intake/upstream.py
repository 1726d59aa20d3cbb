"""Connections to the web process over its Unix socket: HTTP/1.1 by h11, kept open for the next request."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import h11

from catchall.core import limits

Event = h11.Request | h11.InformationalResponse | h11.Response | h11.Data | h11.EndOfMessage | h11.ConnectionClosed


class UpstreamDown(Exception):
    """Nobody listens on the socket."""


class UpstreamDied(Exception):
    """The connection ended, or what came was no HTTP. `started`: a part of the answer had come before."""

    def __init__(self, detail: str, *, started: bool) -> None:
        super().__init__(detail)
        self.started = started


class Connection:
    """One connection, for one request after the other. `reused`: it served a request before this one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = self._fresh()
        self._received = False
        self.reused = False
        self.idle_since = 0.0

    @staticmethod
    def _fresh() -> h11.Connection:
        return h11.Connection(h11.CLIENT, max_incomplete_event_size=limits.PROXY_HEAD_BYTES_MAX)

    async def send(self, event: h11.Request | h11.Data | h11.EndOfMessage) -> None:
        """Send a part of the request. Raises UpstreamDied, and h11.LocalProtocolError for what is no request."""
        data = self._http.send(event)
        if not data:
            return
        try:
            self._writer.write(data)
            async with asyncio.timeout(limits.PROXY_IDLE_SECONDS_MAX):
                await self._writer.drain()
        except OSError as error:  # a TimeoutError is one
            raise UpstreamDied(repr(error), started=self._received) from error

    async def next_event(self, seconds: float) -> Event:
        """The next part of the answer. Raises UpstreamDied, and TimeoutError when nothing came for so long."""
        try:
            while True:
                event = self._http.next_event()
                if event is h11.PAUSED:
                    raise UpstreamDied("it sent more than one answer", started=self._received)
                if event is not h11.NEED_DATA:
                    assert isinstance(event, Event)
                    return event
                async with asyncio.timeout(seconds):
                    data = await self._reader.read(limits.PROXY_CHUNK_BYTES)
                self._received = self._received or bool(data)
                self._http.receive_data(data)
        except TimeoutError:
            raise
        except (h11.RemoteProtocolError, OSError) as error:
            raise UpstreamDied(repr(error), started=self._received) from error

    def finish(self) -> bool:
        """Make ready for the next request, if both sides are done with this one and the connection may stay."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE or self.lost():
            return False
        self._http.start_next_cycle()
        self._received = False
        self.reused = True
        return True

    def lost(self) -> bool:
        """Was it closed by the other side while nobody looked?"""
        return self._reader.at_eof() or self._writer.is_closing()

    def close(self) -> None:
        """End it now; what is unsent is dropped."""
        self._writer.transport.abort()


class Upstream:
    """The pool of connections to one socket."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._idle: deque[Connection] = deque()

    async def connect(self, *, fresh: bool = False) -> Connection:
        """A connection that is ready for a request: an idle one, unless `fresh`. Raises UpstreamDown."""
        while self._idle and not fresh:
            connection = self._idle.pop()
            if not connection.lost() and self._clock() - connection.idle_since < limits.PROXY_KEEP_SECONDS:
                return connection
            connection.close()
        try:
            async with asyncio.timeout(limits.PROXY_CONNECT_SECONDS_MAX):
                return Connection(*await asyncio.open_unix_connection(self._path, limit=limits.PROXY_CHUNK_BYTES))
        except OSError as error:  # no such file, nobody listens, too slow
            raise UpstreamDown(repr(error)) from error

    def release(self, connection: Connection) -> None:
        """Give a connection back: it is kept when its request is over and there is room, else closed."""
        if len(self._idle) < limits.PROXY_IDLE_CONNECTIONS_MAX and connection.finish():
            connection.idle_since = self._clock()
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()
