"""What is not intake's goes to the web process and back, whatever that process does."""

import asyncio
import contextlib
import hashlib
import json
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

import h11
import pytest

from tests.integration.intake_front import DEADLINE, Answer, RunningFront, until

Reply = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


class Request:
    """One request as the web process got it."""

    def __init__(self, head: h11.Request) -> None:
        self.method = head.method.decode()
        self.target = head.target.decode()
        self.fields = [(name.decode(), value.decode("latin-1")) for name, value in head.headers]
        self.headers = dict(self.fields)
        self.digest = hashlib.sha256()
        self.size = 0


class Web:
    """A web process: reads each request whole, then lets `reply` write to the bare connection."""

    def __init__(self, path: Path, reply: Reply, *, early: bool = False) -> None:
        self.path = path
        self.reply = reply
        self.early = early
        self.requests: list[Request] = []
        self.connections = 0
        self.loop = asyncio.new_event_loop()
        self.listening = threading.Event()

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self.listening.wait(DEADLINE)
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(DEADLINE)
        self.path.unlink(missing_ok=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_unix_server(self._serve, self.path))
        self.listening.set()
        self.loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        parser = h11.Connection(h11.SERVER)
        request: Request | None = None
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                data = await reader.read(65536)
                if not data and request is None:
                    return False
                parser.receive_data(data)
            elif isinstance(event, h11.Request):
                request = Request(event)
                self.requests.append(request)
                if self.early:
                    await self.reply(request, writer)
                    return False
            elif isinstance(event, h11.Data):
                assert request is not None
                request.digest.update(event.data)
                request.size += len(event.data)
            elif isinstance(event, h11.EndOfMessage):
                assert request is not None
                await self.reply(request, writer)
                return not writer.is_closing()
            else:
                return False


