"""How many requests a key or a project may send in a minute, counted before the answer.

The promise is exact: in no 60 seconds are more than the limit accepted. Counted are whole seconds over 61 of them, so
that any 60 seconds lie within what is counted, wherever they begin.
"""

from array import array
from typing import NamedTuple, Protocol

from catchall.core import limits
from catchall.core.errors import Reason
from catchall.intake.auth import KeyFacts

SECONDS = 61

Slot = tuple[str, int]
"""What is counted: ("key", key_id) or ("project", project_id)."""


class Refused(NamedTuple):
    """A limit was reached. `seconds`: until one more request fits; `scope`: "key" or "project"."""

    reason: Reason
    scope: str
    seconds: int

    def sentry_rate_limits(self) -> bytes:
        """The value of X-Sentry-Rate-Limits: no categories means all of them.

        Source: https://develop.sentry.dev/sdk/expected-features/rate-limiting/
        """
        return f"{self.seconds}::{self.scope}:{self.reason.value}".encode()


class RequestCounter(Protocol):
    """Where accepted requests are counted: in this process, or in memory shared by several of them."""

    def wait(self, slot: Slot, limit: int, second: int) -> int:
        """Seconds until one more request fits under the limit; 0: it fits now. Nothing is counted."""

    def count(self, slot: Slot, second: int) -> None:
        """Count one accepted request."""


class Window:
    """The requests of the last 61 seconds, one number for each."""

    __slots__ = ("_counts", "_newest", "_sum")

    def __init__(self, second: int) -> None:
        self._counts = array("L", bytes(SECONDS * array("L").itemsize))
        self._newest = second
        self._sum = 0

    def _advance(self, second: int) -> None:
        passed = second - self._newest
        if passed <= 0:  # the same second, or a clock that went back: what was counted stays
            return
        for later in range(1, min(passed, SECONDS) + 1):
            place = (self._newest + later) % SECONDS
            self._sum -= self._counts[place]
            self._counts[place] = 0
        self._newest = second

    def total(self, second: int) -> int:
        """How many there were."""
        self._advance(second)
        return self._sum

    def wait(self, second: int) -> int:
        """Seconds until the oldest of them no longer counts."""
        self._advance(second)
        for age in range(SECONDS - 1, 0, -1):
            if self._counts[(self._newest - age) % SECONDS]:
                return SECONDS - age
        return SECONDS

    def add(self, second: int) -> None:
        """One more."""
        self._advance(second)
        self._counts[self._newest % SECONDS] += 1
        self._sum += 1


class LocalCounter:
    """A RequestCounter for one process. At its bound the slot that was made first makes room."""

    def __init__(self, windows_max: int = limits.RATE_WINDOWS_MAX) -> None:
        self._windows: dict[Slot, Window] = {}
        self._windows_max = windows_max

    def __len__(self) -> int:
        return len(self._windows)

    def wait(self, slot: Slot, limit: int, second: int) -> int:
        window = self._windows.get(slot)
        if window is None or window.total(second) < limit:
            return 0
        return window.wait(second)

    def count(self, slot: Slot, second: int) -> None:
        window = self._windows.get(slot)
        if window is None:
            if len(self._windows) >= self._windows_max:
                self._make_room(second)
            window = self._windows[slot] = Window(second)
        window.add(second)

    def _make_room(self, second: int) -> None:
        idle = [slot for slot, window in self._windows.items() if not window.total(second)]
        for slot in idle or [next(iter(self._windows))]:
            del self._windows[slot]


class RateLimiter:
    """Says whether a key may send one more request now, and counts it when it may."""

    def __init__(self, counter: RequestCounter) -> None:
        self._counter = counter

    def take(self, facts: KeyFacts, second: int) -> Refused | None:
        """Count one request for the key and its project, or say why not; then neither is counted."""
        key, project = ("key", facts.key_id), ("project", facts.project_id)
        if facts.key_limit:
            seconds = self._counter.wait(key, facts.key_limit, second)
            if seconds:
                return Refused(Reason.RATE_LIMITED_KEY, "key", seconds)
        if facts.project_limit:
            seconds = self._counter.wait(project, facts.project_limit, second)
            if seconds:
                return Refused(Reason.RATE_LIMITED_PROJECT, "project", seconds)
            self._counter.count(project, second)
        if facts.key_limit:
            self._counter.count(key, second)
        return None
