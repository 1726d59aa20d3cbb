"""The hot tables in one SQLite file: the small tables that change with every commit (contract: `store.base.Hot`).

This file only says which connection each part works on; docs/reference/tables.md lists the tables.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from catchall.core.issue import Issue, IssueState, IssueTransition
from catchall.core.limits import FORGET_PAUSE_SECONDS, STATE_CHANGES_PER_TRANSACTION
from catchall.store.base import (
    DeadLetter,
    HotBatch,
    IssueFilter,
    IssueSort,
    Lease,
    LedgerSnapshot,
    Project,
    ProjectKey,
    RollupCell,
    SeriesPoint,
)
from catchall.store.sqlite import (
    hot_dead_letters,
    hot_issues,
    hot_ledger,
    hot_projects,
    hot_series,
)
from catchall.store.sqlite.connection import empty_log, writing
from catchall.store.sqlite.hot_commit import HotCommitter
from catchall.store.sqlite.hot_database import HotDatabase
from catchall.store.sqlite.hot_migrations import migrate
from catchall.store.sqlite.hot_names import ENVIRONMENTS, RELEASES
from catchall.store.sqlite.hot_retention import Forgetting
from catchall.store.sqlite.hot_series import Span


class SqliteHot:
    """Hot tables in `path`. Safe for threads, processes and forks.

    The file is made or brought up to date at once; no connection is open before the first use, so that a process may
    fork after making this. Every method raises StoreBusy when others hold the file too long, StoreError when it fails.
    """

    def __init__(self, path: Path) -> None:
        migrate(path)
        self._database = HotDatabase(path)
        self._committer = HotCommitter()

    # --- commit -----------------------------------------------------------------------------------------------
    def register_log(self, uuid: bytes, lane: int) -> int:
        with self._database.writer() as connection, writing(connection):
            return hot_ledger.register_log(connection, uuid, lane)

    def positions(self, log: int) -> list[int]:
        with self._database.reader() as connection:
            return hot_ledger.positions(connection, log)

    def take_leases(self, worker: str, partitions: Iterable[int]) -> list[Lease]:
        with self._database.writer() as connection, writing(connection):
            return hot_ledger.take_leases(connection, worker, partitions)

    def check_leases(self, leases: Iterable[Lease]) -> None:
        with self._database.reader() as connection:
            hot_ledger.check_leases(connection, leases)

    def commit(self, batch: HotBatch) -> list[IssueTransition]:
        with self._database.writer() as connection:
            return self._committer.commit(connection, batch)

    # --- projects and keys ------------------------------------------------------------------------------------
    def create_project(
        self, name: str, *, slug: str, key: str, now: int, platform: str = ""
    ) -> tuple[Project, ProjectKey]:
        with self._database.writer() as connection, writing(connection):
            return hot_projects.create_project(connection, name, slug=slug, key=key, now=now, platform=platform)

    def projects(self) -> list[Project]:
        with self._database.reader() as connection:
            return hot_projects.projects(connection)

    def update_project(self, project_id: int, changes: Mapping[str, object]) -> Project:
        with self._database.writer() as connection, writing(connection):
            return hot_projects.update_project(connection, project_id, changes)

    def keys(self, project_id: int | None = None) -> list[ProjectKey]:
        with self._database.reader() as connection:
            return hot_projects.keys(connection, project_id)

    def create_key(self, project_id: int, *, key: str, label: str, now: int) -> ProjectKey:
        with self._database.writer() as connection, writing(connection):
            return hot_projects.create_key(connection, project_id, key=key, label=label, now=now)

    def update_key(self, key_id: int, changes: Mapping[str, object]) -> ProjectKey:
        with self._database.writer() as connection, writing(connection):
            return hot_projects.update_key(connection, key_id, changes)

    def keys_version(self) -> int:
        with self._database.reader() as connection:
            return hot_ledger.counter(connection, "keys_version")

    # --- issues -----------------------------------------------------------------------------------------------
    def issue(self, issue_id: int) -> Issue | None:
        with self._database.reader() as connection:
            return hot_issues.issue(connection, issue_id)

    def issues(self, where: IssueFilter, *, sort: IssueSort, limit: int, after: str = "") -> tuple[list[Issue], str]:
        with self._database.reader() as connection:
            return hot_issues.issues(connection, where, sort=sort, limit=limit, after=after)

    def count_issues(self, where: IssueFilter) -> int:
        with self._database.reader() as connection:
            return hot_issues.count_issues(connection, where)

    def issue_numbers(self, project_id: int, number: int) -> int | None:
        with self._database.reader() as connection:
            return hot_issues.issue_by_number(connection, project_id, number)

    def change_state(
        self, issue_ids: Sequence[int], state: IssueState, *, by: str, now: int, reason: str = ""
    ) -> list[IssueTransition]:
        made: list[IssueTransition] = []
        with self._database.writer() as connection:
            for begin in range(0, len(issue_ids), STATE_CHANGES_PER_TRANSACTION):
                some = issue_ids[begin : begin + STATE_CHANGES_PER_TRANSACTION]
                with writing(connection):
                    made += hot_issues.change_state(connection, some, state, by=by, now=now, reason=reason)
        return made

    def transitions(self, issue_id: int, *, limit: int) -> list[IssueTransition]:
        with self._database.reader() as connection:
            return hot_issues.transitions(connection, issue_id, limit)

    def issue_series(
        self, issue_ids: Sequence[int], *, since: int, until: int, step: int, environment: str = ""
    ) -> dict[int, list[SeriesPoint]]:
        span = Span(since, until, step)
        with self._database.reader() as connection:
            return hot_series.issue_series(connection, issue_ids, span, environment)

    def project_series(
        self, project_id: int | None, *, since: int, until: int, step: int, environment: str = ""
    ) -> list[SeriesPoint]:
        span = Span(since, until, step)
        with self._database.reader() as connection:
            return hot_series.project_series(connection, project_id, span, environment)

    def issue_environments(self, issue_id: int) -> list[tuple[str, int]]:
        with self._database.reader() as connection:
            return hot_series.names_of_issue(connection, issue_id, ENVIRONMENTS)

    def issue_releases(self, issue_id: int) -> list[tuple[str, int]]:
        with self._database.reader() as connection:
            return hot_series.names_of_issue(connection, issue_id, RELEASES)

    def environments(self, project_id: int | None) -> list[str]:
        with self._database.reader() as connection:
            return hot_issues.environments(connection, project_id)

    # --- ledger, dead letters -----------------------------------------------------------------------------------
    def ledger(self) -> LedgerSnapshot:
        with self._database.snapshot() as connection:
            return hot_ledger.ledger(connection)

    def rollups(self, project_id: int | None, kind: str, *, since: int, until: int) -> dict[RollupCell, int]:
        with self._database.reader() as connection:
            return hot_ledger.rollups(connection, project_id, kind, since, until)

    def dead_letters(
        self, *, project_id: int | None = None, state: str = "waiting", limit: int, before: int = 0
    ) -> list[DeadLetter]:
        with self._database.reader() as connection:
            return hot_dead_letters.dead_letters(
                connection, project_id=project_id, state=state, limit=limit, before=before
            )

    def dead_letter(self, dead_letter_id: int) -> DeadLetter | None:
        with self._database.reader() as connection:
            return hot_dead_letters.dead_letter(connection, dead_letter_id)

    def discard_dead_letter(self, dead_letter_id: int) -> bool:
        with self._database.writer() as connection, writing(connection):
            return hot_dead_letters.discard(connection, dead_letter_id)

    def request_replay(self, dead_letter_id: int) -> bool:
        with self._database.writer() as connection, writing(connection):
            return hot_dead_letters.request_replay(connection, dead_letter_id)

    def replay_requests(self, limit: int) -> list[DeadLetter]:
        with self._database.reader() as connection:
            return hot_dead_letters.replay_requests(connection, limit)

    # --- housekeeping -------------------------------------------------------------------------------------------
    def forget_before(self, quarter: int) -> int:
        return Forgetting(self._database, quarter, lambda: time.sleep(FORGET_PAUSE_SECONDS)).run()

    def settle(self) -> None:
        with self._database.writer() as connection:
            empty_log(connection)

    def close(self) -> None:
        self._database.close()
