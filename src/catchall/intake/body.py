"""Reading a request's body within bounds of size, time and memory."""

import asyncio

from catchall.core import limits
from catchall.core.errors import Reason
from catchall.intake.answers import Refuse
from catchall.intake.asgi import REQUEST, Receive
from catchall.intake.deadlines import Deadlines


class ClientGone(Exception):
    """The connection ended in the middle of the body."""


class Bodies:
    """All bodies that are being read. `buffered_max`: bytes of all that are not in one piece yet."""

    def __init__(
        self,
        *,
        bytes_max: int = limits.REQUEST_WIRE_BYTES_MAX,
        patience: float = limits.REQUEST_BODY_SECONDS_MAX,
        buffered_max: int = limits.BODIES_BUFFERED_BYTES_MAX,
    ) -> None:
        self.bytes_max = bytes_max
        self.buffered_max = buffered_max
        self.buffered = 0
        self.reading: Deadlines[asyncio.Task[object]] = Deadlines(patience)
        self.late: set[asyncio.Task[object]] = set()

    def expire(self, now: float) -> int:
        """Interrupt the requests whose body takes too long. Returns how many."""
        late = self.reading.overdue(now)
        for task in late:
            self.late.add(task)
            task.cancel()
        return len(late)


class Body:
    """One request's body. Between `begin` and `end` its time is bounded; `release` gives its memory back."""

    __slots__ = ("_bodies", "_held", "_parts", "_receive", "_task", "complete", "size")

    def __init__(self, bodies: Bodies, receive: Receive) -> None:
        self._bodies = bodies
        self._receive = receive
        self._parts: list[bytes] = []
        self._held = 0
        self._task: asyncio.Task[object] | None = None
        self.complete = False
        self.size = 0

    def begin(self, now: float) -> None:
        """The patience begins."""
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._bodies.reading.begun[task] = now

    def end(self) -> bool:
        """The patience ends. Returns whether it was exceeded: then the task was cancelled for that reason, once."""
        task, bodies = self._task, self._bodies
        assert task is not None
        bodies.reading.begun.pop(task, None)
        if not bodies.late or task not in bodies.late:
            return False
        bodies.late.discard(task)
        task.uncancel()
        return True

    async def read(self, at_least: int) -> None:
        """Read on until so many bytes are here, or all. Raises Refuse (too large, busy) and ClientGone."""
        bodies = self._bodies
        while not self.complete and self.size < at_least:
            message = await self._receive()
            if message["type"] != REQUEST:
                raise ClientGone
            part: bytes = message.get("body", b"")
            self.complete = not message.get("more_body", False)
            self.size += len(part)
            if self.size > bodies.bytes_max:
                raise Refuse(Reason.TOO_LARGE, f"the body is larger than {bodies.bytes_max} bytes")
            self._parts.append(part)
            if not self.complete or self._held:  # bodies that come in one piece are not held for long
                self._held += len(part)
                bodies.buffered += len(part)
                if bodies.buffered > bodies.buffered_max:
                    raise Refuse(Reason.BUSY, "too many large bodies at once", retry_after=5)

    def head(self, most: int) -> bytes:
        """The first bytes of what was read."""
        if len(self._parts) == 1:
            return self._parts[0][:most]
        return b"".join(self._parts)[:most]

    def data(self) -> bytes:
        """All that was read, in one piece."""
        if len(self._parts) != 1:
            self._parts = [b"".join(self._parts)]
        return self._parts[0]

    def release(self) -> None:
        """Forget the bytes."""
        self._bodies.buffered -= self._held
        self._held = 0
        self._parts = []
