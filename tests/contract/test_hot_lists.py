"""Lists and series of issues: filters, orders, paging, points. The same for every store."""

import itertools
import random

import pytest

from catchall.core.errors import StoreError
from catchall.core.times import MICROSECONDS
from catchall.store.base import IssueFilter, IssueSort
from tests.unit.store_hot.batches import START, event, issue_of

HOUR = 3600
DAY = 24 * HOUR
SORTS: tuple[IssueSort, ...] = ("last_seen", "first_seen", "events", "users", "priority")


def titles(hot, where: IssueFilter | None = None, sort: IssueSort = "last_seen") -> list[str]:
    return [issue.title for issue in hot.issues(where or IssueFilter(), sort=sort, limit=100)[0]]


def faults(hot, **where) -> set[str]:
    found = {title.rsplit(" ", 1)[-1] for title in titles(hot, IssueFilter(**where))}
    assert hot.count_issues(IssueFilter(**where)) == len(found)
    return found


def test_filters(hot, feeder):
    feeder.commit(
        event("a", at=1, environment="production", release="app@1"),
        event("a", at=2, environment="staging", release="app@2"),
        event("b", at=3, environment="staging", release="app@1", severity="warning"),
        event("c", at=4, project=2, culprit="checkout.PAY in charge"),
        event("d", at=5, error_type="Größe", message="ÄNDERN d"),
    )
    hot.change_state([issue_of("b")], "resolved", by="ann", now=0)
    assert faults(hot) == {"a", "b", "c", "d"}
    assert faults(hot, project_id=2) == {"c"}
    assert faults(hot, project_id=3) == set()
    assert faults(hot, state="resolved") == {"b"}
    assert faults(hot, state="unresolved") == {"a", "c", "d"}
    assert faults(hot, environment="staging") == {"a", "b"}
    assert faults(hot, environment="staging", project_id=2) == set()
    assert faults(hot, environment="nowhere") == set()
    assert faults(hot, release_version="app@1") == {"a", "b"}
    assert faults(hot, release_version="app@9") == set()
    assert faults(hot, severity="warning") == {"b"}
    assert faults(hot, severity="nonsense") == set()
    begin = START * MICROSECONDS
    assert faults(hot, since=begin + 3 * MICROSECONDS) == {"b", "c", "d"}
    assert faults(hot, until=begin + 3 * MICROSECONDS) == {"a"}
    assert faults(hot, words=("valueERROR",)) == {"a", "b", "c"}
    assert faults(hot, words=("pay", "charge")) == {"c"}
    assert faults(hot, words=("größe", "ändern")) == {"d"}
    assert faults(hot, words=("pay", "größe")) == set()


@pytest.mark.parametrize("word", ["%", "_", "'", '"', "*", "\\", "a OR b", "a\nb", "\0", "\ud800", "(", "NEAR"])
def test_words_are_text_and_nothing_else(hot, feeder, word):
    feeder.commit(event("a"), event("b", error_type=f"x{word}y", message="b"))
    assert faults(hot, words=(word,)) == {"b"}


def test_more_environments_than_a_row_has_bits(hot, feeder):
    feeder.commit(*(event(f"f{number}", environment=f"env-{number}") for number in range(70)))
    for number in (0, 1, 60, 61, 62, 63, 69):
        assert faults(hot, environment=f"env-{number}") == {f"f{number}"}
    assert hot.environments(1) == sorted(f"env-{number}" for number in range(70))
    assert hot.environments(2) == []


def test_orders(hot, feeder):
    feeder.commit(
        event("old", at=-100, user="u1"),
        event("old", at=50, severity="warning"),
        event("many", at=0, severity="info"),
        event("many", at=10, severity="info"),
        event("many", at=20, severity="info"),
        event("users", at=30, user="u1"),
        event("users", at=30, user="u2", severity="critical"),
    )
    order = {sort: [title.split()[-1] for title in titles(hot, sort=sort)] for sort in SORTS}
    assert order == {
        "last_seen": ["old", "users", "many"],
        "first_seen": ["users", "many", "old"],
        "events": ["many", "old", "users"],
        "users": ["users", "old", "many"],
        "priority": ["users", "old", "many"],
    }


