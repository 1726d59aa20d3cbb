"""One request on its way into the log: who sent it, is it within its bounds, what does it begin with, is it durable."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from catchall.core import limits
from catchall.core.errors import QueueFailed, QueueFull, Reason, WireError
from catchall.core.record import RawRecord, encode_record, partition_of
from catchall.intake.acks import Acks, Appender
from catchall.intake.addresses import AddressList
from catchall.intake.answers import (
    NO_ORIGIN,
    Cors,
    Refuse,
    refuse_full,
    refuse_rate,
    refuse_wire,
    send_accepted,
    send_refusal,
)
from catchall.intake.asgi import Receive, Scope, Send, header_map
from catchall.intake.auth import Credentials, KeyFacts
from catchall.intake.body import Bodies, Body, ClientGone
from catchall.intake.keys import KeyCache, KeysUnavailable
from catchall.intake.lanes import FairShare
from catchall.intake.metrics import FrontMetrics
from catchall.intake.origins import allowed
from catchall.intake.ratelimit import LocalCounter, RateLimiter
from catchall.intake.refusals import NO_PROJECT, RefusalCounts
from catchall.wire import sentry, sentry_store
from catchall.wire.base import Framed
from catchall.wire.encoding import inflate_head

ENVELOPE = "sentry.envelope"
STORE = "sentry.store"
KEY_CHARS_MAX = 64
RETRY_SECONDS = 5
SPOOL_THREADS = 2

# Nearly every header fits into the first. Inflating costs about 7 us for 512 bytes, 17 for 8 KB.
_HEAD_STEPS = (512, limits.REQUEST_HEAD_INFLATED_BYTES, limits.ENVELOPE_HEADER_BYTES_MAX)
_NOT_FRAMED = Framed()


class Spool(Protocol):
    """Where bodies go that are too large for the log. Both methods block."""

    def write(self, body: bytes) -> str:
        """Keep a body, durably; its name. Raises QueueFull."""

    def delete(self, name: str) -> None:
        """Forget a body."""


class Route(NamedTuple):
    """Where a request was sent: its protocol, and the project in its path (0: the envelope's DSN names it)."""

    protocol: str
    project_id: int


def _new_id() -> str:
    return os.urandom(16).hex()


def _microseconds() -> int:
    return time.time_ns() // 1000


@dataclass(slots=True, kw_only=True)
class Parts:
    """What a receiver works with. `clock`: microseconds since the epoch; `steady`: seconds that never go back."""

    keys: KeyCache
    acks: Acks
    appender: Appender
    spool: Spool
    refusals: RefusalCounts
    metrics: FrontMetrics
    proxies: AddressList = field(default_factory=lambda: AddressList(()))
    limiter: RateLimiter = field(default_factory=lambda: RateLimiter(LocalCounter()))
    fair: FairShare = field(default_factory=FairShare)
    bodies: Bodies = field(default_factory=Bodies)
    inline_bytes_max: int = limits.REQUEST_INLINE_BYTES_MAX
    clock: Callable[[], int] = _microseconds
    steady: Callable[[], float] = time.monotonic
    new_id: Callable[[], str] = _new_id


class _Arrival:
    """What is known of one request so far."""

    __slots__ = ("body", "cors", "encoding", "facts", "framed", "headers", "project_id", "route", "scope", "since")

    def __init__(self, route: Route, scope: Scope, since: float, body: Body) -> None:
        headers = header_map(scope["headers"])
        origin = headers.get(b"origin")
        self.route = route
        self.scope = scope
        self.headers: Mapping[bytes, bytes] = headers
        self.since = since
        self.body = body
        self.cors = NO_ORIGIN if origin is None else Cors(origin)
        self.project_id = NO_PROJECT  # whom a refusal counts for: known once the key is
        self.facts: KeyFacts | None = None
        self.framed = _NOT_FRAMED
        self.encoding = self.text(b"content-encoding", limits.CONTENT_TYPE_CHARS_MAX).lower()

    def text(self, name: bytes, most: int) -> str:
        """A header field as text, cut to a number of characters."""
        value = self.headers.get(name)
        return value[:most].decode("latin-1") if value is not None else ""


class Receiver:
    """Takes requests into the log."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._credentials = Credentials()
        self._spread = 0
        self._threads = ThreadPoolExecutor(max_workers=SPOOL_THREADS, thread_name_prefix="spool")

    async def take(self, route: Route, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one POST: answered with 200 once it is durable, else refused by name."""
        parts = self._parts
        body = Body(parts.bodies, receive)
        arrival = _Arrival(route, scope, parts.steady(), body)
        try:
            await self._read(arrival)
            event_id = await self._keep(arrival)
        except ClientGone:
            parts.metrics.truncated += 1
            self._count(arrival, Reason.BODY_TRUNCATED)
            return
        except Refuse as refuse:
            self._count(arrival, refuse.reason)
            # A client that waits for "100 Continue" has not sent its body: what follows would be taken for it.
            await send_refusal(send, refuse, arrival.cors, close=b"expect" in arrival.headers)
            return
        finally:
            body.release()
        await send_accepted(send, event_id, arrival.cors)

    def _count(self, arrival: _Arrival, reason: Reason) -> None:
        self._parts.refusals.add(arrival.project_id, reason)
        self._parts.metrics.refused[reason.value] += 1

    # --- who, and how much ------------------------------------------------------------------------------------
    async def _read(self, arrival: _Arrival) -> None:
        """Admit the sender and read the body; the sender first, when the header names it. Raises Refuse, ClientGone."""
        route, body, most = arrival.route, arrival.body, self._parts.bodies.bytes_max
        if route.project_id:
            key = self._credentials.key(arrival.headers, arrival.scope["query_string"])
            if key:
                self._admit(arrival, self._parts.keys.get(key) or await self._look_up(key), route.project_id)
            elif route.protocol == STORE:
                raise Refuse(Reason.KEY_MISSING, "send the key in X-Sentry-Auth or as ?sentry_key=")
        announced = arrival.headers.get(b"content-length")
        if announced is not None and int(announced) > most:
            raise Refuse(Reason.TOO_LARGE, f"the body is larger than {most} bytes")
        body.begin(arrival.since)
        try:
            await body.read(_HEAD_STEPS[0])
            framed = self._frame(arrival, _HEAD_STEPS[0])
            arrival.framed = framed if framed is not None else await self._frame_further(arrival)
            if arrival.facts is None:
                await self._admit_by_dsn(arrival)
            if not body.complete:
                await body.read(most + 1)
        except WireError as error:
            raise refuse_wire(error) from None
        except asyncio.CancelledError:
            if body.end():
                raise Refuse(Reason.BODY_TIMEOUT, "the body did not arrive in time") from None
            raise
        finally:
            body.end()

    def _frame(self, arrival: _Arrival, step: int) -> Framed | None:
        """What the first bytes say, at most `step` of them; None when more are needed. Raises Refuse and WireError."""
        body = arrival.body
        if body.complete and not body.size:
            raise Refuse(Reason.BODY_EMPTY, "the request has no body")
        head = inflate_head(body.head(step), arrival.encoding, step)
        complete = body.complete and body.size <= step and len(head) < step
        last = complete or step == _HEAD_STEPS[-1]
        if arrival.route.protocol == ENVELOPE:
            return sentry.frame(head, complete=complete) if last or b"\n" in head else None
        framed = sentry_store.frame(head, complete=complete) if head or last else _NOT_FRAMED
        return framed if framed.event_id or last else None

    async def _frame_further(self, arrival: _Arrival) -> Framed:
        for step in _HEAD_STEPS[1:]:
            await arrival.body.read(step)
            framed = self._frame(arrival, step)
            if framed is not None:
                return framed
        raise AssertionError("the last step always says something")

    async def _admit_by_dsn(self, arrival: _Arrival) -> None:
        """The sender is named by the envelope's header."""
        key, project = arrival.framed.key, arrival.framed.project
        if not key:
            raise Refuse(Reason.KEY_MISSING, "send the key in X-Sentry-Auth, as ?sentry_key= or as the header's dsn")
        facts = self._parts.keys.get(key) or await self._look_up(key)
        self._admit(arrival, facts, arrival.route.project_id or _project_id(project))

    def _admit(self, arrival: _Arrival, facts: KeyFacts, project_id: int) -> None:
        """May this key send to this project from this page now? Counts it; raises Refuse if not."""
        arrival.project_id = facts.project_id
        arrival.facts = facts
        if facts.disabled:
            raise Refuse(Reason.KEY_DISABLED, "this key was switched off")
        if facts.project_id != project_id:
            raise Refuse(Reason.KEY_OTHER_PROJECT, "this key belongs to another project")
        origin = arrival.cors.origin
        if facts.origins and origin is not None:
            if not allowed(origin.decode("latin-1"), facts.origins):
                raise Refuse(Reason.ORIGIN_REFUSED, "this key may not be used by pages of this origin")
            arrival.cors = Cors(origin, facts.origins)
        if facts.key_limit or facts.project_limit:
            refused = self._parts.limiter.take(facts, int(arrival.since))
            if refused is not None:
                raise refuse_rate(refused)

    async def _look_up(self, key: str) -> KeyFacts:
        if len(key) <= KEY_CHARS_MAX:
            try:
                facts = await self._parts.keys.look_up(key)
            except KeysUnavailable:
                raise Refuse(
                    Reason.KEYS_UNAVAILABLE, "keys cannot be checked for now", retry_after=RETRY_SECONDS
                ) from None
            if facts is not None:
                return facts
        raise Refuse(Reason.KEY_UNKNOWN, "no project has this key")

    # --- into the log -----------------------------------------------------------------------------------------
    async def _keep(self, arrival: _Arrival) -> str:
        """Append to the log and wait until it is durable. Returns the id to answer with. Raises Refuse."""
        parts, facts = self._parts, arrival.facts
        assert facts is not None
        here = parts.steady()
        event_id = arrival.framed.event_id
        if not event_id and arrival.route.protocol == STORE:
            event_id = parts.new_id()
        if event_id:
            partition = partition_of(event_id, limits.LOG_PARTITIONS)
        else:
            partition = self._spread = (self._spread + 1) % limits.LOG_PARTITIONS
        lane = parts.fair.lane(facts.project_id, int(here), urgent=facts.urgent)
        data = arrival.body.data()
        spooled = await self._to_spool(data) if len(data) > parts.inline_bytes_max else ""
        record = self._record(arrival, facts, event_id, b"" if spooled else data, spooled)
        try:
            await parts.appender.append(lane, partition, encode_record(record), here)
        except QueueFull as full:
            if spooled:
                self._threads.submit(parts.spool.delete, spooled)
            raise refuse_full(full) from None
        except QueueFailed as error:
            # A spooled body stays: nobody knows whether its record is in the log after all.
            raise Refuse(Reason.LOG_UNAVAILABLE, str(error), retry_after=RETRY_SECONDS) from None
        parts.metrics.acked(lane, len(data), int((parts.steady() - here) * 1e6))
        return event_id

    def _record(self, arrival: _Arrival, facts: KeyFacts, event_id: str, body: bytes, spooled: str) -> RawRecord:
        client = arrival.scope.get("client")
        forwarded_for = arrival.headers.get(b"x-forwarded-for")
        return RawRecord(
            protocol=arrival.route.protocol,
            project_id=facts.project_id,
            key_id=facts.key_id,
            received_at=self._parts.clock(),
            peer=self._parts.proxies.client(client[0] if client else "", forwarded_for),
            event_id=event_id,
            encoding=arrival.encoding,
            content_type=arrival.text(b"content-type", limits.CONTENT_TYPE_CHARS_MAX),
            user_agent=arrival.text(b"user-agent", limits.USER_AGENT_CHARS_MAX),
            body=body,
            spool=spooled,
        )

    async def _to_spool(self, data: bytes) -> str:
        """Write a large body to its own file, without holding up the loop."""
        writing = asyncio.get_running_loop().run_in_executor(self._threads, self._parts.spool.write, data)
        try:
            async with asyncio.timeout(limits.SPOOL_WAIT_SECONDS_MAX):
                name = await asyncio.shield(writing)
        except QueueFull as full:
            raise refuse_full(full) from None
        except TimeoutError:
            writing.add_done_callback(self._forget)
            raise Refuse(Reason.BUSY, "too many large bodies at once", retry_after=RETRY_SECONDS) from None
        except OSError as error:
            raise Refuse(Reason.LOG_UNAVAILABLE, error.strerror or "", retry_after=RETRY_SECONDS) from None
        self._parts.metrics.spooled += 1
        return name

    def _forget(self, written: asyncio.Future[str]) -> None:
        """A body was written after its request had been refused."""
        if not written.cancelled() and written.exception() is None:
            with contextlib.suppress(RuntimeError):  # threads ended: the file goes with those nobody came for
                self._threads.submit(self._parts.spool.delete, written.result())

    def close(self) -> None:
        """End the threads; writes under way are finished."""
        self._threads.shutdown(wait=True)


def _project_id(text: str) -> int:
    """The number in a DSN's path; 0, which no project has, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
