"""Envelope items that are not errors: understood as far as they are counted.

Items: https://develop.sentry.dev/sdk/data-model/envelope-items/ · sessions: https://develop.sentry.dev/sdk/telemetry/sessions/
check-ins: https://develop.sentry.dev/sdk/telemetry/check-ins/ · logs: https://develop.sentry.dev/sdk/telemetry/logs/
client reports: https://develop.sentry.dev/sdk/telemetry/client-reports/
"""

from collections import Counter
from typing import Any

from catchall.core import limits
from catchall.core.errors import Reason, WireError
from catchall.core.ledger import DataCategory, Outcome
from catchall.wire.base import AggregatedItem, Count, SetAsideItem
from catchall.wire.sentry_lenient import integer, mapping, read_json, text

UNSUPPORTED = {
    "transaction": DataCategory.TRANSACTION,
    "span": DataCategory.SPAN,
    "statsd": DataCategory.METRIC,
    "metric_buckets": DataCategory.METRIC,
    "trace_metric": DataCategory.METRIC,
    "profile": DataCategory.PROFILE,
    "profile_chunk": DataCategory.PROFILE,
    "replay_event": DataCategory.REPLAY,
    "replay_recording": DataCategory.REPLAY,
    "replay_video": DataCategory.REPLAY,
    "user_report": DataCategory.FEEDBACK,
    "feedback": DataCategory.FEEDBACK,
}
_QUANTITY_MAX = 10**9
_FINAL_STATES = frozenset({"exited", "crashed", "abnormal", "errored", "unhandled"})


def set_aside(index: int, kind: str, item_count: int) -> SetAsideItem:
    """An item of a kind that this catchall does not keep: counted, named, never refused."""
    return SetAsideItem(
        index=index,
        category=UNSUPPORTED.get(kind, DataCategory.UNKNOWN),
        outcome=Outcome.UNSUPPORTED,
        reason=Reason.ITEM_UNSUPPORTED,
        detail=kind[: limits.NAME_CHARS_MAX],
        quantity=max(1, item_count),
    )


def counted(index: int, kind: str, payload: bytes) -> AggregatedItem:
    """A session, check-in, log or client report as counts. Raises WireError when its JSON is none."""
    found = read_json(payload)
    if not isinstance(found, dict):
        raise WireError(Reason.WRONG_TYPE, f"a {kind} is a JSON object")
    return _COUNTERS[kind](index, found)


def _key(*parts: str | None) -> str:
    return "|".join((part or "").replace("|", "/")[: limits.NAME_CHARS_MAX] for part in parts)


def _session(index: int, session: dict[str, Any]) -> AggregatedItem:
    """One session's update: its beginning counts as "started", its end under its last state; what lies between not."""
    attributes = mapping(session.get("attrs"))
    names = text(attributes.get("release")), text(attributes.get("environment"))
    status = text(session.get("status")) or "ok"
    counts = []
    if session.get("init"):
        counts.append(Count("session", _key(*names, "started"), 1))
    if status in _FINAL_STATES:
        counts.append(Count("session", _key(*names, status), 1))
    return AggregatedItem(index=index, category=DataCategory.SESSION, counts=counts)


def _sessions(index: int, sessions: dict[str, Any]) -> AggregatedItem:
    """Sessions that the client has added up itself, by minute."""
    attributes = mapping(sessions.get("attrs"))
    names = text(attributes.get("release")), text(attributes.get("environment"))
    sums: Counter[str] = Counter()
    groups = sessions.get("aggregates")
    for group in (groups if isinstance(groups, list) else [])[: limits.ENVELOPE_ITEMS_MAX]:
        if isinstance(group, dict):
            for status in _FINAL_STATES:
                sums[status] += _quantity(group.get(status))
    counts = [Count("session", _key(*names, status), number) for status, number in sorted(sums.items()) if number]
    total = sum(sums.values())
    if total:
        counts.append(Count("session", _key(*names, "started"), total))
    return AggregatedItem(index=index, category=DataCategory.SESSION, counts=counts, quantity=max(1, total))


def _check_in(index: int, check_in: dict[str, Any]) -> AggregatedItem:
    key = _key(text(check_in.get("monitor_slug")), text(check_in.get("environment")), text(check_in.get("status")))
    return AggregatedItem(index=index, category=DataCategory.CHECK_IN, counts=[Count("check_in", key, 1)])


def _logs(index: int, logs: dict[str, Any]) -> AggregatedItem:
    found = logs.get("items")
    entries = found[: limits.LOG_ITEMS_PER_ITEM_MAX] if isinstance(found, list) else [logs]
    levels = Counter(text(entry.get("level")) or "info" if isinstance(entry, dict) else "info" for entry in entries)
    counts = [Count("log", _key(level), number) for level, number in sorted(levels.items())]
    return AggregatedItem(index=index, category=DataCategory.LOG, counts=counts, quantity=max(1, len(entries)))


def _client_report(index: int, report: dict[str, Any]) -> AggregatedItem:
    counts: Counter[str] = Counter()
    for name in ("discarded_events", "rate_limited_events", "filtered_events", "filtered_sampling_events"):
        entries = report.get(name)
        for entry in (entries if isinstance(entries, list) else [])[: limits.ENVELOPE_ITEMS_MAX]:
            if isinstance(entry, dict):
                counts[_key(text(entry.get("reason")), text(entry.get("category")))] += _quantity(entry.get("quantity"))
    found = [Count("client_report", key, number) for key, number in sorted(counts.items()) if number]
    return AggregatedItem(index=index, category=DataCategory.CLIENT_REPORT, counts=found)


def _quantity(value: object) -> int:
    return min(max(integer(value) or 0, 0), _QUANTITY_MAX)


_COUNTERS = {
    "session": _session,
    "sessions": _sessions,
    "check_in": _check_in,
    "log": _logs,
    "client_report": _client_report,
}

CATEGORIES = {
    "session": DataCategory.SESSION,
    "sessions": DataCategory.SESSION,
    "check_in": DataCategory.CHECK_IN,
    "log": DataCategory.LOG,
    "client_report": DataCategory.CLIENT_REPORT,
}
"""Kinds that `counted` understands."""
