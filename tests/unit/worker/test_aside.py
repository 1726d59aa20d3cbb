"""Long work runs in a process of its own, once at a time, and not for ever."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catchall.worker.aside import Aside

SECONDS_MAX = 100.0
PATIENCE = 10.0


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def aside(clock: Clock) -> Iterator[Callable[[Callable[[], None]], Aside]]:
    made = []

    def make(work: Callable[[], None]) -> Aside:
        made.append(Aside("learning", work, seconds_max=SECONDS_MAX, elapsed=clock))
        return made[-1]

    yield make
    for one in made:
        one.end()


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_work_is_done_by_another_process(aside, tmp_path: Path) -> None:
    told = tmp_path / "pid"
    one = aside(lambda: told.write_text(str(os.getpid())) and None)
    assert not one.runs()
    one.start()
    wait_until(lambda: not one.runs())
    assert int(told.read_text()) != os.getpid()


def test_it_is_not_begun_twice(aside, tmp_path: Path) -> None:
    def work() -> None:
        with (tmp_path / "begun").open("a") as file:
            file.write("x")
        signal.pause()

    one = aside(work)
    one.start()
    wait_until((tmp_path / "begun").exists)
    one.start()
    assert one.runs()
    one.end()
    assert not one.runs()
    assert (tmp_path / "begun").read_text() == "x"


def test_what_takes_too_long_is_ended(aside, clock: Clock) -> None:
    one = aside(signal.pause)
    one.start()
    assert one.runs()
    clock.now = SECONDS_MAX + 1
    assert not one.runs()


def test_a_failure_is_told_and_does_not_reach_the_parent(aside, capfd) -> None:
    def work() -> None:
        raise RuntimeError("no dictionary today")

    one = aside(work)
    one.start()
    wait_until(lambda: not one.runs())
    said = capfd.readouterr()
    assert "no dictionary today" in said.out + said.err
    one.start()
    assert one.runs()


def test_what_failed_is_not_begun_again_at_once(clock: Clock) -> None:
    def work() -> None:
        raise RuntimeError("the disk is full")

    one = Aside("learning", work, seconds_max=SECONDS_MAX, pause_seconds=60.0, elapsed=clock)
    one.start()
    wait_until(lambda: not one.runs())
    one.start()
    assert not one.runs()
    clock.now = 61.0
    one.start()
    assert one.runs()
    one.end()
