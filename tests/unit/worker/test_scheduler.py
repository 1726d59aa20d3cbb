"""Retention: which days go, by age and by size. When the event store learns."""

from typing import Any, cast

from catchall.core.errors import StoreError
from catchall.worker.aside import Aside
from catchall.worker.scheduler import Scheduler, past_retention

DAYS = [("2026-01-01", 10), ("2026-01-02", 20), ("2026-01-03", 30), ("2026-01-04", 40)]


def test_days_past_the_age_go() -> None:
    assert past_retention(DAYS, "2026-01-04", 2, 0) == ["2026-01-01"]


def test_the_oldest_go_until_the_rest_fits() -> None:
    assert past_retention(DAYS, "2026-01-04", 90, 75) == ["2026-01-01", "2026-01-02"]


def test_today_stays_however_large_it_is() -> None:
    assert past_retention(DAYS, "2026-01-04", 90, 1) == ["2026-01-01", "2026-01-02", "2026-01-03"]


def test_without_a_size_bound_only_age_counts() -> None:
    assert past_retention(DAYS, "2026-01-04", 90, 0) == []


class Learner:
    """An event store that can learn, and its learning."""

    def __init__(self) -> None:
        self.wanted = self.running = self.damaged = False
        self.begun = 0

    def days(self) -> list[tuple[str, int]]:
        return []

    def should_learn(self) -> bool:
        if self.damaged:
            raise StoreError("a day cannot be read")
        return self.wanted

    def runs(self) -> bool:
        return self.running

    def start(self) -> None:
        self.begun += 1
        self.running = True

    def end(self) -> None:
        self.running = False


def test_the_event_store_learns_when_it_is_time_and_once_at_a_time() -> None:
    learner = Learner()
    scheduler = Scheduler(
        cast("Any", learner),
        cast("Any", None),
        cast("Any", None),
        forget_spooled=lambda _age: 0,
        learning=cast("Aside", learner),
        retention_days=90,
        retention_bytes=0,
        clock=lambda: 0,
    )
    scheduler.round()
    assert learner.begun == 0
    learner.wanted = True
    scheduler.round()
    scheduler.round()
    assert learner.begun == 1
    learner.running = False
    scheduler.round()
    assert learner.begun == 2
    scheduler.stop()
    assert not learner.running


def test_a_store_that_cannot_be_read_does_not_end_the_scheduler() -> None:
    learner = Learner()
    learner.wanted = learner.damaged = True
    at = [0.0]
    scheduler = Scheduler(
        cast("Any", learner),
        cast("Any", None),
        cast("Any", None),
        forget_spooled=lambda _age: 0,
        learning=cast("Aside", learner),
        retention_days=90,
        retention_bytes=0,
        clock=lambda: 0,
        elapsed=lambda: at[0],
    )
    scheduler.round()
    learner.damaged = False
    scheduler.round()
    assert learner.begun == 0
    at[0] = 61.0
    scheduler.round()
    assert learner.begun == 1
