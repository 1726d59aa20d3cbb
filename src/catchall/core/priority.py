"""How urgent an issue is: a first, explainable answer, decided again with every commit that touches the issue.

One rule decides, the first that holds, and its reason is what people read: a threshold, never a count, so that it stays
the same while the numbers grow. Stores keep a rule by its place in `RULES`: add new ones at the end, never move one.
"""

from typing import Final

from catchall.core.event import SEVERITIES
from catchall.core.issue import Priority

PRIORITIES: Final[tuple[Priority, ...]] = ("low", "medium", "high")  # rank = index

USERS_MANY: Final = 100
USERS_SOME: Final = 10
EVENTS_BURST: Final = 500  # within half an hour
EVENTS_BUSY: Final = 50

RULES: Final[tuple[tuple[Priority, str], ...]] = (
    ("low", "severity debug or info"),
    ("high", "severity critical"),
    ("high", f"at least {USERS_MANY} users"),
    ("high", f"at least {EVENTS_BURST} events in half an hour"),
    ("medium", "a warning, often or for many"),
    ("low", "severity warning"),
    ("high", f"unhandled, at least {USERS_SOME} users"),
    ("low", "handled, seldom and for few"),
    ("medium", "unhandled error"),
    ("medium", "error"),
)

_WARNING: Final = SEVERITIES.index("warning")
_CRITICAL: Final = SEVERITIES.index("critical")


def priority_rule(*, severity: int, handled: bool | None, users: int, events_half_hour: int) -> int:
    """The rule that decides (its place in `RULES`).

    `severity`: rank of the issue's newest event (index in SEVERITIES); `handled`: whether the program handled that
    event, None when unknown; `users`: distinct ones so far; `events_half_hour`: its events in the newest quarter of an
    hour in which it happened and the quarter before.
    """
    if severity < _WARNING:
        return 0
    if severity >= _CRITICAL:
        return 1
    if users >= USERS_MANY:
        return 2
    if events_half_hour >= EVENTS_BURST:
        return 3
    spread = users >= USERS_SOME or events_half_hour >= EVENTS_BUSY
    if severity == _WARNING:
        return 4 if spread else 5
    if handled is False:
        return 6 if users >= USERS_SOME else 8
    return 7 if handled and not spread else 9


def priority_of(*, severity: int, handled: bool | None, users: int, events_half_hour: int) -> tuple[Priority, str]:
    """The priority of an issue, and why. The arguments are those of `priority_rule`."""
    rule = priority_rule(severity=severity, handled=handled, users=users, events_half_hour=events_half_hour)
    return RULES[rule]
