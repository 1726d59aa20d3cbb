"""What every store of the hot tables promises about commits: one suite, over SQLite and over memory."""

import pytest

from catchall.core import limits
from catchall.core.errors import FencedOff, StoreError
from catchall.core.identity import issue_id_text
from catchall.core.ledger import LedgerKey
from catchall.core.times import MICROSECONDS, rfc3339
from catchall.store.base import AppliedEvent, IssueFilter, Lease, RollupCell
from tests.unit.store_hot.batches import (
    LOG_UUID,
    START,
    Feeder,
    event,
    found,
    issue_of,
)

DAY = 86_400
QUARTER = START // 900


def time_of(at: float) -> str:
    return rfc3339(START * MICROSECONDS + round(at * MICROSECONDS))


def test_first_event_makes_an_issue(hot, feeder):
    transitions = feeder.commit(event("a", name="first", user="u1"), at=5)
    issue = found(hot, "a")
    assert (issue.number, issue.events, issue.users, issue.state) == (1, 1, 1, "unresolved")
    assert (issue.title, issue.culprit, issue.message) == ("ValueError: message of a", "app.views in a", "message of a")
    assert (issue.first_seen, issue.last_seen) == (time_of(0), time_of(0))
    assert (issue.first_release, issue.last_release, issue.last_environment) == ("app@1.0", "app@1.0", "production")
    assert issue.first_event_id == issue.last_event_id == event(name="first").row.event_id
    assert (issue.fingerprint, issue.fingerprint_reason) == ("v1:a", "type and frames")
    assert [(one.kind, one.issue_id, one.at, one.by) for one in transitions] == [
        ("new", issue_id_text(issue_of("a")), time_of(5), "catchall")
    ]
    assert transitions[0].event_id == issue.first_event_id
    assert hot.transitions(issue_of("a"), limit=10) == transitions


def test_newest_event_is_what_people_read(hot, feeder):
    feeder.commit(event("a", at=10, message="old", environment="staging", release="app@1", handled=True))
    feeder.commit(
        event("a", at=30, name="newest", message="new", error_type="Type3", release="app@2", severity="critical"),
        event("a", at=20, message="between"),
    )
    issue = found(hot, "a")
    assert (issue.message, issue.title, issue.severity, issue.handled) == ("new", "Type3: new", "critical", False)
    assert (issue.first_release, issue.last_release, issue.last_environment) == ("app@1", "app@2", "production")
    assert issue.last_event_id == event(name="newest").row.event_id
    assert (issue.first_seen, issue.last_seen) == (time_of(10), time_of(30))


def test_late_event_moves_the_beginning_only(hot, feeder):
    feeder.commit(event("a", at=100, message="now"))
    feeder.commit(event("a", at=-500, name="late", message="late", release="app@0.9", environment="old"))
    issue = found(hot, "a")
    assert (issue.first_seen, issue.last_seen) == (time_of(-500), time_of(100))
    assert (issue.first_release, issue.last_release, issue.message) == ("app@0.9", "app@1.0", "now")
    assert issue.first_event_id == event(name="late").row.event_id
    assert issue.events == 2


def test_of_two_events_at_one_moment_the_later_arrival_is_the_newest(hot, feeder):
    feeder.commit(event("a", message="one"), event("a", message="two"))
    assert found(hot, "a").message == "two"
    feeder.commit(event("a", message="three"))
    assert found(hot, "a").message == "three"


def test_numbers_count_within_a_project_in_order_of_arrival(hot, feeder):
    feeder.commit(event("b"), event("a"), event("x", project=2), event("b"))
    feeder.commit(event("c"), event("y", project=2))
    numbers = {issue.title[-1]: issue.number for issue in hot.issues(IssueFilter(), sort="events", limit=10)[0]}
    assert numbers == {"b": 1, "a": 2, "c": 3, "x": 1, "y": 2}
    assert hot.issue_numbers(1, 3) == issue_of("c")
    assert hot.issue_numbers(2, 3) is None


def test_stored_rows_issue_is_the_truth(hot, feeder):
    """A replayed delivery was refined anew, into another issue; the stored row says where it belongs."""
    again = event("other")
    feeder.commit(AppliedEvent(again.row, issue_of("stored")))
    assert hot.issue(issue_of("stored")) is not None
    assert hot.issue(issue_of("other")) is None


