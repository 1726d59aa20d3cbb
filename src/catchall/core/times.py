"""Times as the model has them: integers of microseconds since the epoch (UTC), printed as RFC 3339."""

from datetime import UTC, datetime
from functools import lru_cache

MICROSECONDS = 1_000_000
QUARTER_SECONDS = 900  # rollups count quarters of an hour: zones at half hours need them
DAY_SECONDS = 86_400


def rfc3339(microseconds: int) -> str:
    """Print a time as RFC 3339 in UTC with microseconds, e.g. 2026-11-23T10:00:00.000000Z."""
    minutes = microseconds // (60 * MICROSECONDS)
    digits = str(microseconds - minutes * 60 * MICROSECONDS + 100 * MICROSECONDS)  # "1", seconds, fraction
    return f"{_minute(minutes)}{digits[1:3]}.{digits[3:]}Z"


@lru_cache(maxsize=1024)  # events of one moment share their minutes: 3.7 -> 0.9 us a time, and an event has ten or more
def _minute(minutes: int) -> str:
    return f"{datetime.fromtimestamp(minutes * 60, UTC):%Y-%m-%dT%H:%M:}"


def day_of(microseconds: int) -> str:
    """The UTC day of a time, as YYYY-MM-DD: the name of its shard."""
    return _minute(microseconds // (60 * MICROSECONDS))[:10]


def quarter_of(microseconds: int) -> int:
    """The quarter of an hour of a time, counted from the epoch."""
    return microseconds // (QUARTER_SECONDS * MICROSECONDS)
