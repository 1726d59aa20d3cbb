"""Sessions, check-ins, logs and client reports: what is counted, and that a client cannot count without bound."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchall.core import limits
from catchall.core.errors import Reason, WireError
from catchall.wire.sentry_counts import COUNTED, counted

ATTRIBUTES = {"release": "shop@1.4.2", "environment": "production"}


def counts(kind: str, **fields: Any) -> dict[str, int]:
    item = counted(3, kind, json.dumps(fields).encode())
    assert (item.index, item.category) == (3, COUNTED[kind])
    assert {count.kind for count in item.counts} <= {kind.removesuffix("s") if kind == "sessions" else kind}
    return {count.key: count.quantity for count in item.counts}


def session(*updates: dict[str, Any]) -> dict[str, int]:
    """What the updates of one session come to."""
    total: dict[str, int] = {}
    for update in updates:
        for key, number in counts("session", attrs=ATTRIBUTES, **update).items():
            assert key.startswith("shop@1.4.2|production|")
            state = key.rpartition("|")[2]
            total[state] = total.get(state, 0) + number
    return total


@pytest.mark.parametrize(
    ("updates", "total"),
    [
        # Python: one update at the end
        ([{"init": True, "status": "exited", "errors": 0}], {"started": 1, "exited": 1}),
        ([{"init": True, "status": "exited", "errors": 2}], {"started": 1, "errored": 1}),
        ([{"init": True, "status": "crashed", "errors": 1}], {"started": 1, "crashed": 1}),
        # a browser: at the beginning, at the first error, at the end
        (
            [
                {"init": True, "status": "ok", "errors": 0},
                {"init": False, "status": "ok", "errors": 1},
                {"init": False, "status": "exited", "errors": 1},
            ],
            {"started": 1, "errored": 1},
        ),
        (
            [{"init": True, "status": "ok", "errors": 0}, {"init": False, "status": "unhandled", "errors": 1}],
            {"started": 1, "unhandled": 1},
        ),
        ([{"init": True, "status": "ok"}, {"status": "exited"}], {"started": 1, "exited": 1}),
        # Node: its first update is that of the error
        ([{"init": True, "status": "ok", "errors": 1}], {"started": 1, "errored": 1}),
        # phones: an update that says nothing new, a session that never ended
        ([{"init": True}, {"status": "ok", "errors": 0}, {"status": "abnormal"}], {"started": 1, "abnormal": 1}),
        ([{"status": "invented"}], {}),
        ([{"init": "true", "status": "CRASHED", "errors": "1"}], {"started": 1, "crashed": 1}),
    ],
)
def test_a_session_is_counted_where_it_is_told_first(updates, total):
    assert session(*updates) == total


def test_added_up_sessions():
    groups = [
        {"started": "2026-11-23T19:41:00Z", "exited": 4, "crashed": 1},
        {"exited": 2, "errored": 3, "abnormal": 0, "unhandled": "1"},
        "nonsense",
        {"exited": -5, "errored": None},
    ]
    assert counts("sessions", attrs=ATTRIBUTES, aggregates=groups) == {
        "shop@1.4.2|production|started": 11,
        "shop@1.4.2|production|exited": 6,
        "shop@1.4.2|production|errored": 3,
        "shop@1.4.2|production|unhandled": 1,
        "shop@1.4.2|production|crashed": 1,
    }


def test_check_ins():
    assert counts("check_in", monitor_slug="nightly", status="ok", environment="prod") == {"nightly|prod|ok": 1}
    assert counts("check_in", monitor_slug="nightly", status="ERROR") == {"nightly||error": 1}
    assert counts("check_in", monitor_slug="a|b", status="invented") == {"a¦b||unknown": 1}
    without: list[dict[str, Any]] = [{}, {"monitor_slug": None}, {"monitor_slug": ""}]
    for fields in without:
        with pytest.raises(WireError):
            counts("check_in", status="ok", **fields)


def test_logs():
    entries = [{"level": level} for level in ("info", "warn", "warning", "ERROR", "fatal", "invented", 7)] + ["text"]
    item = counted(0, "log", json.dumps({"items": entries}).encode())
    assert {count.key: count.quantity for count in item.counts} == {
        "info": 1,
        "warn": 2,
        "error": 1,
        "fatal": 1,
        "unknown": 3,
    }
    assert item.quantity == 8
    assert counts("log", level="debug", body="one record an item") == {"debug": 1}


def test_too_many_logs_are_a_dead_letter():
    body = b'{"items":[' + b"{}," * limits.LOG_ITEMS_PER_ITEM_MAX + b"{}]}"
    with pytest.raises(WireError) as caught:
        counted(0, "log", body)
    assert caught.value.reason is Reason.TOO_MANY_ITEMS


def test_client_reports():
    events = [
        {"reason": "before_send", "category": "error", "quantity": 3},
        {"reason": "before_send", "category": "error", "quantity": 2},
        {"reason": "ratelimit_backoff", "category": "transaction", "quantity": 1},
        {"reason": "nothing", "category": "error", "quantity": 0},
        {"reason": "liar", "category": "error", "quantity": 10**15},
        "nonsense",
    ]
    assert counts("client_report", discarded_events=events) == {
        "before_send|error": 5,
        "ratelimit_backoff|transaction": 1,
        "liar|error": limits.COUNT_MAX,
    }
    many = [{"reason": str(number), "category": "error", "quantity": 1} for number in range(500)]
    assert len(counts("client_report", discarded_events=many)) == limits.CLIENT_REPORT_ENTRIES_MAX


def test_keys_are_short():
    (key,) = counts("check_in", monitor_slug="x" * 5000, status="ok", environment="y" * 5000)
    assert len(key) == 2 * limits.NAME_CHARS_MAX + len("||ok")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["attrs", "release", "environment", "status", "init", "errors", "aggregates", "exited", "crashed", "items"]
FIELDS += ["level", "monitor_slug", "discarded_events", "reason", "category", "quantity"]
ODD = st.recursive(
    JSON, lambda inner: st.dictionaries(st.sampled_from(FIELDS), inner | st.lists(inner, max_size=3), max_size=6)
)


@given(st.sampled_from(sorted(COUNTED)), ODD)
def test_any_json_is_counted_within_bounds_or_refused(kind, value):
    try:
        item = counted(0, kind, json.dumps(value).encode())
    except WireError:
        return
    assert item.quantity >= 1
    assert all(0 < count.quantity <= limits.COUNT_MAX for count in item.counts)
    assert len({count.key for count in item.counts}) == len(item.counts)
