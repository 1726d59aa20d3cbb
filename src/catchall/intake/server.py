"""Runs the front: a bounded uvicorn, the clock-work beside it, and the end that loses nothing."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from types import FrameType

import structlog
import uvicorn

from catchall.core import limits
from catchall.core.errors import QueueFailed, QueueFull
from catchall.intake.application import Application
from catchall.intake.protocol import Gate, bounded_protocol, look_at
from catchall.intake.receiver import Parts
from catchall.intake.refusals import refusals_record
from catchall.intake.tls import TlsFiles
from catchall.queue.base import Lane

log = structlog.get_logger(__name__)

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_LOOK_TICKS = 5  # uvicorn ticks ten times a second
BACKLOG = 2048


@dataclass(slots=True, kw_only=True)
class Front:
    """Everything that `run` needs. The listener: `sockets` that are bound already, else `host` and `port`.

    `beat`: called several times a second in the event loop; when it answers False the front ends. With it signals are
    left to the caller, without it SIGTERM and SIGINT end the front.
    """

    application: Application
    parts: Parts
    gate: Gate
    host: str = "127.0.0.1"
    port: int = 8300
    sockets: list[socket.socket] | None = None
    tls: TlsFiles | None = None
    beat: Callable[[], bool] | None = None
    started: Callable[[], None] | None = None
    drain_seconds: float = limits.FRONT_DRAIN_SECONDS_MAX
    keys_poll_seconds: float = limits.KEYS_POLL_SECONDS
    refusals_seconds: float = limits.REFUSALS_FLUSH_SECONDS
    tls_poll_seconds: float = limits.TLS_POLL_SECONDS


def run(front: Front) -> None:
    """Serve until told to end.

    Then: accept no more, finish what is under way, write the last refusals, close the log.
    """
    tls = front.tls
    config = uvicorn.Config(
        front.application,
        host=front.host,
        port=front.port,
        loop="uvloop",
        http=bounded_protocol(front.gate),
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=limits.KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(front.drain_seconds)),
        ssl_context_factory=None if tls is None else lambda _config, _default: tls.context,
    )
    _FrontServer(config, front).run(front.sockets)


class _FrontServer(uvicorn.Server):
    """Uvicorn's server with the front's own clock-work."""

    def __init__(self, config: uvicorn.Config, front: Front) -> None:
        super().__init__(config)
        self._front = front
        self._work: list[asyncio.Task[None]] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        front = self._front
        front.parts.acks.attach(asyncio.get_running_loop())
        with contextlib.suppress(TimeoutError):  # before the first request; until it worked, requests get 503
            async with asyncio.timeout(limits.KEYS_RECHECK_SECONDS_MAX):
                await front.parts.keys.refresh()
        await super().startup(sockets)
        self._repeat(front.keys_poll_seconds, front.parts.keys.refresh)
        self._repeat(front.refusals_seconds, self._write_refusals)
        if front.tls is not None:
            self._repeat(front.tls_poll_seconds, self._renew_certificate)
        if front.started is not None:
            front.started()

    def _repeat(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        task = asyncio.create_task(_every(seconds, work))
        task.add_done_callback(self._work_ended)
        self._work.append(task)

    def _work_ended(self, task: asyncio.Task[None]) -> None:
        """Clock-work never ends by itself: if it broke, the process ends in good order and is started anew."""
        if not task.cancelled():
            log.critical("the front's clock-work broke", exc_info=task.exception())
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        front = self._front
        front.application.expire(front.parts.steady())
        if counter % _LOOK_TICKS == 0:
            look_at(self.server_state.connections, front.gate.clock())
            if front.beat is not None and not front.beat():
                self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        front = self._front
        deadlines = asyncio.create_task(self._keep_deadlines())
        try:
            await super().shutdown(sockets)
            for work in self._work:
                work.cancel()
            await asyncio.gather(*self._work, return_exceptions=True)
            await self._write_refusals()
        finally:
            deadlines.cancel()
            await asyncio.to_thread(front.parts.appender.writer.close, limits.LOG_CLOSE_SECONDS_MAX)
            front.application.close()
            front.parts.keys.close()

    async def _keep_deadlines(self) -> None:
        """Uvicorn does not tick while it shuts down, but waits must still end."""
        while True:
            await asyncio.sleep(0.1)
            self._front.application.expire(self._front.parts.steady())
            look_at(self.server_state.connections, self._front.gate.clock())
            if self._front.beat is not None:
                self._front.beat()

    async def _renew_certificate(self) -> None:
        assert self._front.tls is not None
        self._front.tls.renew()

    async def _write_refusals(self) -> None:
        """Append what was refused since the last time. What the log does not take is counted on."""
        parts = self._front.parts
        if not parts.refusals:
            return
        taken = parts.refusals.take()
        record = refusals_record(taken, parts.clock())
        try:
            await parts.appender.append(Lane.NORMAL, 0, record, parts.steady(), internal=True)
        except (QueueFull, QueueFailed):
            parts.metrics.refusals_not_written += 1
            parts.refusals.put_back(taken)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """End on signals, unless somebody else watches; do not raise them again: ending was the answer."""
        if self._front.beat is not None or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal drains, the second one ends at once."""
        self.force_exit = self.should_exit
        self.should_exit = True


async def _every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do something again and again."""
    while True:
        await asyncio.sleep(seconds)
        await work()
