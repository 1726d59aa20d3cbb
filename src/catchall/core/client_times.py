"""Times as clients write them -> microseconds since the epoch."""

from datetime import UTC, datetime, timedelta

from catchall.core.times import MICROSECONDS, rfc3339

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST = 253_402_300_799 * MICROSECONDS  # the end of year 9999, beyond which RFC 3339 cannot write
_SECONDS_END = 100_000_000_000  # what is beyond (year 5138) is milli-, micro- or nanoseconds of our days
_NUMBER_END = 1e20


def microseconds(value: object) -> int | None:
    """The time that a value names.

    A number counts seconds, or thousandths of them (and so on) where seconds make no sense. A text is ISO 8601, in UTC
    unless it says otherwise, or a number. None: no time, or one before 1970 or beyond the year 9999.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return _from_text(value.strip())
    return _from_number(value) if isinstance(value, int | float) else None


def timestamp_text(value: object) -> str:
    """The same as RFC 3339; empty when it is no time."""
    if type(value) is float and 0 <= value < _SECONDS_END:  # what most breadcrumbs have, at half the price
        return rfc3339(round(value * MICROSECONDS))
    found = microseconds(value)
    return "" if found is None else rfc3339(found)


def _from_number(value: float) -> int | None:
    if not 0 <= value < _NUMBER_END:  # also so for NaN
        return None
    while value >= _SECONDS_END:
        value /= 1000
    return round(value * MICROSECONDS)


def _from_text(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            return _from_number(float(text))
        except ValueError:
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    found = (moment - _EPOCH) // _MICROSECOND
    return found if 0 <= found <= _LAST else None