def answering(body: bytes = b"hello", head: bytes = b"Content-Type: text/plain\r\n") -> Reply:
    async def reply(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    return reply


async def raised(flag: threading.Event) -> None:
    """Wait for a flag of the test's own thread."""
    await asyncio.get_running_loop().run_in_executor(None, flag.wait, DEADLINE)


def ask(front: RunningFront, method: str, path: str, body: bytes | None = None) -> Answer:
    """One request; returns when its connection to the web process is free for the next one."""
    answer = front.ask(method, path, body)
    until(lambda: front.metrics.proxying == 0)
    return answer


@pytest.fixture
def front(tmp_path):
    with RunningFront(tmp_path) as running:
        yield running


def test_a_page_comes_through(front):
    with Web(front.web, answering()) as web:
        answer = front.ask("GET", "/issues/?query=a%20b&sort=new")
        assert (answer.status, answer.body) == (200, b"hello")
        assert web.requests[0].target == "/issues/?query=a%20b&sort=new"


def test_only_intake_paths_are_intakes(front):
    with Web(front.web, answering()) as web:
        paths = [
            "/api/v1/issues/", "/api/1/", "/api/1/envelope/more", "/api/x/envelope/", "/api/0/envelope/", "//",
            "/api/1/envelope//", "/tunnel/more", "/readyz", "/api/9999999999999999999/store/",
        ]  # fmt: skip
        assert [front.ask("POST", path, b"x").body for path in paths] == [b"hello"] * len(paths)
        assert [request.target for request in web.requests] == paths


def test_connections_are_used_again(front):
    with Web(front.web, answering()) as web:
        for _ in range(10):
            ask(front, "GET", "/")
        assert (len(web.requests), web.connections) == (10, 1)


def test_a_connection_closed_meanwhile_is_replaced(front):
    async def reply(_request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()  # without having said so

    with Web(front.web, reply) as web:
        assert [front.ask("GET", "/").body for _ in range(5)] == [b"ok"] * 5
        assert len(web.requests) == 5


def test_a_request_on_a_connection_that_dies_unanswered_is_sent_again_if_it_may(front):
    fatal: list[str] = []  # requests to die of

    async def reply(request, writer):
        if request.target in fatal:
            fatal.remove(request.target)
            writer.transport.abort()
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with Web(front.web, reply) as web:
        ask(front, "GET", "/first")
        fatal.append("/again")
        assert ask(front, "GET", "/again").body == b"ok"
        assert [request.target for request in web.requests] == ["/first", "/again", "/again"]
        fatal.append("/order")
        assert ask(front, "POST", "/order").status == 502  # it may have been done
        assert [request.target for request in web.requests[3:]] == ["/order"]


def test_bodies_are_streamed_both_ways(front):
    size = 30_000_000
    block = bytes(range(256)) * 256

    async def reply(request, writer):
        writer.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Digest: %b\r\n\r\n"
            % request.digest.hexdigest().encode()
        )
        for _ in range(size // len(block)):
            writer.write(b"%x\r\n%b\r\n" % (len(block), block))
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    with Web(front.web, reply) as web:
        sent = [block] * (size // len(block))
        for chunked in (False, True):
            body = iter(sent) if chunked else b"".join(sent)
            answer = front.ask("POST", "/upload", body, encode_chunked=chunked)
            assert answer.headers["X-Digest"] == hashlib.sha256(b"".join(sent)).hexdigest()
            assert answer.body == b"".join(sent)
            framing = web.requests[-1].headers
            assert ("transfer-encoding" in framing, "content-length" in framing) == (chunked, not chunked)


def test_an_answer_arrives_while_it_is_being_made(front):
    more = threading.Event()

    async def reply(_request, writer):
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        )
        await writer.drain()
        await raised(more)
        writer.write(b"6\r\nsecond\r\n0\r\n\r\n")

    with Web(front.web, reply):
        connection = front.connect()
        connection.request("GET", "/events")
        response = connection.getresponse()
        assert response.read1() == b"first"
        more.set()
        assert response.read() == b"second"
        connection.close()


def test_a_client_that_goes_away_ends_the_exchange(front):
    gone = threading.Event()

    async def reply(_request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        try:
            while True:
                writer.write(b"1\r\nx\r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
        finally:
            gone.set()

    with Web(front.web, reply):
        connection = front.raw(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(100)
        connection.close()
        assert gone.wait(DEADLINE)


def test_an_early_answer_reaches_a_client_that_still_sends(front):
    async def reply(_request, writer):
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!")
        await writer.drain()

    with Web(front.web, reply, early=True):
        connection = front.raw(b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 1000)
        answer = b""
        while not answer.endswith(b"no!"):
            answer += connection.recv(1000)
        assert answer.startswith(b"HTTP/1.1 413 ")
        connection.close()


# --- header fields ------------------------------------------------------------------------------------------------
LIES = {
    "X-Forwarded-For": "6.6.6.6",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example.org",
    "X-Forwarded-Port": "1",
    "X_Forwarded_For": "6.6.6.6",
    "X-Real-IP": "6.6.6.6",
    "Forwarded": "for=6.6.6.6",
}


def test_who_the_client_is_is_said_by_the_front_alone(front):
    with Web(front.web, answering()) as web:
        front.ask("GET", "/", headers={"Host": "errors.example.com", "Cookie": "a=b", **LIES})
        seen = web.requests[0]
        assert seen.headers["cookie"] == "a=b"
        assert "6.6.6.6" not in str(seen.fields)
        assert seen.headers["host"] == seen.headers["x-forwarded-host"] == "errors.example.com"
        assert (seen.headers["x-forwarded-for"], seen.headers["x-forwarded-proto"]) == ("127.0.0.1", "http")
        assert "x-forwarded-port" not in seen.headers
        assert len({name for name, _ in seen.fields}) == len(seen.fields)


def test_a_trusted_proxy_is_believed(tmp_path):
    with RunningFront(tmp_path, trusted=("127.0.0.0/8",)) as front, Web(front.web, answering()) as web:
        front.ask(
            "GET",
            "/",
            headers={
                "X-Forwarded-For": "6.6.6.6, 203.0.113.5",
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "errors.example.com",
                "X-Real-IP": "1.1.1.1",
            },
        )
        seen = web.requests[0].headers
        assert seen["x-forwarded-for"] == "203.0.113.5"
        assert (seen["x-forwarded-proto"], seen["host"]) == ("https", "errors.example.com")
        assert "x-real-ip" not in seen


def test_fields_of_one_hop_end_there(front):
    head = b"Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nServer: secret/1\r\nX-Kept: yes\r\n"
    head += b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
    with Web(front.web, answering(head=head)) as web:
        answer = front.ask(
            "GET", "/", headers={"Connection": "keep-alive, X-Mine", "X-Mine": "1", "TE": "trailers", "X-Other": "2"}
        )
        assert answer.headers["X-Kept"] == "yes"
        assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        for name in ("X-Hop", "Keep-Alive", "Server"):
            assert name not in answer.headers
        assert not {"x-mine", "te"} & web.requests[0].headers.keys()
        assert web.requests[0].headers["x-other"] == "2"


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_answers_without_a_body(front, method, status):
    async def reply(_request, writer):
        length = b"Content-Length: 5\r\n" if status == 200 else b""
        writer.write(b"HTTP/1.1 %d X\r\nETag: x\r\n" % status + length + b"\r\n")

    with Web(front.web, reply) as web:
        for _ in range(3):
            answer = ask(front, method, "/")
            assert (answer.status, answer.body, answer.headers["ETag"]) == (status, b"", "x")
        assert web.connections == 1


def test_interim_answers_are_passed_over(front):
    async def reply(_request, writer):
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with Web(front.web, reply):
        assert front.ask("GET", "/").body == b"ok"


# --- what can go wrong --------------------------------------------------------------------------------------------
def test_while_the_web_process_starts_people_are_told(front):
    page = front.ask("GET", "/", headers={"Accept": "text/html,*/*"})
    assert (page.status, page.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    text = page.body.decode()
    assert "catchall is starting" in text
    assert '<meta http-equiv="refresh" content="2">' in text
    assert "<script" not in text
    assert "style" not in text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    data = front.ask("GET", "/api/v1/issues/", headers={"Accept": "application/json"})
    assert (data.status, data.json["error"], data.headers["Retry-After"]) == (503, "web_starting", "2")
    with Web(front.web, answering()):
        assert front.ask("GET", "/").body == b"hello"
    assert front.ask("GET", "/").status == 503


@pytest.mark.parametrize(
    "half",
    [
        b"",
        b"HTTP/1.1 200",
        b"no http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
)
def test_a_web_process_that_dies_before_it_answers(front, half):
    async def reply(_request, writer):
        writer.write(half)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    with Web(front.web, reply):
        answer = front.ask("GET", "/", headers={"Accept": "text/html"})
        assert answer.status == 502
        assert "No answer" in answer.body.decode()
        assert front.metrics.proxy_failed == 1


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 100\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]
)
def test_a_web_process_that_dies_while_it_answers_cuts_the_answer(front, framing):
    async def reply(_request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n" + framing)
        await writer.drain()
        writer.close()

    with Web(front.web, reply):
        connection = front.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b""
        while part := connection.recv(1000):
            got += part
        assert b"half" in got
        assert not got.endswith(b"0\r\n\r\n")  # the client can tell that it is not all
        assert front.ask("GET", "/healthz").status == 200


def test_a_web_process_that_does_not_answer_in_time(tmp_path):
    async def reply(_request, _writer):
        await asyncio.sleep(60)

    with RunningFront(tmp_path, proxy={"head_seconds": 0.3}) as front, Web(front.web, reply):
        assert front.ask("GET", "/").json["error"] == "web_timeout"


def test_a_web_process_that_stops_in_the_middle(tmp_path):
    async def reply(_request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await asyncio.sleep(60)

    with RunningFront(tmp_path, proxy={"idle_seconds": 0.3}) as front, Web(front.web, reply):
        connection = front.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b""
        while part := connection.recv(1000):
            got += part
        assert got.endswith(b"half")


def test_too_many_requests_at_once_wait_and_are_told(tmp_path):
    release = threading.Event()

    async def reply(_request, writer):
        await raised(release)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    proxy = {"connections_max": 2, "wait_seconds": 0.3}
    with RunningFront(tmp_path, proxy=proxy) as front, Web(front.web, reply) as web:
        kept = [front.connect() for _ in range(2)]
        for connection in kept:
            connection.request("GET", "/")
        until(lambda: len(web.requests) == 2)
        assert front.ask("GET", "/").json["error"] == "web_busy"
        assert front.send().status == 200  # intake does not wait for pages
        release.set()
        assert [Answer(connection.getresponse()).body for connection in kept] == [b"ok"] * 2


def test_uploads_are_bounded_in_size_and_time(tmp_path):
    proxy = {"body_bytes_max": 100_000, "body_seconds": 0.3}
    with RunningFront(tmp_path, proxy=proxy, gate={"discard_seconds": 0.3}) as front, Web(front.web, answering()):
        assert front.ask("POST", "/", b"x" * 100_001).json["error"] == "too_large"
        parts = iter([b"x" * 40_000] * 3)
        assert front.ask("POST", "/", parts, encode_chunked=True).json["error"] == "too_large"
        slow = front.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nx")
        assert b"body_timeout" in slow.recv(2000)
        assert front.ask("POST", "/", b"x" * 100_000).body == b"hello"


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND"])
def test_unheard_of_methods_end_here(front, method):
    with Web(front.web, answering()) as web:
        assert front.ask(method, "/").status == 405
        assert web.requests == []


def test_a_stale_socket_file_is_no_web_process(front):
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(front.web))
    bound.close()
    assert json.loads(front.ask("GET", "/").body)["error"] == "web_starting"