@pytest.mark.parametrize("sort", SORTS)
def test_pages_hold_everything_once(hot, feeder, sort):
    chance = random.Random(7)
    feeder.commit(
        *(
            event(f"f{number}", at=chance.randrange(3), user=f"u{chance.randrange(3)}", project=1 + number % 2)
            for number in range(60)
            for _ in range(chance.randrange(1, 4))
        )
    )
    whole = [issue.issue_id for issue in hot.issues(IssueFilter(), sort=sort, limit=1000)[0]]
    assert len(set(whole)) == 60
    paged: list[str] = []
    after = ""
    for _ in range(100):
        page, after = hot.issues(IssueFilter(), sort=sort, limit=7, after=after)
        paged += [issue.issue_id for issue in page]
        if not after:
            break
    assert paged == whole


@pytest.mark.parametrize("sort", ["last_seen", "first_seen", "events", "users"])
def test_pages_while_rows_change(hot, feeder, sort):
    """Issues that stay where they are come exactly once; those that move up meanwhile never come twice."""
    feeder.commit(*(event(f"f{number}", at=number // 4, user="u") for number in range(40)))
    moving = {f"f{number}" for number in range(0, 40, 5)}
    paged: list[str] = []
    after = ""
    for turn in itertools.count():
        page, after = hot.issues(IssueFilter(), sort=sort, limit=6, after=after)
        paged += [issue.title.split()[-1] for issue in page]
        if not after:
            break
        feeder.commit(*(event(fault, at=100 + turn, user=f"u{turn}") for fault in moving), event(f"new{turn}", at=200))
    assert len(paged) == len(set(paged))
    assert {f"f{number}" for number in range(40)} - moving <= set(paged)


def test_a_cursor_belongs_to_its_list(hot, feeder):
    feeder.commit(*(event(f"f{number}") for number in range(5)))
    _, after = hot.issues(IssueFilter(), sort="events", limit=2)
    assert after
    for sort, cursor in (("users", after), ("events", "nonsense"), ("events", "events:1:2"), ("events", "9" * 99)):
        with pytest.raises(StoreError):
            hot.issues(IssueFilter(), sort=sort, limit=2, after=cursor)


def test_a_page_has_bounds(hot, feeder):
    feeder.commit(*(event(f"f{number}") for number in range(5)))
    assert len(hot.issues(IssueFilter(), sort="events", limit=0)[0]) == 1
    assert len(hot.issues(IssueFilter(), sort="events", limit=10**9)[0]) == 5


QUARTER = 900
ZONE_DAY = START - START % DAY - (5 * HOUR + HOUR // 2)  # a midnight in India, UTC+5:30


def test_series_are_filled_with_zeros_at_half_hour_zones(hot, feeder):
    feeder.commit(
        event("a", at=ZONE_DAY - START - 1),
        event("a", at=ZONE_DAY - START),
        event("a", at=ZONE_DAY - START + DAY - 1, environment="staging"),
        event("a", at=ZONE_DAY - START + 3 * DAY),
        event("b", at=ZONE_DAY - START + 5),
    )
    ids = [issue_of("a"), issue_of("b"), issue_of("nowhere")]
    series = hot.issue_series(ids, since=ZONE_DAY, until=ZONE_DAY + 3 * DAY, step=DAY)
    starts = [ZONE_DAY, ZONE_DAY + DAY, ZONE_DAY + 2 * DAY]
    assert [tuple(point) for point in series[ids[0]]] == list(zip(starts, [2, 0, 0], strict=True))
    assert [point.count for point in series[ids[1]]] == [1, 0, 0]
    assert [tuple(point) for point in series[ids[2]]] == list(zip(starts, [0, 0, 0], strict=True))
    span = {"since": ZONE_DAY, "until": ZONE_DAY + 3 * DAY, "step": DAY}
    assert [point.count for point in hot.issue_series(ids, **span, environment="staging")[ids[0]]] == [1, 0, 0]
    assert [point.count for point in hot.issue_series(ids, **span, environment="nowhere")[ids[0]]] == [0, 0, 0]
    assert [point.count for point in hot.project_series(None, **span)] == [3, 0, 0]
    assert [point.count for point in hot.project_series(1, **span, environment="production")] == [2, 0, 0]
    assert [point.count for point in hot.project_series(2, **span)] == [0, 0, 0]


def test_series_begin_with_their_quarter_and_end_before_until(hot, feeder):
    edge = START - START % QUARTER
    feeder.commit(event("a", at=edge - START), event("a", at=edge - START + QUARTER))
    points = hot.issue_series([issue_of("a")], since=edge + 100, until=edge + QUARTER, step=QUARTER)[issue_of("a")]
    assert [tuple(point) for point in points] == [(edge, 1)]
    points = hot.project_series(1, since=edge, until=edge + QUARTER + 1, step=2 * QUARTER)
    assert [tuple(point) for point in points] == [(edge, 2)]
    assert hot.project_series(1, since=edge, until=edge, step=QUARTER) == []


def test_series_of_all_projects(hot, feeder):
    feeder.commit(event("a"), event("b", project=2), event("b", project=2, environment="staging"))
    since = START - START % QUARTER
    assert hot.project_series(None, since=since, until=since + 900, step=900)[0].count == 3
    assert hot.project_series(2, since=since, until=since + 900, step=900)[0].count == 2


@pytest.mark.parametrize(
    ("since", "until", "step"),
    [(0, 9000, 0), (0, 9000, -900), (0, 9000, 1000), (0, 900 * 2001, 900), (-(10**30), 0, 900), (0, 10**30, 900)],
)
def test_series_that_are_refused(hot, since, until, step):
    with pytest.raises(StoreError):
        hot.project_series(1, since=since, until=until, step=step)
    with pytest.raises(StoreError):
        hot.issue_series([1], since=since, until=until, step=step)


def test_names_of_an_issue_most_events_first(hot, feeder):
    feeder.commit(
        event("a", environment="b", release="2"),
        event("a", environment="a", release="2"),
        event("a", environment="", release="1", at=2 * DAY),
        event("a", environment="c", release="", at=-9 * HOUR),
        event("a", environment="c", release="1"),
        event("z", environment="zzz", release="9"),
    )
    assert hot.issue_environments(issue_of("a")) == [("c", 2), ("", 1), ("a", 1), ("b", 1)]
    assert hot.issue_releases(issue_of("a")) == [("1", 2), ("2", 2), ("", 1)]
    assert hot.environments(None) == ["a", "b", "c", "zzz"]


def test_names_beyond_the_limit_are_counted_together(hot, feeder):
    feeder.commit(*(event("a", environment=f"pr-{number}") for number in range(999)), at=0)
    feeder.commit(
        event("b", environment="last"), event("b", environment="one too many"), event("b", environment="pr-5")
    )
    feeder.commit(
        event("c", environment="another"), event("c", environment="last"), event("d", project=2, environment="x")
    )
    assert hot.issue_environments(issue_of("b")) == [("(other)", 1), ("last", 1), ("pr-5", 1)]
    assert hot.issue_environments(issue_of("c")) == [("(other)", 1), ("last", 1)]
    assert faults(hot, environment="(other)") == {"b", "c"}
    assert hot.environments(2) == ["x"]
    feeder.commit(event("e", environment="young", at=9 * DAY), at=9 * DAY)
    hot.forget_before((START + 8 * DAY) // 900)
    feeder.commit(event("e", environment="young", at=9 * DAY), at=9 * DAY)
    assert hot.issue_environments(issue_of("e")) == [("(other)", 1), ("young", 1)]
