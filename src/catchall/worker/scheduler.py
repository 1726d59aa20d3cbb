"""What time starts: retention and dictionaries today, alerts and jobs with later roles of the same round."""

import time
from collections.abc import Callable
from datetime import date, timedelta

import structlog

from catchall.core import limits
from catchall.core.errors import StoreError
from catchall.core.times import DAY_SECONDS, MICROSECONDS, day_of, quarter_of
from catchall.store.base import Blobs, EventStore, Hot
from catchall.worker.aside import Aside

log = structlog.get_logger(__name__)


class Scheduler:
    """Calls what is due, one after the other, in one process."""

    def __init__(
        self,
        events: EventStore,
        hot: Hot,
        blobs: Blobs,
        *,
        forget_spooled: Callable[[float], int],
        learning: Aside,
        retention_days: int,
        retention_bytes: int,
        clock: Callable[[], int],
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._events = events
        self._hot = hot
        self._blobs = blobs
        self._forget_spooled = forget_spooled
        self._learning = learning
        self._learn_from = float("-inf")
        self._days = retention_days
        self._bytes = retention_bytes
        self._clock = clock
        self._elapsed = elapsed
        self._retained_at: float | None = None

    def round(self) -> None:
        """Do what is due now."""
        now = self._elapsed()
        if self._retained_at is None or now - self._retained_at >= limits.RETENTION_ROUND_SECONDS:
            self._retained_at = now
            self.retain()
        if now >= self._learn_from:
            self._let_learn(now)

    def _let_learn(self, now: float) -> None:
        """A store that cannot be read must not end what else time starts."""
        try:
            if not self._learning.runs() and self._events.should_learn():
                self._learning.start()
        except StoreError as error:
            self._learn_from = now + limits.LEARNING_PAUSE_SECONDS
            log.warning("cannot see whether the event store should learn", error=str(error))

    def stop(self) -> None:
        """End what runs aside: it is begun again another time."""
        self._learning.end()

    def retain(self) -> list[str]:
        """Drop the days that are past retention by age or by total size; returns them. Today is never dropped."""
        now = self._clock()
        dropped = past_retention(self._events.days(), day_of(now), self._days, self._bytes)
        for day in dropped:
            freed = self._events.drop_day(day) + self._blobs.delete_prefix(f"attachments/{day}")
            log.info("day dropped", day=day, bytes=freed)
        # bodies that a crash left behind, or that only a dead letter still names, go with the events of their time
        self._forget_spooled(self._days * DAY_SECONDS)
        if dropped:
            self._hot.forget_before(quarter_of(now - self._days * DAY_SECONDS * MICROSECONDS))
        return dropped


def past_retention(days: list[tuple[str, int]], today: str, keep_days: int, keep_bytes: int) -> list[str]:
    """Which days to drop: those older than `keep_days`, then the oldest until `keep_bytes` (0: no bound) suffice."""
    oldest_kept = (date.fromisoformat(today) - timedelta(days=keep_days)).isoformat()
    dropped = [day for day, _ in days if day < oldest_kept]
    rest = [(day, size) for day, size in days if day >= oldest_kept]
    total = sum(size for _, size in rest)
    for day, size in rest:
        if not keep_bytes or total <= keep_bytes or day >= today:
            break
        dropped.append(day)
        total -= size
    return dropped
