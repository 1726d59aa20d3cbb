"""Log and store are compared while others write and release: that must not look like a mismatch."""

from types import SimpleNamespace
from typing import Any

import pytest

from catchall.core.errors import PositionBeyondLog
from catchall.queue.base import Lane, LogInfo
from catchall.worker.belonging import check_places

UUID = b"u" * 16


def compare(looks: list[tuple[int, int]], committed: int) -> None:
    """Compare a log that begins and ends so, at each look, with a store that has committed up to a place."""
    infos = iter([LogInfo(UUID, Lane.NORMAL, start, end, 0)] for start, end in looks)
    reader: Any = SimpleNamespace(logs=lambda: next(infos))
    hot: Any = SimpleNamespace(ledger=lambda: SimpleNamespace(positions={UUID: [committed]}))
    check_places(reader, hot)


def test_what_is_released_meanwhile_is_no_gap():
    compare([(0, 100), (80, 200)], committed=50)


def test_what_is_written_meanwhile_is_not_beyond_the_end():
    compare([(0, 100), (0, 200)], committed=150)


@pytest.mark.parametrize(("start", "end", "committed"), [(80, 200, 50), (0, 100, 150)])
def test_a_place_outside_of_the_log_is_refused(start, end, committed):
    with pytest.raises(PositionBeyondLog):
        compare([(start, end), (start, end)], committed)
