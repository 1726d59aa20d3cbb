"""From the requests to the log's commit thread, and back to those that wait for it."""

import asyncio
from collections.abc import Sequence

from catchall.core import limits
from catchall.core.errors import QueueFailed, QueueFull
from catchall.intake.deadlines import Deadlines
from catchall.queue.base import Lane, LogWriter

Ticket = asyncio.Future[None]


class Acks:
    """Tickets that wait for their group commit. One call into the loop settles a whole group.

    Made before the log's writer, which gets `settle`; bound to its loop when the front starts.
    """

    def __init__(self, patience: float = limits.ACK_SECONDS_MAX) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self.waiting: Deadlines[Ticket] = Deadlines(patience)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Settle in this loop from now on."""
        self._loop = loop

    def settle(self, tickets: Sequence[object], error: QueueFailed | None) -> None:
        """The writer's callback (`catchall.queue.base.Settle`), called from its own thread."""
        loop = self._loop
        if loop is None:
            return
        try:
            loop.call_soon_threadsafe(self._resolve, tickets, error)
        except RuntimeError:
            if not loop.is_closed():  # a closed loop has nobody left to answer: the clients send again
                raise

    def _resolve(self, tickets: Sequence[object], error: QueueFailed | None) -> None:
        begun = self.waiting.begun
        for ticket in tickets:
            assert isinstance(ticket, asyncio.Future)
            begun.pop(ticket, None)
            if not ticket.done():  # done: its client is gone, or it waited too long
                if error is None:
                    ticket.set_result(None)
                else:
                    ticket.set_exception(error)

    def expire(self, now: float) -> int:
        """Fail the tickets that waited too long for the disk. Returns how many."""
        late = self.waiting.overdue(now)
        for ticket in late:
            if not ticket.done():
                ticket.set_exception(QueueFailed("the log did not answer in time"))
        return len(late)


class Appender:
    """Hands records to the log, many together.

    The commit thread begins a group with the first record it sees, and each group costs both threads the interpreter's
    lock several times. So records are gathered for as long as every turn of the event loop brings more of them, which
    means that the loop is busy anyway, but not longer than `limits.ACK_GATHER_SECONDS`.
    """

    def __init__(self, writer: LogWriter, acks: Acks, gather_seconds: float = limits.ACK_GATHER_SECONDS) -> None:
        self.writer = writer
        self._acks = acks
        self._gather_seconds = gather_seconds
        self._gathered: list[tuple[Lane, int, bytes, Ticket, bool]] = []
        self._looked = 0
        self._flush_at = 0.0

    def append(self, lane: Lane, partition: int, payload: bytes, since: float, *, internal: bool = False) -> Ticket:
        """A ticket to await: it ends when the record is durable, with QueueFull or with QueueFailed.

        `since`: now; the patience of `Acks` counts from there.
        """
        loop = asyncio.get_running_loop()
        ticket: Ticket = loop.create_future()
        self._acks.waiting.begun[ticket] = since
        if not self._gathered:
            self._looked = 0
            self._flush_at = loop.time() + self._gather_seconds
            loop.call_soon(self._look, loop)
        self._gathered.append((lane, partition, payload, ticket, internal))
        return ticket

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Once a turn: hand over when nothing was added since the last look, or it is time."""
        count = len(self._gathered)
        if count > self._looked and loop.time() < self._flush_at:
            self._looked = count
            loop.call_soon(self._look, loop)
            return
        gathered, self._gathered = self._gathered, []
        append = self.writer.append
        for lane, partition, payload, ticket, internal in gathered:
            try:
                append(lane, partition, payload, ticket, internal=internal)
            except QueueFull as full:
                self._acks.waiting.begun.pop(ticket, None)
                if not ticket.done():
                    ticket.set_exception(full)
