"""Envelope items that are understood and only counted: sessions, check-ins, logs, client reports.

Sources, all on https://develop.sentry.dev: sdk/telemetry/sessions/, sdk/telemetry/check-ins/, sdk/telemetry/logs/,
sdk/telemetry/client-reports/
"""

from collections import Counter
from collections.abc import Callable

from catchall.core import limits
from catchall.core.errors import Reason, WireError
from catchall.core.ledger import DataCategory
from catchall.wire.base import AggregatedItem, Count
from catchall.wire.coerce import boolean, integer, text
from catchall.wire.json_text import Json, loads

COUNTED = {
    "session": DataCategory.SESSION,
    "sessions": DataCategory.SESSION,
    "check_in": DataCategory.CHECK_IN,
    "log": DataCategory.LOG,
    "client_report": DataCategory.CLIENT_REPORT,
}
_BAD_ENDS = frozenset({"crashed", "abnormal", "unhandled"})
_ENDS = ("exited", "errored", "abnormal", "unhandled", "crashed")
_CHECK_IN_STATES = frozenset({"in_progress", "ok", "error", "missed", "timeout"})
_LOG_LEVELS = frozenset({"trace", "debug", "info", "warn", "error", "fatal"})
_UNKNOWN = "unknown"  # words outside the lists would let a client make any number of counters


def counted(index: int, kind: str, data: bytes) -> AggregatedItem:
    """An item as counts. Raises WireError: JSON_MALFORMED, JSON_TOO_DEEP, WRONG_TYPE, TOO_MANY_ITEMS."""
    found = loads(data)
    if not isinstance(found, dict):
        raise WireError(Reason.WRONG_TYPE, f"a {kind} is a JSON object")
    counts, quantity = _COUNTERS[kind](found)
    return AggregatedItem(index=index, category=COUNTED[kind], counts=counts, quantity=quantity)


def _key(*parts: str) -> str:
    return "|".join(part.replace("|", "¦").replace("\0", "")[: limits.NAME_CHARS_MAX] for part in parts)


def _counts(kind: str, sums: Counter[str]) -> list[Count]:
    return [Count(kind, key, min(number, limits.COUNT_MAX)) for key, number in sums.items() if number > 0]


def _claimed(value: Json) -> int:
    return min(integer(value) or 0, limits.COUNT_MAX)


def _names(found: dict[str, Json]) -> tuple[str, str]:
    attributes = found.get("attrs")
    attributes = attributes if isinstance(attributes, dict) else {}
    return text(attributes.get("release")), text(attributes.get("environment"))


def _session(found: dict[str, Json]) -> tuple[list[Count], int]:
    """One update of a session. Each thing is counted where the client tells it for the first time:

    - "started" with the first update (`init`);
    - "crashed", "abnormal" and "unhandled" with the update that says so, which clients send once;
    - "errored" with the first error: a running session with errors, or a first update with errors;
    - "exited" with the end of a session without errors.
    """
    release, environment = _names(found)
    status = text(found.get("status")).lower() or "ok"
    initial = boolean(found.get("init")) or False
    errors = integer(found.get("errors")) or 0
    sums: Counter[str] = Counter()
    if initial:
        sums[_key(release, environment, "started")] = 1
    if status in _BAD_ENDS:
        sums[_key(release, environment, status)] = 1
    elif errors and (initial or status == "ok"):
        sums[_key(release, environment, "errored")] = 1
    elif status == "exited" and not errors:
        sums[_key(release, environment, "exited")] = 1
    return _counts("session", sums), 1


def _sessions(found: dict[str, Json]) -> tuple[list[Count], int]:
    """Sessions that the client has added up itself. Its states exclude each other; together they are those started."""
    release, environment = _names(found)
    sums: Counter[str] = Counter()
    groups = found.get("aggregates")
    for group in groups if isinstance(groups, list) else ():
        for status in _ENDS if isinstance(group, dict) else ():
            number = _claimed(group.get(status))
            sums[_key(release, environment, "started")] += number
            sums[_key(release, environment, status)] += number
    return _counts("session", sums), 1


def _check_in(found: dict[str, Json]) -> tuple[list[Count], int]:
    slug = text(found.get("monitor_slug"))
    if not slug:
        raise WireError(Reason.WRONG_TYPE, "a check_in names its monitor_slug")
    status = text(found.get("status")).lower()
    status = status if status in _CHECK_IN_STATES else _UNKNOWN
    return [Count("check_in", _key(slug, text(found.get("environment")), status), 1)], 1


def _logs(found: dict[str, Json]) -> tuple[list[Count], int]:
    entries = found.get("items")
    if not isinstance(entries, list):
        entries = [found]  # the first version had one log record per item
    if len(entries) > limits.LOG_ITEMS_PER_ITEM_MAX:
        raise WireError(Reason.TOO_MANY_ITEMS, f"{len(entries)} logs, {limits.LOG_ITEMS_PER_ITEM_MAX} are the most")
    sums: Counter[str] = Counter()
    for entry in entries:
        level = text(entry.get("level")).lower() if isinstance(entry, dict) else ""
        level = "warn" if level == "warning" else level
        sums[level if level in _LOG_LEVELS else _UNKNOWN] += 1
    return _counts("log", sums), max(1, len(entries))


def _client_report(found: dict[str, Json]) -> tuple[list[Count], int]:
    """What the client itself threw away, and why."""
    entries = found.get("discarded_events")
    sums: Counter[str] = Counter()
    for entry in (entries if isinstance(entries, list) else [])[: limits.CLIENT_REPORT_ENTRIES_MAX]:
        if isinstance(entry, dict):
            sums[_key(text(entry.get("reason")), text(entry.get("category")))] += _claimed(entry.get("quantity"))
    return _counts("client_report", sums), 1


_COUNTERS: dict[str, Callable[[dict[str, Json]], tuple[list[Count], int]]] = {
    "session": _session,
    "sessions": _sessions,
    "check_in": _check_in,
    "log": _logs,
    "client_report": _client_report,
}
