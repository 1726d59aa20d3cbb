"""What a process asks of the system for itself is had by it alone, or done without."""

import ctypes
import gc
import os
import weakref
from collections.abc import Callable

import pytest

from catchall import heap, processor


def in_a_child(work: Callable[[], None]) -> int:
    """Niceness can only be raised: in a process that ends. Returns the niceness that it had then."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os.write(writing, str(os.getpriority(os.PRIO_PROCESS, 0)).encode())
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writing)
    assert os.waitpid(pid, 0)[1] == 0
    with os.fdopen(reading) as said:
        return int(said.read())


def test_work_stands_back_behind_answers() -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert in_a_child(lambda: processor.ask_for(processor.QUICK)) == own
    assert in_a_child(lambda: processor.ask_for(processor.PAGES)) == max(own, 5)
    assert in_a_child(lambda: processor.ask_for(processor.WORK)) == max(own, 10)


def test_somebody_who_stands_further_back_already_stays_there() -> None:
    def work() -> None:
        os.nice(19)
        processor.ask_for(processor.QUICK)

    assert in_a_child(work) == 19


def test_without_slices_the_niceness_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "_SET_ATTRIBUTES", None)
    assert in_a_child(lambda: processor.ask_for(processor.WORK)) >= 10


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_free_memory_goes_back_to_the_system() -> None:
    def work() -> None:
        kept: list[object] = []
        filled = []
        for _ in range(4000):
            filled.append(ctypes.create_string_buffer(b"x" * 8000))
            kept.append(ctypes.create_string_buffer(600))  # so that nothing is free at the end of the heap
        del filled
        before = resident_bytes()
        heap.return_what_is_free()
        assert resident_bytes() < before - 20_000_000

    in_a_child(work)


def test_garbage_is_looked_for_seldom_but_is_not_kept_for_ever() -> None:
    class Cycle:
        def __init__(self) -> None:
            self.own = self

    def work() -> None:
        heap.collect_seldom()
        gc.collect()
        left: list[weakref.ref[Cycle]] = [weakref.ref(Cycle()) for _ in range(5000)]
        assert all(one() is not None for one in left), "at the usual pace the first ones would be gone"
        heap.return_what_is_free()
        assert all(one() is None for one in left)

    in_a_child(work)


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_libc", object())
    heap.return_large_buffers()
    heap.return_what_is_free()
