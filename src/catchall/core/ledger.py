"""The ledger: where every item went. Items: seen = the sum of all outcomes, for each project and data category."""

from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from catchall.core.errors import Reason
from catchall.core.limits import LEDGER_KEYS_REMEMBERED_MAX


class Outcome(StrEnum):
    """Where an item ended. Every item seen has exactly one; a replayed dead letter moves from `dead`.

    `SEEN` is the other side of the balance: counted when an item is taken out of its request, before its fate is known.
    """

    SEEN = "seen"
    STORED = "stored"
    AGGREGATED = "aggregated"
    DUPLICATE = "duplicate"
    FILTERED = "filtered"
    SAMPLED = "sampled"
    REJECTED = "rejected"
    DEAD = "dead"
    UNSUPPORTED = "unsupported"
    REFUSED = "refused"  # at intake: a request, not an item; outside the balance of items


class DataCategory(StrEnum):
    """What kind of thing an item is. The words are those of Sentry's rate limit categories where it has one.

    Source: https://develop.sentry.dev/sdk/expected-features/rate-limiting/
    """

    ERROR = "error"
    ATTACHMENT = "attachment"
    SESSION = "session"
    CHECK_IN = "monitor"
    LOG = "log_item"
    CLIENT_REPORT = "client_report"
    TRANSACTION = "transaction"
    SPAN = "span"
    METRIC = "trace_metric"
    FEEDBACK = "feedback"
    PROFILE = "profile"
    REPLAY = "replay"
    REQUEST = "request"
    UNKNOWN = "unknown"


ITEM_OUTCOMES = (
    Outcome.STORED,
    Outcome.AGGREGATED,
    Outcome.DUPLICATE,
    Outcome.FILTERED,
    Outcome.SAMPLED,
    Outcome.REJECTED,
    Outcome.DEAD,
    Outcome.UNSUPPORTED,
)


class LedgerKey(NamedTuple):
    """One row of the ledger. `project_id` 0 is the installation (unknown keys, unreadable records)."""

    project_id: int
    category: str
    outcome: str
    reason: str


@lru_cache(LEDGER_KEYS_REMEMBERED_MAX)
def ledger_key(project_id: int, category: DataCategory, outcome: Outcome, reason: Reason | None = None) -> LedgerKey:
    """The row in which something is counted. Remembered: nearly all events are counted in the same few."""
    return LedgerKey(project_id, category.value, outcome.value, reason.value if reason else "")
