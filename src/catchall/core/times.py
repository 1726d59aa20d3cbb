"""Times as the model has them: integers of microseconds since the epoch (UTC), printed as RFC 3339."""

from datetime import UTC, datetime

MICROSECONDS = 1_000_000
QUARTER_SECONDS = 900  # rollups count quarters of an hour: zones at half hours need them
DAY_SECONDS = 86_400


def rfc3339(microseconds: int) -> str:
    """Print a time as RFC 3339 in UTC with microseconds, e.g. 2026-11-23T10:00:00.000000Z."""
    seconds, fraction = divmod(microseconds, MICROSECONDS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:06d}Z"


def day_of(microseconds: int) -> str:
    """The UTC day of a time, as YYYY-MM-DD: the name of its shard."""
    return f"{datetime.fromtimestamp(microseconds // MICROSECONDS, UTC):%Y-%m-%d}"


def quarter_of(microseconds: int) -> int:
    """The quarter of an hour of a time, counted from the epoch."""
    return microseconds // (QUARTER_SECONDS * MICROSECONDS)
