"""Retention of counts in the hot tables: the same for every store."""

from catchall.store.base import IssueFilter, RollupCell
from tests.unit.store_hot.batches import START, event, found, issue_of

DAY = 86_400
QUARTER = START // 900


def counts(hot) -> list[int]:
    points = hot.project_series(1, since=(QUARTER - 2) * 900, until=(QUARTER + 3) * 900, step=900)
    of_issue = hot.issue_series([issue_of("a")], since=(QUARTER - 2) * 900, until=(QUARTER + 3) * 900, step=900)
    assert points == of_issue[issue_of("a")]
    return [point.count for point in points]


def test_counts_before_a_quarter_go(hot, feeder):
    feeder.commit(*(event("a", at=900 * step, release=f"r{step}") for step in range(-2, 3)))
    assert counts(hot) == [1, 1, 1, 1, 1]
    assert hot.forget_before(QUARTER) > 0
    assert counts(hot) == [0, 0, 1, 1, 1]
    assert hot.forget_before(QUARTER) == 0
    issue = found(hot, "a")
    assert (issue.events, issue.first_release) == (5, "r-2")
    assert hot.issue_releases(issue_of("a")) == [("r0", 1), ("r1", 1), ("r2", 1)]
    assert hot.ledger().requests_committed == 5


def test_rollups_before_a_quarter_go(hot, feeder):
    cells = [RollupCell(project, kind, "k", QUARTER + step) for project in (1, 2) for kind in "xy" for step in (-1, 0)]
    feeder.commit(rollups=dict.fromkeys(cells, 1))
    assert hot.forget_before(QUARTER) == 4
    left = hot.rollups(None, "x", since=0, until=2**32) | hot.rollups(None, "y", since=0, until=2**32)
    assert set(left) == {cell for cell in cells if cell.quarter == QUARTER}


def test_many_rows_go_in_many_short_transactions(hot, feeder, monkeypatch):
    monkeypatch.setattr("catchall.store.sqlite.hot_retention.FORGET_ROWS_PER_TRANSACTION", 7)
    feeder.commit(*(event(f"f{number}", user=f"u{number}", environment=f"e{number}") for number in range(70)))
    feeder.commit(event("young", at=9 * DAY), at=9 * DAY)
    hot.forget_before(QUARTER + 8 * 96)
    assert hot.project_series(1, since=(QUARTER - 4) * 900, until=(QUARTER + 4) * 900, step=900 * 8)[0].count == 0
    assert hot.count_issues(IssueFilter()) == 71
    assert hot.count_issues(IssueFilter(environment="e69")) == hot.count_issues(IssueFilter(environment="e3")) == 0
    assert hot.environments(None) == ["production"]


def test_an_issue_is_remembered_without_its_people_and_places(hot, feeder):
    feeder.commit(
        event("a", user="u1", release="r1", environment="e1"), event("b", at=9 * DAY, user="u1", release="r1")
    )
    hot.change_state([issue_of("a")], "resolved", by="ann", now=1)
    hot.forget_before(QUARTER + 8 * 96)
    assert hot.count_issues(IssueFilter(environment="e1")) == 0
    assert hot.count_issues(IssueFilter(release_version="r1")) == 1
    transitions = feeder.commit(event("a", at=10 * DAY, user="u1", release="r1"), event("b", at=10 * DAY, user="u1"))
    assert [one.kind for one in transitions] == ["regressed"]
    assert (found(hot, "a").number, found(hot, "a").events, found(hot, "a").users) == (1, 2, 2)
    assert found(hot, "b").users == 1
    assert hot.count_issues(IssueFilter(release_version="r1")) == 2
