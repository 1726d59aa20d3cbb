"""The first rule that holds decides how urgent an issue is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchall.core.event import SEVERITIES
from catchall.core.priority import PRIORITIES, RULES, priority_of


@pytest.mark.parametrize(
    ("severity", "handled", "users", "events", "expected"),
    [
        ("debug", False, 1000, 1000, ("low", "severity debug or info")),
        ("info", None, 0, 1, ("low", "severity debug or info")),
        ("critical", True, 0, 1, ("high", "severity critical")),
        ("error", True, 100, 1, ("high", "at least 100 users")),
        ("warning", None, 99, 500, ("high", "at least 500 events in half an hour")),
        ("warning", None, 9, 49, ("low", "severity warning")),
        ("warning", None, 10, 1, ("medium", "a warning, often or for many")),
        ("warning", None, 0, 50, ("medium", "a warning, often or for many")),
        ("error", False, 10, 1, ("high", "unhandled, at least 10 users")),
        ("error", False, 9, 499, ("medium", "unhandled error")),
        ("error", True, 9, 49, ("low", "handled, seldom and for few")),
        ("error", True, 10, 1, ("medium", "error")),
        ("error", None, 0, 1, ("medium", "error")),
    ],
)
def test_rules(severity, handled, users, events, expected):
    rank = SEVERITIES.index(severity)
    assert priority_of(severity=rank, handled=handled, users=users, events_half_hour=events) == expected


facts = {"severity": st.integers(0, 4), "handled": st.sampled_from((None, True, False))}


@given(st.fixed_dictionaries(facts), st.integers(0, 300), st.integers(0, 900), st.integers(0, 300), st.integers(0, 900))
def test_more_users_or_events_never_make_it_less_urgent(facts, users, events, more_users, more_events):
    before, _ = priority_of(**facts, users=users, events_half_hour=events)
    after, _ = priority_of(**facts, users=users + more_users, events_half_hour=events + more_events)
    assert PRIORITIES.index(after) >= PRIORITIES.index(before)


def test_stored_rules_keep_their_places():
    """Stores hold places: this list may only grow."""
    assert [reason for _, reason in RULES][:10] == [
        "severity debug or info",
        "severity critical",
        "at least 100 users",
        "at least 500 events in half an hour",
        "a warning, often or for many",
        "severity warning",
        "unhandled, at least 10 users",
        "handled, seldom and for few",
        "unhandled error",
        "error",
    ]
