"""How catchall itself is doing: one line on top of each page, nothing when all is well."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catchall.core.times import MICROSECONDS
from catchall.web.services import current

KEPT_MICROSECONDS = 2 * MICROSECONDS
BACKLOG_SECONDS_WORTH_SAYING = 30.0


@dataclass(slots=True)
class Health:
    """What is wrong now (sentences), and how many dead letters wait."""

    problems: list[str] = field(default_factory=list)
    dead_letters: int = 0


def report() -> Health:
    """Ask the running parts; the answer is kept for a moment, as reading the log's depth costs more than a page."""
    services = current()
    now = services.clock()
    with _lock:
        if _kept.at and 0 <= now - _kept.at < KEPT_MICROSECONDS:
            return _kept.health
    health = read(services.status(), now / MICROSECONDS)
    with _lock:
        _kept.at, _kept.health = now, health
    return health


def read(status: Mapping[str, Any], now: float) -> Health:
    """Make sentences of a status. Of it are read: `waiting` (records), `oldest_waiting_at` (epoch seconds of the oldest
    of them), `dead_letters`, `problems` (sentences). Each may be missing."""
    problems = [str(problem) for problem in status.get("problems", ())]
    oldest_at = status.get("oldest_waiting_at")
    late = now - float(oldest_at) if oldest_at is not None else 0.0
    if late > BACKLOG_SECONDS_WORTH_SAYING:
        waiting = int(status.get("waiting", 0))
        problems.append(f"Events show late: {waiting:,} requests wait to be processed, the oldest for {late:,.0f} s")
    return Health(problems=problems, dead_letters=int(status.get("dead_letters", 0)))


class _Kept:
    def __init__(self) -> None:
        self.at = 0
        self.health = Health()


_kept = _Kept()
_lock = threading.Lock()
