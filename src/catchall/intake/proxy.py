"""Everything that is not intake goes to the web process, streamed both ways, bounded, and never as an exception."""

import asyncio
from enum import Enum

import h11
import structlog

from catchall.core import limits
from catchall.intake import pages
from catchall.intake.addresses import AddressList
from catchall.intake.asgi import Message, Receive, Scope, Send, header_map, last_part, start
from catchall.intake.forwarding import METHODS, answer_headers, request_of
from catchall.intake.metrics import FrontMetrics
from catchall.intake.upstream import Connection, Upstream, UpstreamDied, UpstreamDown

log = structlog.get_logger(__name__)

INFORMATIONAL_MAX = 10
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})


class _Upload(Enum):
    """How the sending side of an exchange ended."""

    CLIENT_GONE = "client gone"
    BROKEN = "upstream reads no more"
    TOO_LARGE = "too large"
    TOO_SLOW = "too slow"


class _ClientStuck(Exception):
    """The client does not read its answer."""


class _Client:
    """The asking side of an exchange, over all tries. What was taken from it cannot be had again."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self.receive = receive
        self.send = send
        self.more = True  # its body goes on
        self.taken = 0  # bytes of its body
        self.answered = False  # it got the head of an answer


class Proxy:
    """An ASGI application that passes requests on.

    `upstream`: where to; `proxies`: whose X-Forwarded-* are believed.
    """

    def __init__(
        self,
        upstream: Upstream,
        proxies: AddressList,
        metrics: FrontMetrics,
        *,
        connections_max: int = limits.PROXY_CONNECTIONS_MAX,
        wait_seconds: float = limits.PROXY_WAIT_SECONDS_MAX,
        head_seconds: float = limits.PROXY_HEAD_SECONDS_MAX,
        idle_seconds: float = limits.PROXY_IDLE_SECONDS_MAX,
        body_seconds: float = limits.REQUEST_BODY_SECONDS_MAX,
        body_bytes_max: int = limits.PROXY_BODY_BYTES_MAX,
    ) -> None:
        self._upstream = upstream
        self._proxies = proxies
        self._metrics = metrics
        self._slots = asyncio.Semaphore(connections_max)
        self._wait_seconds = wait_seconds
        self.head_seconds = head_seconds
        self.idle_seconds = idle_seconds
        self.body_seconds = body_seconds
        self.body_bytes_max = body_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._metrics.proxied += 1
        fields = header_map(scope["headers"])
        accept = fields.get(b"accept", b"")
        if scope["method"] not in METHODS:
            await pages.send_page(send, pages.METHOD, accept)
            return
        if int(fields.get(b"content-length", b"0")) > self.body_bytes_max:
            await pages.send_page(send, pages.TOO_LARGE, accept)
            return
        try:
            request = request_of(scope, fields, self._proxies)
        except h11.LocalProtocolError:
            await pages.send_page(send, pages.MALFORMED, accept)
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._slots.acquire()
        except TimeoutError:
            await pages.send_page(send, pages.BUSY, accept)
            return
        self._metrics.proxying += 1
        try:
            page = await self._pass_on(request, receive, send)
        finally:
            self._metrics.proxying -= 1
            self._slots.release()
        if page is not None:
            self._metrics.proxy_failed += 1
            await pages.send_page(send, page, accept)

    async def _pass_on(self, request: h11.Request, receive: Receive, send: Send) -> pages.Page | None:
        """Returns the page to show instead of an answer, or None."""
        client = _Client(receive, send)
        for fresh in (False, True):
            try:
                connection = await self._upstream.connect(fresh=fresh)
            except UpstreamDown:
                return pages.STARTING
            try:
                return await _Exchange(self, connection, client).run(request)
            except UpstreamDied as error:
                # An idle connection may be closed by the other side just when we use it. Only what changes nothing
                # and has no body, which would be spent now, may be sent again (RFC 9110, 9.2.2).
                untouched = connection.reused and not error.started and not client.taken
                if not untouched or request.method.decode() not in _REPEATABLE:
                    log.warning("the web process gave no whole answer", error=str(error), answered=client.answered)
                    return None if client.answered else pages.DIED
            finally:
                self._upstream.release(connection)
        return pages.DIED

    def close(self) -> None:
        """Close idle connections."""
        self._upstream.close()


class _Exchange:
    """One request and its answer on one connection. Both sides run at once: an answer may come before the body ends."""

    def __init__(self, proxy: Proxy, connection: Connection, client: _Client) -> None:
        self._proxy = proxy
        self._connection = connection
        self._client = client

    async def run(self, request: h11.Request) -> pages.Page | None:
        """Returns the page to show when there is no answer to pass on, else None. Raises UpstreamDied."""
        await self._connection.send(request)
        upload = asyncio.create_task(self._upload())
        download = asyncio.create_task(self._download())
        try:
            await asyncio.wait({upload, download}, return_when=asyncio.FIRST_COMPLETED)
            if not download.done() and upload.result() is not _Upload.BROKEN:
                return self._upload_ended(upload.result())
            return await download
        except _ClientStuck:
            return None
        finally:
            upload.cancel()
            download.cancel()
            await asyncio.gather(upload, download, return_exceptions=True)

    def _upload_ended(self, how: _Upload) -> pages.Page | None:
        if self._client.answered:
            return None  # too late for a page: the connection is cut
        return {_Upload.TOO_LARGE: pages.TOO_LARGE, _Upload.TOO_SLOW: pages.TOO_SLOW}.get(how)

    async def _upload(self) -> _Upload:
        """Pass the body on, then watch the client until it goes."""
        client = self._client
        if not client.more:
            await self._connection.send(h11.EndOfMessage())  # a second try of a request without a body
        while True:
            try:
                async with asyncio.timeout(self._proxy.body_seconds if client.more else None):
                    message = await client.receive()
            except TimeoutError:
                return _Upload.TOO_SLOW
            if message["type"] == "http.disconnect":
                return _Upload.CLIENT_GONE
            if not client.more:
                continue
            body: bytes = message.get("body", b"")
            client.more = message.get("more_body", False)
            client.taken += len(body)
            if client.taken > self._proxy.body_bytes_max:
                return _Upload.TOO_LARGE
            try:
                if body:
                    await self._connection.send(h11.Data(data=body))
                if not client.more:
                    await self._connection.send(h11.EndOfMessage())
            except (UpstreamDied, h11.LocalProtocolError):
                return _Upload.BROKEN  # it may have answered before it stopped reading

    async def _download(self) -> pages.Page | None:
        try:
            response = await self._head()
        except TimeoutError:
            return pages.TIMEOUT
        self._client.answered = True
        await self._pass(start(response.status_code, answer_headers(response.headers)))
        while True:
            try:
                event = await self._connection.next_event(self._proxy.idle_seconds)
            except TimeoutError as error:
                raise UpstreamDied("it stopped in the middle of its answer", started=True) from error
            if isinstance(event, h11.Data):
                await self._pass({"type": "http.response.body", "body": bytes(event.data), "more_body": True})
            elif isinstance(event, h11.EndOfMessage):
                await self._pass(last_part(b""))
                return None
            else:
                raise UpstreamDied("it closed the connection", started=True)

    async def _head(self) -> h11.Response:
        for _ in range(INFORMATIONAL_MAX):
            event = await self._connection.next_event(self._proxy.head_seconds)
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                break
        raise UpstreamDied("it did not answer", started=False)

    async def _pass(self, message: Message) -> None:
        """Give a part of the answer to the client. One that reads nothing for long is left alone."""
        try:
            async with asyncio.timeout(self._proxy.idle_seconds):
                await self._client.send(message)
        except TimeoutError as error:
            raise _ClientStuck from error
