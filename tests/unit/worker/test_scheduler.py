"""Retention: which days go, by age and by size."""

from catchall.worker.scheduler import past_retention

DAYS = [("2026-01-01", 10), ("2026-01-02", 20), ("2026-01-03", 30), ("2026-01-04", 40)]


def test_days_past_the_age_go() -> None:
    assert past_retention(DAYS, "2026-01-04", 2, 0) == ["2026-01-01"]


def test_the_oldest_go_until_the_rest_fits() -> None:
    assert past_retention(DAYS, "2026-01-04", 90, 75) == ["2026-01-01", "2026-01-02"]


def test_today_stays_however_large_it_is() -> None:
    assert past_retention(DAYS, "2026-01-04", 90, 1) == ["2026-01-01", "2026-01-02", "2026-01-03"]


def test_without_a_size_bound_only_age_counts() -> None:
    assert past_retention(DAYS, "2026-01-04", 90, 0) == []
