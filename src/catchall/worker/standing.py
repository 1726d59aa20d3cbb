"""Where the line stands: what was accepted, what waits, what became of the rest, in one snapshot."""

from collections import defaultdict
from typing import Any

import msgspec

from catchall.core import limits
from catchall.core.errors import PositionBeyondLog
from catchall.core.ledger import ITEM_OUTCOMES, LedgerKey, Outcome
from catchall.queue.base import LogReader
from catchall.store.base import Hot

SNAPSHOT_TRIES = 20


class Standing(msgspec.Struct, kw_only=True):
    """The ledger with the log's side of the balance."""

    rows: dict[LedgerKey, int]
    accepted: int
    committed: int
    waiting: int
    waiting_bytes: int
    oldest_at: float | None
    dead_letters: int

    @property
    def items_seen(self) -> int:
        """Items that were taken out of requests."""
        return sum(count for key, count in self.rows.items() if key.outcome == Outcome.SEEN)

    @property
    def balanced(self) -> bool:
        """Requests: accepted = committed + waiting. Items: seen = sum of outcomes, in every project and category."""
        return self.accepted == self.committed + self.waiting and not self.differences()

    def differences(self) -> dict[str, int]:
        """Seen minus ended, by "project/category", where it is not zero."""
        sums: dict[tuple[int, str], int] = defaultdict(int)
        ended = {outcome.value for outcome in ITEM_OUTCOMES}
        for key, count in self.rows.items():
            if key.outcome == Outcome.SEEN:
                sums[key.project_id, key.category] += count
            elif key.outcome in ended:
                sums[key.project_id, key.category] -= count
        return {f"{project}/{category}": rest for (project, category), rest in sums.items() if rest}

    def ledger(self) -> dict[str, Any]:
        """What `catchall ledger --json` and the API print."""
        outcomes: dict[str, int] = defaultdict(int)
        for key, count in self.rows.items():
            outcomes[key.outcome] += count
        return {
            "balanced": self.balanced,
            "requests": {"accepted": self.accepted, "committed": self.committed, "waiting": self.waiting},
            "items": {outcome.value: outcomes.get(outcome.value, 0) for outcome in Outcome},
            "differences": self.differences(),
            "rows": [
                {"project_id": key.project_id, "category": key.category, "outcome": key.outcome, "reason": key.reason,
                 "count": count}
                for key, count in sorted(self.rows.items())
            ],
        }  # fmt: skip


def standing(reader: LogReader, hot: Hot) -> Standing:
    """Take the snapshot: first the store's, then the log from just those positions on.

    A segment that was committed and freed in between makes the first half stale: then it is taken again.
    """
    for attempt in range(SNAPSHOT_TRIES):
        snapshot = hot.ledger()
        try:
            logs = reader.logs()
            depths = [
                reader.depth(info, snapshot.positions.get(info.uuid, [info.start] * limits.LOG_PARTITIONS))
                for info in logs
            ]
            break
        except PositionBeyondLog:
            if attempt + 1 == SNAPSHOT_TRIES:
                raise
    oldest = [depth.oldest_at for depth in depths if depth.oldest_at is not None]
    return Standing(
        rows=snapshot.rows,
        accepted=sum(info.requests for info in logs),
        committed=snapshot.requests_committed,
        waiting=sum(depth.requests for depth in depths),
        waiting_bytes=sum(depth.bytes for depth in depths),
        oldest_at=min(oldest, default=None),
        dead_letters=snapshot.dead_letters_waiting,
    )
