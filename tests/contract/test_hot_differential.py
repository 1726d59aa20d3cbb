"""The hot tables in SQLite against the plain ones in memory, on generated histories.

Two workers share a log, take partitions from each other, commit batches; people change states; retention runs. After
every step the two stores must have answered alike, refusals included, and in the end all that can be read is compared.
"""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from catchall.core.errors import FencedOff, StoreError
from catchall.core.ledger import LedgerKey
from catchall.core.times import MICROSECONDS
from catchall.store.base import Hot, IssueFilter, IssueSort, RollupCell
from catchall.store.memory_hot import MemoryHot
from catchall.store.sqlite.hot import SqliteHot
from tests.unit.store_hot.batches import START, Feeder, dead_letter, event, issue_of, make_projects

HOUR = 3600
DAY = 24 * HOUR
FAULTS = "abcde"
PROJECTS = (1, 2)
ENVIRONMENTS = ("", "production", "staging", "größe")
RELEASES = ("", "app@1", "app@2")
SORTS: tuple[IssueSort, ...] = ("last_seen", "first_seen", "events", "users", "priority")

times = st.one_of(st.integers(-2, 40).map(lambda n: n * 450.0), st.floats(-3 * DAY, 5 * DAY, allow_nan=False))
events = st.fixed_dictionaries(
    {
        "fault": st.sampled_from(FAULTS),
        "project": st.sampled_from(PROJECTS),
        "at": times,
        "environment": st.sampled_from(ENVIRONMENTS),
        "release": st.sampled_from(RELEASES),
        "user": st.sampled_from(("", "u1", "u2", "u3", "ann@example.com")),
        "severity": st.sampled_from(("debug", "warning", "error", "critical")),
        "handled": st.sampled_from((None, True, False)),
        "message": st.sampled_from(("one", "two", "drei\ud800")),
    }
)
cells = st.builds(
    RollupCell, st.sampled_from(PROJECTS), st.sampled_from("xy"), st.sampled_from("kl"), st.integers(0, 9)
)
ledger_keys = st.builds(
    LedgerKey,
    st.sampled_from((0, 1)),
    st.sampled_from(("error", "log_item")),
    st.sampled_from(("stored", "dead")),
    st.just(""),
)
commits = st.fixed_dictionaries(
    {
        "worker": st.integers(0, 1),
        "events": st.lists(events, max_size=8),
        "ledger": st.dictionaries(ledger_keys, st.integers(-3, 3), max_size=3),
        "rollups": st.dictionaries(cells, st.integers(0, 5), max_size=3),
        "letters": st.integers(0, 2),
        "replays": st.booleans(),
        "twice": st.booleans(),
    }
)
steps = st.one_of(
    st.tuples(st.just("commit"), commits),
    st.tuples(st.just("commit"), commits),
    st.tuples(
        st.just("state"),
        st.tuples(st.sets(st.sampled_from(FAULTS)), st.sampled_from(("resolved", "ignored", "unresolved"))),
    ),
    st.tuples(st.just("take"), st.integers(0, 1)),
    st.tuples(st.just("letter"), st.tuples(st.sampled_from(("replay", "discard")), st.integers(1, 4))),
    st.tuples(st.just("forget"), st.integers(0, 200)),  # quarters back from now
)


class Side:
    """One store with its workers, doing what the history says."""

    def __init__(self, hot: Hot) -> None:
        self.hot = hot
        make_projects(hot)
        self.workers = [Feeder(hot, partitions=(number,), worker=f"worker-{number}") for number in (0, 1)]
        self.clock = 0

    def do(self, what: str, how: Any) -> object:
        """Take a step. Returns what the store answered, or the kind of its refusal."""
        self.clock += 9 * HOUR
        now = (START + self.clock) * MICROSECONDS
        try:
            if what == "commit":
                return self._commit(how)
            if what == "state":
                wanted = [issue_of(fault, project) for fault in sorted(how[0]) for project in PROJECTS]
                return self.hot.change_state(wanted, how[1], by="ann", now=now, reason="why")
            if what == "take":
                self.workers[how] = Feeder(self.hot, partitions=(how,), worker="thief")
                return self.workers[how].leases
            if what == "letter":
                ask = self.hot.request_replay if how[0] == "replay" else self.hot.discard_dead_letter
                return ask(how[1])
            self.hot.forget_before((START + self.clock) // 900 - how)
        except StoreError as error:
            return type(error)
        return None

    def _commit(self, how: dict[str, Any]) -> object:
        worker = self.workers[how["worker"]]
        replays = [letter.dead_letter_id for letter in self.hot.replay_requests(10)] if how["replays"] else []
        batch = worker.batch(
            *(event(name=f"{self.clock}-{number}", **dict(one)) for number, one in enumerate(how["events"])),
            at=self.clock,
            ledger=how["ledger"],
            rollups=how["rollups"],
            dead_letters=[dead_letter() for _ in range(how["letters"])],
            replayed=replays,
        )
        answer = self.hot.commit(batch)
        if how["twice"]:
            try:
                self.hot.commit(batch)
            except FencedOff:
                return answer
            return "the same batch was counted twice"
        return answer


def everything(hot: Hot) -> dict[str, object]:
    """All that can be read."""
    ids = [issue_of(fault, project) for fault in FAULTS for project in PROJECTS]
    begin = START - START % 900 - DAY
    span = {"since": begin, "until": begin + 7 * DAY, "step": 6300}
    filters = [
        IssueFilter(),
        IssueFilter(project_id=1, state="unresolved"),
        IssueFilter(environment="größe"),
        IssueFilter(release_version="app@2", severity="error"),
        IssueFilter(words=("valueerror", "a")),
        IssueFilter(since=START * MICROSECONDS, until=(START + DAY) * MICROSECONDS),
    ]
    return {
        "issues": [hot.issue(issue_id) for issue_id in ids],
        "lists": [hot.issues(where, sort=sort, limit=50)[0] for where in filters for sort in SORTS],
        "counts": [hot.count_issues(where) for where in filters],
        "transitions": [hot.transitions(issue_id, limit=50) for issue_id in ids],
        "series": [hot.issue_series(ids, **span, environment=name) for name in ENVIRONMENTS],
        "totals": [
            hot.project_series(project, **span, environment=name) for project in (None, 1, 2) for name in ENVIRONMENTS
        ],
        "places": [(hot.issue_environments(issue_id), hot.issue_releases(issue_id)) for issue_id in ids],
        "names": [hot.environments(project) for project in (None, 1, 2)],
        "ledger": hot.ledger(),
        "rollups": [hot.rollups(project, kind, since=0, until=9000) for project in (None, 1) for kind in "xy"],
        "letters": hot.dead_letters(limit=50, state=""),
        "replays": hot.replay_requests(9),
        "projects": hot.projects(),
    }


@settings(max_examples=60)
@given(history=st.lists(steps, max_size=14))
def test_both_stores_tell_the_same_story(history):
    with tempfile.TemporaryDirectory() as folder:
        fast, plain = Side(SqliteHot(Path(folder) / "hot.db")), Side(MemoryHot())
        try:
            for what, how in history:
                assert fast.do(what, how) == plain.do(what, how), (what, how)
            told = everything(plain.hot)
            for part, answer in everything(fast.hot).items():
                assert answer == told[part], part
            assert everything(SqliteHot(Path(folder) / "hot.db")) == told  # another process would read the same
        finally:
            fast.hot.close()
