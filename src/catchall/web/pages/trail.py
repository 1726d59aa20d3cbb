"""What happened before the error: breadcrumbs as a time line that ends in the error itself."""

from dataclasses import dataclass

import msgspec
from msgspec import UNSET

from catchall.core.event import Breadcrumb, Event
from catchall.web.drawing.formatting import parse
from catchall.web.pages.values import Value, fields_of

NEWEST_SHOWN_AT_ONCE = 15


@dataclass(slots=True)
class Crumb:
    """One step of the time line. `before`: how long before the error, in words; empty when its time is unknown."""

    timestamp: str
    before: str
    kind: str
    level: str
    message: str
    data: list[Value]


def crumbs_of(event: Event) -> tuple[list[Crumb], list[Crumb]]:
    """(the earlier ones, folded at first; the newest ones), oldest first."""
    crumbs = [_crumb(crumb, event.timestamp) for crumb in event.breadcrumbs]
    edge = max(0, len(crumbs) - NEWEST_SHOWN_AT_ONCE)
    return crumbs[:edge], crumbs[edge:]


def _crumb(crumb: Breadcrumb, error_at: str) -> Crumb:
    data: list[Value] = []
    if crumb.data is not UNSET:
        raw = bytes(crumb.data)
        try:
            data = fields_of(raw)
        except (msgspec.DecodeError, RecursionError):
            data = [Value("data", raw.decode("utf-8", "replace"), "text")]
    return Crumb(
        timestamp=crumb.timestamp,
        before=_before(crumb.timestamp, error_at),
        kind=crumb.category or crumb.type or "default",
        level=crumb.level,
        message=crumb.message,
        data=[value for value in data if value.text not in ("", "{}", "[]")],
    )


def _before(timestamp: str, error_at: str) -> str:
    if not timestamp:
        return ""
    try:
        seconds = (parse(error_at) - parse(timestamp)).total_seconds()
    except (ValueError, TypeError):
        return ""
    sign = "−" if seconds >= 0 else "+"
    seconds = abs(seconds)
    if seconds < 1:
        return f"{sign}{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{sign}{seconds:.1f} s"
    if seconds < 2 * 3600:
        return f"{sign}{seconds / 60:.0f} min"
    return f"{sign}{seconds / 3600:.0f} h"