def test_resolved_regresses_once_and_ignored_stays(hot, feeder):
    feeder.commit(event("a"), event("b"))
    hot.change_state([issue_of("a")], "resolved", by="ann", now=(START + 1) * MICROSECONDS)
    hot.change_state([issue_of("b")], "ignored", by="ann", now=(START + 1) * MICROSECONDS)
    transitions = feeder.commit(event("a", name="again"), event("a"), event("b"), at=9)
    assert [(one.kind, one.event_id) for one in transitions] == [("regressed", event(name="again").row.event_id)]
    assert (found(hot, "a").state, found(hot, "a").state_changed_at) == ("unresolved", time_of(9))
    assert (found(hot, "b").state, found(hot, "b").state_changed_at) == ("ignored", time_of(1))
    assert [one.kind for one in hot.transitions(issue_of("a"), limit=10)] == ["regressed", "resolved", "new"]


def test_change_state_records_real_changes_only(hot, feeder):
    feeder.commit(event("a"), event("b"))
    ids = [issue_of("a"), issue_of("a"), issue_of("b"), issue_of("nowhere"), 2**64 - 1]
    made = hot.change_state(ids, "resolved", by="ann", now=(START + 1) * MICROSECONDS, reason="fixed in 1.1")
    assert [(one.kind, one.by, one.reason, one.event_id) for one in made] == [
        ("resolved", "ann", "fixed in 1.1", "")
    ] * 2
    assert hot.change_state(ids, "resolved", by="bob", now=(START + 2) * MICROSECONDS) == []
    again = hot.change_state([issue_of("b")], "unresolved", by="bob", now=(START + 3) * MICROSECONDS)
    assert [(one.kind, one.by) for one in again] == [("reopened", "bob")]
    assert found(hot, "b").state_changed_at == time_of(3)
    assert hot.transitions(issue_of("b"), limit=1) == again


def test_a_state_that_does_not_exist_is_refused(hot, feeder):
    feeder.commit(event("a"))
    with pytest.raises(StoreError, match="snoozed"):
        hot.change_state([issue_of("a")], "snoozed", by="ann", now=0)


def test_users_are_counted_once_per_issue(hot, feeder):
    feeder.commit(event("a", user="u1"), event("a", user="u2"), event("a", user="u1"), event("b", user="u1"))
    feeder.commit(event("a", user="u2"), event("a", user="u3"), event("a", user=""))
    assert (found(hot, "a").users, found(hot, "b").users) == (3, 1)


def test_users_may_be_any_text(hot, feeder):
    feeder.commit(*(event("a", user=user) for user in ("ann@example.com", "é" * 300, "\ud800", "0" * 16, "0" * 17)))
    assert found(hot, "a").users == 5


def test_priority_is_decided_with_each_commit(hot, feeder):
    feeder.commit(event("a", severity="warning"))
    assert (found(hot, "a").priority, found(hot, "a").priority_reason) == ("low", "severity warning")
    feeder.commit(*(event("a", user=f"u{n}") for n in range(10)))
    assert (found(hot, "a").priority, found(hot, "a").priority_reason) == ("high", "unhandled, at least 10 users")
    feeder.commit(event("a", at=2 * DAY, severity="info"))
    assert found(hot, "a").priority == "low"


def test_priority_sees_bursts_over_the_edge_of_a_quarter(hot, feeder):
    edge = 900 - START % 900
    feeder.commit(*(event("a", at=edge - 1) for _ in range(300)))
    feeder.commit(*(event("a", at=edge + 1) for _ in range(199)))
    assert found(hot, "a").priority == "medium"
    feeder.commit(event("a", at=edge - 2))
    assert found(hot, "a").priority_reason == "at least 500 events in half an hour"
    feeder.commit(event("a", at=edge + 1800))
    assert found(hot, "a").priority == "medium"


def test_long_texts_are_cut_and_half_characters_replaced(hot, feeder):
    feeder.commit(
        event("a", message="m" * 9000, error_type="T\ud800" + "t" * 9000, culprit="c\0", environment="e\udfff")
    )
    issue = found(hot, "a")
    assert issue.message == "m" * 500
    assert issue.title.startswith("T?t")
    assert len(issue.title) == limits.TITLE_CHARS_MAX
    assert (issue.culprit, issue.last_environment) == ("c\0", "e?")
    assert hot.count_issues(IssueFilter(environment="e\udfff")) == 1


def test_first_event_of_a_project(hot, feeder):
    assert [project.first_event_at for project in hot.projects()] == ["", ""]
    version = hot.keys_version()
    feeder.commit(event("a", at=7, received_at=(START + 9) * MICROSECONDS), event("b", at=8))
    feeder.commit(event("a", at=1))
    assert [project.first_event_at for project in hot.projects()] == [time_of(8), ""]
    assert hot.keys_version() == version


