"""The hot tables in memory, as plainly as can be: every event is kept and counted anew when somebody asks.

For tests: what `store.sqlite.hot` answers is compared with this. Nothing is durable, and nothing is fast.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from catchall.core import limits
from catchall.core.errors import FencedOff, StoreError
from catchall.core.identity import issue_id_text
from catchall.core.issue import Issue, IssueState, IssueTransition, TransitionKind, after_event
from catchall.core.ledger import LedgerKey
from catchall.core.times import DAY_SECONDS, MICROSECONDS, QUARTER_SECONDS, rfc3339
from catchall.store.base import (
    DeadLetter,
    EventRow,
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
from catchall.store.memory_hot_issue import MemoryIssue, NamedEvent, in_unicode
from catchall.store.memory_hot_projects import MemoryProjects

OTHER = "(other)"


class MemoryHot:
    """Hot tables of one process, safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._registry = MemoryProjects()
        self._logs: dict[bytes, int] = {}
        self._positions: dict[tuple[int, int], int] = {}
        self._epochs: dict[int, int] = {}
        self._issues: dict[int, MemoryIssue] = {}
        self._transitions: list[IssueTransition] = []
        self._ledger: Counter[LedgerKey] = Counter()
        self._rollups: Counter[RollupCell] = Counter()
        self._requests = 0
        self._letters: dict[int, DeadLetter] = {}
        self._made_at: dict[int, int] = {}
        self._last_letter = 0
        self._names: dict[tuple[str, int], dict[str, int]] = {}  # kind and project: name -> last day

    # --- commit -----------------------------------------------------------------------------------------------
    def register_log(self, uuid: bytes, lane: int) -> int:
        return self._logs.setdefault(uuid, len(self._logs) + 1)

    def positions(self, log: int) -> list[int]:
        return [self._positions.get((log, partition), 0) for partition in range(limits.LOG_PARTITIONS)]

    def take_leases(self, worker: str, partitions: Iterable[int]) -> list[Lease]:
        with self._lock:
            taken = list(partitions)
            for partition in taken:
                self._epochs[partition] = self._epochs.get(partition, 0) + 1
            return [Lease(partition, self._epochs[partition]) for partition in taken]

    def check_leases(self, leases: Iterable[Lease]) -> None:
        for lease in leases:
            if self._epochs.get(lease.partition) != lease.epoch:
                raise FencedOff(f"partition {lease.partition} was taken over")

    def commit(self, batch: HotBatch) -> list[IssueTransition]:
        with self._lock:
            self._check(batch)
            day = batch.now // (DAY_SECONDS * MICROSECONDS)
            before = len(self._transitions)
            for row, _ in sorted(batch.events, key=lambda applied: applied.row.received_at):
                self._registry.event_arrived(row)
            for row, issue_id in batch.events:
                self._apply(row, issue_id, batch.now, day)
            self._ledger.update(batch.ledger)
            for cell, quantity in batch.rollups.items():
                self._rollups[cell._replace(key=in_unicode(cell.key))] += quantity
            self._positions.update(batch.positions)
            self._requests += batch.requests
            for dead_letter_id in batch.replayed:
                self._settle(dead_letter_id, "replayed")
            for letter in batch.dead_letters:
                self._last_letter += 1
                self._letters[self._last_letter] = replace(
                    letter, dead_letter_id=self._last_letter, state="waiting", detail=in_unicode(letter.detail)
                )
                self._made_at[self._last_letter] = batch.now
            self._bound_letters()
            return self._transitions[before:]

    def _check(self, batch: HotBatch) -> None:
        self.check_leases(batch.leases)
        for place, offset in batch.positions.items():
            if place[1] not in {lease.partition for lease in batch.leases}:
                raise StoreError(f"a batch moves partition {place[1]} without a lease for it")
            if place in self._positions and self._positions[place] >= offset:
                raise FencedOff("this batch was committed before")
        for dead_letter_id in batch.replayed:
            if dead_letter_id not in self._letters or self._letters[dead_letter_id].state != "replaying":
                raise FencedOff("a dead letter of this batch was replayed or discarded by somebody else")
        for row, _ in batch.events:
            self._registry.project(row.project_id)

    def _apply(self, row: EventRow, issue_id: int, now: int, day: int) -> None:
        environment = self._name("environment", row.project_id, row.environment, day)
        release = self._name("release", row.project_id, row.release_version, day)
        kind: TransitionKind | None
        if issue_id in self._issues:
            issue = self._issues[issue_id]
            issue.state, kind = after_event(issue.state)
            if kind:
                issue.state_changed_at = now
        else:
            number = 1 + sum(issue.project_id == row.project_id for issue in self._issues.values())
            issue = MemoryIssue(len(self._issues) + 1, issue_id, row.project_id, number)
            self._issues[issue_id] = issue
            kind = "new"
        issue.add(NamedEvent(row, environment, release))
        if kind:
            self._record(issue, kind, now, event_id=row.event_id)

    def _record(
        self, issue: MemoryIssue, kind: TransitionKind, now: int, *, event_id: str = "", by: str = "", reason: str = ""
    ) -> None:
        transition = IssueTransition(
            transition_id=len(self._transitions) + 1,
            issue_id=issue_id_text(issue.issue_id),
            project_id=issue.project_id,
            kind=kind,
            at=rfc3339(now),
            by=in_unicode(by) or "catchall",
            reason=in_unicode(reason),
            event_id=event_id,
        )
        self._transitions.append(transition)

    def _name(self, kind: str, project_id: int, name: str, day: int) -> str:
        """The name to count under: beyond the limit, names of a project are counted together."""
        most = limits.ENVIRONMENTS_PER_PROJECT_MAX if kind == "environment" else limits.RELEASES_PER_PROJECT_MAX
        known = self._names.setdefault((kind, project_id), {})
        name = in_unicode(name)
        if not name:
            return ""
        if name not in known and len(known) >= most:
            name = OTHER
        known[name] = max(day, known.get(name, day))
        return name

    # --- projects and keys ------------------------------------------------------------------------------------
    def create_project(
        self, name: str, *, slug: str, key: str, now: int, platform: str = ""
    ) -> tuple[Project, ProjectKey]:
        with self._lock:
            return self._registry.create_project(name, slug=slug, key=key, now=now, platform=platform)

    def projects(self) -> list[Project]:
        return self._registry.projects()

    def update_project(self, project_id: int, changes: Mapping[str, object]) -> Project:
        with self._lock:
            return self._registry.update_project(project_id, changes)

    def keys(self, project_id: int | None = None) -> list[ProjectKey]:
        return self._registry.keys(project_id)

    def create_key(self, project_id: int, *, key: str, label: str, now: int) -> ProjectKey:
        with self._lock:
            return self._registry.create_key(project_id, key=key, label=label, now=now)

    def update_key(self, key_id: int, changes: Mapping[str, object]) -> ProjectKey:
        with self._lock:
            return self._registry.update_key(key_id, changes)

    def keys_version(self) -> int:
        return self._registry.version

    # --- issues -----------------------------------------------------------------------------------------------
    def issue(self, issue_id: int) -> Issue | None:
        issue = self._issues.get(issue_id)
        return issue.seen() if issue else None

    def _matching(self, where: IssueFilter) -> list[MemoryIssue]:
        with self._lock:
            return [issue for issue in self._issues.values() if issue.matches(where)]

    def issues(self, where: IssueFilter, *, sort: IssueSort, limit: int, after: str = "") -> tuple[list[Issue], str]:
        found = sorted(self._matching(where), key=lambda issue: issue.place(sort), reverse=True)
        if after:
            last = _cursor(sort, after)
            found = [issue for issue in found if issue.place(sort) < last]
        page = found[: max(1, min(limit, limits.LIST_LIMIT_MAX))]
        more = len(found) > len(page)
        cursor = msgspec.json.encode((sort, page[-1].place(sort))).decode() if more else ""
        return [issue.seen() for issue in page], cursor

    def count_issues(self, where: IssueFilter) -> int:
        return len(self._matching(where))

    def issue_numbers(self, project_id: int, number: int) -> int | None:
        wanted = (project_id, number)
        return next((one.issue_id for one in self._issues.values() if (one.project_id, one.number) == wanted), None)

    def change_state(
        self, issue_ids: Sequence[int], state: IssueState, *, by: str, now: int, reason: str = ""
    ) -> list[IssueTransition]:
        kinds: dict[str, TransitionKind] = {"resolved": "resolved", "ignored": "ignored", "unresolved": "reopened"}
        if state not in kinds:
            raise StoreError(f"an issue cannot be {state}")
        with self._lock:
            before = len(self._transitions)
            for issue_id in issue_ids:
                issue = self._issues.get(issue_id)
                if issue is not None and issue.state != state:
                    issue.state, issue.state_changed_at = state, now
                    self._record(issue, kinds[state], now, by=by, reason=reason)
            return self._transitions[before:]

    def transitions(self, issue_id: int, *, limit: int) -> list[IssueTransition]:
        text = issue_id_text(issue_id)
        return [one for one in reversed(self._transitions) if one.issue_id == text][:limit]

    def issue_series(
        self, issue_ids: Sequence[int], *, since: int, until: int, step: int, environment: str = ""
    ) -> dict[int, list[SeriesPoint]]:
        if len(issue_ids) > limits.LIST_LIMIT_MAX:
            raise StoreError("series of too many issues")
        series = {}
        for issue_id in issue_ids:
            issue = self._issues.get(issue_id)
            series[issue_id] = self._series([issue] if issue else [], (since, until, step), environment)
        return series

    def project_series(
        self, project_id: int | None, *, since: int, until: int, step: int, environment: str = ""
    ) -> list[SeriesPoint]:
        wanted = [issue for issue in list(self._issues.values()) if project_id in {None, issue.project_id}]
        return self._series(wanted, (since, until, step), environment)

    def _series(self, issues: list[MemoryIssue], span: tuple[int, int, int], environment: str) -> list[SeriesPoint]:
        since, until, step = span
        since -= since % QUARTER_SECONDS
        if step <= 0 or step % QUARTER_SECONDS or -(-(until - since) // step) > limits.SERIES_POINTS_MAX:
            raise StoreError("a series has steps of quarters of an hour, and not too many")
        with self._lock:
            quarters = [
                quarter
                for issue in issues
                for quarter, name in issue.quarters()
                if environment in {"", name} and quarter * QUARTER_SECONDS < until
            ]
        starts = range(since, until, step)
        return [
            SeriesPoint(start, sum(start <= quarter * QUARTER_SECONDS < start + step for quarter in quarters))
            for start in starts
        ]

    def issue_environments(self, issue_id: int) -> list[tuple[str, int]]:
        return self._counted(issue_id, lambda event: event.environment)

    def issue_releases(self, issue_id: int) -> list[tuple[str, int]]:
        return self._counted(issue_id, lambda event: event.release)

    def _counted(self, issue_id: int, name_of: Callable[[NamedEvent], str]) -> list[tuple[str, int]]:
        issue = self._issues.get(issue_id)
        counted = Counter(name_of(event) for event in (issue.counted() if issue else []))
        return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))

    def environments(self, project_id: int | None) -> list[str]:
        names = {
            name
            for (kind, project), known in self._names.items()
            for name in known
            if kind == "environment" and project_id in {None, project}
        }
        return sorted(names)

    # --- ledger, dead letters -----------------------------------------------------------------------------------
    def ledger(self) -> LedgerSnapshot:
        with self._lock:
            return LedgerSnapshot(
                rows={key: quantity for key, quantity in self._ledger.items() if quantity},
                requests_committed=self._requests,
                positions={uuid: self.positions(log) for uuid, log in self._logs.items()},
                dead_letters_waiting=sum(one.state in {"waiting", "replaying"} for one in self._letters.values()),
            )

    def rollups(self, project_id: int | None, kind: str, *, since: int, until: int) -> dict[RollupCell, int]:
        with self._lock:
            return {
                cell: quantity
                for cell, quantity in self._rollups.items()
                if quantity
                and project_id in {None, cell.project_id}
                and cell.kind == kind
                and since <= cell.quarter * QUARTER_SECONDS < until
            }

    def dead_letters(
        self, *, project_id: int | None = None, state: str = "waiting", limit: int, before: int = 0
    ) -> list[DeadLetter]:
        with self._lock:
            found = [
                replace(letter, data=b"", record=b"")
                for letter in reversed(self._letters.values())
                if project_id in {None, letter.project_id}
                and state in {"", letter.state}
                and (not before or letter.dead_letter_id < before)
            ]
        return found[: min(limit, limits.LIST_LIMIT_MAX)]

    def dead_letter(self, dead_letter_id: int) -> DeadLetter | None:
        return self._letters.get(dead_letter_id)

    def discard_dead_letter(self, dead_letter_id: int) -> bool:
        with self._lock:
            letter = self._letters.get(dead_letter_id)
            if letter is None or letter.state != "waiting":
                return False
            self._settle(dead_letter_id, "discarded")
            self._bound_letters()
            return True

    def request_replay(self, dead_letter_id: int) -> bool:
        with self._lock:
            letter = self._letters.get(dead_letter_id)
            if letter is None or letter.state != "waiting" or not letter.record:
                return False
            self._letters[dead_letter_id] = replace(letter, state="replaying")
            return True

    def replay_requests(self, limit: int) -> list[DeadLetter]:
        with self._lock:
            return [letter for letter in self._letters.values() if letter.state == "replaying"][:limit]

    def _settle(self, dead_letter_id: int, state: str) -> None:
        letter = self._letters[dead_letter_id]
        self._letters[dead_letter_id] = replace(letter, state=state, data=b"", record=b"")

    def _bound_letters(self) -> None:
        kept = [letter for letter in self._letters.values() if letter.state in {"waiting", "replaying"}]
        size = sum(len(letter.data) + len(letter.record) for letter in kept)
        count = len(kept)
        for letter in kept:
            if count <= limits.DEAD_LETTERS_MAX and size <= limits.DEAD_LETTERS_BYTES_MAX:
                break
            if letter.state == "waiting":
                self._settle(letter.dead_letter_id, "discarded")
                count -= 1
                size -= len(letter.data) + len(letter.record)
        settled = [letter for letter in self._letters.values() if letter.state in {"replayed", "discarded"}]
        for letter in settled[: max(0, len(settled) - limits.DEAD_LETTERS_SETTLED_MAX)]:
            del self._letters[letter.dead_letter_id]

    # --- housekeeping -------------------------------------------------------------------------------------------
    def forget_before(self, quarter: int) -> int:
        with self._lock:
            time = quarter * QUARTER_SECONDS * MICROSECONDS
            removed = sum(issue.forget_before(time) for issue in self._issues.values())
            old = [cell for cell in self._rollups if cell.quarter < quarter]
            for cell in old:
                del self._rollups[cell]
            for known in self._names.values():
                for name in [name for name, day in known.items() if day < time // (DAY_SECONDS * MICROSECONDS)]:
                    del known[name]
            for letter in list(self._letters.values()):
                if letter.state == "waiting" and self._made_at[letter.dead_letter_id] < time:
                    self._settle(letter.dead_letter_id, "discarded")
            self._bound_letters()
            return removed + len(old)

    def settle(self) -> None:
        """Everything is as it stays."""

    def close(self) -> None:
        """Nothing to give back."""


def _cursor(sort: IssueSort, text: str) -> tuple[int, int, int]:
    try:
        name, place = msgspec.json.decode(text, type=tuple[str, tuple[int, int, int]])
    except msgspec.DecodeError as error:
        raise StoreError("this is not where a list goes on") from error
    if name != sort:
        raise StoreError(f"this is not where a list sorted by {sort} goes on")
    return place
