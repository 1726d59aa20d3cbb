"""Filters of ids: never a miss, few wrong hits."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchall.core.limits import FILTER_BITS_PER_EVENT
from catchall.store.sqlite.day_filter import DayFilter, DayFilters, GrowingFilter, Key, Places, hashes_of


def keys(start: int, end: int) -> list[Key]:
    return [(number % 3, number.to_bytes(16, "big")) for number in range(start, end)]


def passing(filter_of_day: DayFilter, asked: list[Key]) -> list[Key]:
    hashes = [hashes_of(key) for key in asked]
    return [asked[index] for index in filter_of_day.may_have(hashes, Places(hashes, filter_of_day.size))]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "2024-10-04.bloom"


@pytest.mark.parametrize("events", [0, 1, 100, 5000])
def test_what_was_added_always_passes_and_little_else_does(path, events):
    growing = GrowingFilter(events)
    growing.add(keys(0, events))
    growing.write(path)
    made = DayFilter(path, writable=False)
    assert passing(made, keys(0, events)) == keys(0, events)
    assert all(made.has(hashes_of(key)) for key in keys(0, events))
    assert len(passing(made, keys(10_000, 20_000))) <= 10
    assert path.stat().st_size <= 100 + max(1024, events * FILTER_BITS_PER_EVENT * 1.25) / 8


@given(st.lists(st.integers(0, 2**128 - 1), max_size=30, unique=True))
def test_a_key_of_one_project_is_not_that_of_another(numbers):
    both = {hashes_of((project, number.to_bytes(16, "big"))) for number in numbers for project in (1, 2)}
    assert len(both) == 2 * len(numbers)


def test_late_keys_are_seen_by_those_who_have_the_filter_open(path):
    GrowingFilter(1000).write(path)
    filters, others = DayFilters(), DayFilters()
    reading = others.get(path)
    writable = filters.get(path, writable=True)
    assert reading is not None
    assert writable is not None
    writable.add(keys(0, 50))
    assert passing(reading, keys(0, 100))[:50] == keys(0, 50)
    assert len(passing(reading, keys(0, 100))) == 50


def test_a_filter_that_was_made_anew_is_opened_anew(path):
    filters = DayFilters()
    assert filters.get(path) is None
    GrowingFilter(10).write(path)
    first = filters.get(path)
    assert first is not None
    assert filters.get(path) is first
    second = GrowingFilter(10)
    second.add(keys(0, 5))
    second.write(path)
    found = filters.get(path)
    assert found is not None
    assert passing(found, keys(0, 5)) == keys(0, 5)


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 200])
def test_a_damaged_filter_counts_as_none(path, damage):
    path.write_bytes(damage)
    assert DayFilters().get(path) is None