def test_an_unknown_project_is_refused_whole(hot, feeder):
    batch = feeder.batch(event("a"), event("b", project=99))
    with pytest.raises(StoreError, match="99"):
        hot.commit(batch)
    assert hot.issue(issue_of("a")) is None
    assert hot.ledger().rows == {}


def test_ledger_adds_up_and_moves(hot, feeder):
    dead = LedgerKey(1, "error", "dead", "json_malformed")
    stored = LedgerKey(1, "error", "stored", "")
    refused = LedgerKey(0, "request", "refused", "key_unknown")
    feeder.commit(ledger={dead: 2, refused: 7}, requests=2)
    feeder.commit(ledger={dead: -1, stored: 1}, requests=0)
    feeder.commit(ledger={dead: -1, stored: 1}, requests=1)
    snapshot = hot.ledger()
    assert snapshot.rows == {stored: 2, refused: 7}
    assert snapshot.requests_committed == 3
    assert snapshot.positions == {LOG_UUID: [300, 300] + [0] * 14}


def test_rollups_add_up_by_cell(hot, feeder):
    cell = RollupCell(1, "session", "app@1.0/ok", QUARTER)
    later = cell._replace(quarter=QUARTER + 1)
    foreign = cell._replace(project_id=2)
    other = cell._replace(kind="log")
    feeder.commit(rollups={cell: 3, later: 1, foreign: 5, other: 9})
    feeder.commit(rollups={cell: 4})
    begin = QUARTER * 900
    assert hot.rollups(1, "session", since=begin, until=begin + 1) == {cell: 7}
    assert hot.rollups(1, "session", since=begin, until=begin + 1800) == {cell: 7, later: 1}
    assert hot.rollups(1, "session", since=begin + 1, until=begin + 1800) == {later: 1}
    assert hot.rollups(None, "session", since=begin, until=begin + 900) == {cell: 7, foreign: 5}


def test_rollup_keys_are_any_text(hot, feeder):
    cell = RollupCell(1, "session", "app\ud800/ok", QUARTER)
    feeder.commit(rollups={cell: 3})
    feeder.commit(rollups={cell._replace(key="app?/ok"): 1})
    assert hot.rollups(1, "session", since=0, until=2**32) == {cell._replace(key="app?/ok"): 4}


def test_logs_and_positions(hot, feeder):
    assert hot.register_log(LOG_UUID, 1) == feeder.log
    other = hot.register_log(b"another", 0)
    assert other != feeder.log
    feeder.commit(event("a"))
    assert hot.positions(feeder.log)[:3] == [100, 100, 0]
    assert hot.positions(other) == [0] * 16


def test_who_was_fenced_off_leaves_nothing_behind(hot, feeder):
    feeder.commit(event("a"))
    before = (hot.ledger(), found(hot, "a"), hot.transitions(issue_of("a"), limit=9))
    thief = Feeder(hot, partitions=(1,), worker="worker-2")
    batch = feeder.batch(
        event("a", user="u9", at=50), event("new"), rollups={RollupCell(1, "session", "ok", QUARTER): 1}, requests=9
    )
    with pytest.raises(FencedOff):
        hot.check_leases(feeder.leases)
    with pytest.raises(FencedOff):
        hot.commit(batch)
    assert (hot.ledger(), found(hot, "a"), hot.transitions(issue_of("a"), limit=9)) == before
    assert hot.issue(issue_of("new")) is None
    assert hot.rollups(1, "session", since=0, until=2**31) == {}
    thief.commit(event("new"))
    assert found(hot, "new").number == 2


def test_leases_of_nobody_are_refused(hot, feeder):
    with pytest.raises(FencedOff):
        hot.check_leases([Lease(5, 1)])
    with pytest.raises(FencedOff):
        hot.commit(feeder.batch(leases=[Lease(0, 99)], positions={}))


def test_a_batch_cannot_be_committed_twice(hot, feeder):
    batch = feeder.batch(event("a"))
    hot.commit(batch)
    with pytest.raises(FencedOff):
        hot.commit(batch)
    assert found(hot, "a").events == 1
    assert hot.ledger().requests_committed == 1


def test_a_position_needs_a_lease(hot, feeder):
    with pytest.raises(StoreError, match="partition 7"):
        hot.commit(feeder.batch(event("a"), positions={(feeder.log, 7): 1000}))
    assert hot.issue(issue_of("a")) is None


def test_an_unknown_issue(hot):
    assert hot.issue(12345) is None
    assert hot.issue(2**64 - 1) is None
    assert hot.transitions(12345, limit=5) == []
    assert hot.issue_environments(12345) == []
    assert hot.issue_numbers(2**70, 2**70) is None
