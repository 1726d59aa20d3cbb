"""What a store promises, whatever it is made of. Two halves with one order of durability:

blobs and payloads -> event rows (`EventStore.commit`) -> hot tables (`Hot.commit`, with the log's position). Only then
may a log segment go. A replay between any two of them changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Literal, NamedTuple, Protocol

import msgspec

from catchall.core.event import Event
from catchall.core.identity import Position
from catchall.core.issue import Issue, IssueState, IssueTransition
from catchall.core.ledger import LedgerKey


class Stack(NamedTuple):
    """A stack without its locals, stored once per project and shard. `digest`: 16 bytes; `tokens`: for the index."""

    digest: bytes
    frames: bytes  # JSON list of frames
    tokens: str


class EventRow(msgspec.Struct, kw_only=True, gc=False):
    """One refined event, ready to be stored: its columns, its payload, its search tokens.

    Times are microseconds since the epoch. `body` is what `core.codec.encode_body` made. `text`: words for the
    full text index, blank-separated, already lower case; `tags`: (key, value) pairs to be found by exact value, the
    event's own tags and its columns alike. The store prefixes every token with the project.
    """

    project_id: int
    event_id: str
    position: Position
    timestamp: int
    received_at: int
    severity: int
    environment: str
    release_version: str
    service_name: str
    issue_id: int
    user_id: str
    trace_id: str
    error_type: str
    message: str
    transaction: str
    culprit: str
    platform: str
    category: str
    handled: bool | None
    fingerprint: str
    fingerprint_reason: str
    text: str
    tags: list[tuple[str, str]]
    body: bytes
    stacks: list[Stack]


class RowOutcome(IntEnum):
    """What the event store did with a row."""

    STORED = 0  # new
    SAME_DELIVERY = 1  # the same id at the same position was there: the stored row is the truth
    DUPLICATE = 2  # the same id from another position: not stored


class StoredRow(NamedTuple):
    """The answer for one row. For SAME_DELIVERY `issue_id` is the stored row's."""

    outcome: RowOutcome
    issue_id: int


class EventFilter(msgspec.Struct, kw_only=True, frozen=True):
    """Which events. Empty means any. Times in microseconds, `since` inclusive, `until` exclusive, of `timestamp`.

    `words`: each must occur in the text; `tags`: each (key, value) must match.
    """

    project_id: int | None = None
    issue_id: int | None = None
    since: int | None = None
    until: int | None = None
    environment: str = ""
    release_version: str = ""
    severity: int | None = None
    user_id: str = ""
    trace_id: str = ""
    words: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


class EventSummary(NamedTuple):
    """An event as a list shows it. `cursor` continues a list after it."""

    cursor: str
    project_id: int
    event_id: str
    issue_id: int
    timestamp: int
    received_at: int
    severity: int
    environment: str
    release_version: str
    user_id: str


class Facet(NamedTuple):
    """Values of one tag, most frequent first. `looked_at` events were read; `exact` when they are all there are."""

    values: list[tuple[str, int]]
    looked_at: int
    exact: bool


class SeriesPoint(NamedTuple):
    """Events from `start` (epoch seconds) on, for the series' step."""

    start: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody needs here


Prepared = object
"""What `EventStore.prepare` made of rows: opaque, for `commit` of the same store."""


class EventStore(Protocol):
    """Events by day of arrival."""

    def prepare(self, rows: Sequence[EventRow]) -> Prepared:
        """Compress and tokenize; the expensive part, done outside the commit lock. Order of rows is kept."""

    def commit(self, prepared: Prepared) -> list[StoredRow]:
        """Make the rows durable (payloads, then rows) and say for each what became of it. Called under the lock."""

    def get(self, project_id: int, event_id: str) -> Event | None: ...

    def payload(self, project_id: int, event_id: str) -> bytes | None:
        """The event as JSON text, as the API prints it."""

    def page(self, where: EventFilter, *, limit: int, after: str = "") -> list[EventSummary]:
        """Newest arrival first; `after`: the cursor of the last one seen. Raises StoreError when it is none."""

    def iterate(self, where: EventFilter) -> Iterator[Event]:
        """All matching events, newest arrival first, in constant memory."""

    def count(self, where: EventFilter) -> int: ...

    def neighbours(self, where: EventFilter, event_id: str) -> tuple[str, str]:
        """Ids of the event before (older) and after (newer) this one within the filter; empty at an end."""

    def facets(self, where: EventFilter, key: str, *, limit: int) -> Facet: ...

    def facet_keys(self, where: EventFilter) -> list[str]: ...  # keys of tags that matching events have
    def newest_facets(self, where: EventFilter, *, limit: int) -> dict[str, Facet]:
        """The facets of all tags among the newest matching events, by key: they are read once for all."""

    def days(self) -> list[tuple[str, int]]: ...  # shards that exist, oldest first, with their bytes on disk
    def drop_day(self, day: str) -> int:
        """Forget a day wholly (retention). Returns the bytes freed."""

    def should_learn(self) -> bool: ...  # whether it is time for `learn`; quick
    def learn(self) -> None: ...  # how to store the next smaller; takes seconds: for a process apart
    def settle(self) -> None: ...  # brings what was written into its final, smallest form, when nothing else is to do
    def close(self) -> None: ...


class Project(msgspec.Struct, kw_only=True):
    """A project as the hot tables know it. `slug` is unique; times RFC 3339."""

    project_id: int
    name: str
    slug: str
    created_at: str
    platform: str = ""
    retention_days: int = 0  # 0: the installation's
    rate_limit_per_minute: int = 0  # 0: the installation's
    keep_user_ids: bool = False
    keep_addresses: bool = False
    first_event_at: str = ""


class ProjectKey(msgspec.Struct, kw_only=True):
    """A DSN's key: 32 hex digits. `origins`: allowed Origin values, empty for all, "*.example.com" wildcards."""

    key_id: int
    project_id: int
    key: str
    label: str = ""
    created_at: str = ""
    disabled: bool = False
    origins: list[str] = []
    rate_limit_per_minute: int = 0
    urgent: bool = False


class AppliedEvent(NamedTuple):
    """A row that is stored, for the hot tables to count (once; the hot transaction knows the position)."""

    row: EventRow
    issue_id: int


class DeadLetter(msgspec.Struct, kw_only=True):
    """Something accepted that could not be understood. `data`: the item's or record's bytes, cut at the limit.

    `record`: the encoded RawRecord that replays it whole; empty when its bytes are beyond trust.
    """

    dead_letter_id: int = 0
    project_id: int
    category: str
    reason: str
    detail: str
    received_at: int
    position: Position
    protocol: str
    data: bytes
    record: bytes = b""
    state: Literal["waiting", "replaying", "replayed", "discarded"] = "waiting"


class RollupCell(NamedTuple):
    """Aggregated items: `quantity` of `kind` and `key` in a quarter of an hour."""

    project_id: int
    kind: str
    key: str
    quarter: int


class Lease(NamedTuple):
    """The right to commit for a partition, until somebody with a higher epoch takes it."""

    partition: int
    epoch: int


class HotBatch(msgspec.Struct, kw_only=True):
    """All that one batch changes, in one transaction. `positions`: (log, partition) -> next offset to read; `requests`:
    how many request records end with it."""

    leases: list[Lease]
    positions: dict[tuple[int, int], int]
    events: list[AppliedEvent]
    ledger: dict[LedgerKey, int]
    rollups: dict[RollupCell, int]
    dead_letters: list[DeadLetter]
    requests: int
    replayed: list[int] = []
    now: int = 0


class LedgerSnapshot(msgspec.Struct, kw_only=True):
    """The ledger in one snapshot: rows, requests committed, and the positions that belong to them."""

    rows: dict[LedgerKey, int]
    requests_committed: int
    positions: dict[bytes, list[int]]  # log UUID -> next offset of each partition
    dead_letters_waiting: int = 0


IssueSort = Literal["last_seen", "first_seen", "events", "users", "priority"]


class IssueFilter(msgspec.Struct, kw_only=True, frozen=True):
    """Which issues. Empty means any; times in microseconds, of `last_seen`."""

    project_id: int | None = None
    state: IssueState | None = None
    environment: str = ""
    release_version: str = ""
    severity: str = ""
    words: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None


class Hot(Protocol):
    """Small tables that change with every commit: issues, transitions, rollups, ledger, positions, keys."""

    # --- commit -----------------------------------------------------------------------------------------------
    def register_log(self, uuid: bytes, lane: int) -> int:
        """The number of a log (made when it is new): the `log` of positions."""

    def positions(self, log: int) -> list[int]:
        """The next offset to read for each partition."""

    def take_leases(self, worker: str, partitions: Iterable[int]) -> list[Lease]:
        """Take the partitions over: their epoch grows, whoever had them is fenced off."""

    def check_leases(self, leases: Iterable[Lease]) -> None:
        """Raises FencedOff when one of these leases is not the newest of its partition."""

    def commit(self, batch: HotBatch) -> list[IssueTransition]:
        """Apply a batch in one durable transaction, whole or not at all.

        Raises FencedOff when a lease is not the newest, when a position is not ahead of the committed one, or when a
        replayed dead letter is not being replayed any more: the batch was committed before, or is another's by now.
        Raises StoreError for a position of a partition without a lease, and for a project that is not there.
        """

    # --- projects and keys ------------------------------------------------------------------------------------
    def create_project(
        self, name: str, *, slug: str, key: str, now: int, platform: str = ""
    ) -> tuple[Project, ProjectKey]: ...
    def projects(self) -> list[Project]: ...
    def update_project(self, project_id: int, changes: Mapping[str, object]) -> Project: ...
    def keys(self, project_id: int | None = None) -> list[ProjectKey]: ...
    def create_key(self, project_id: int, *, key: str, label: str, now: int) -> ProjectKey: ...
    def update_key(self, key_id: int, changes: Mapping[str, object]) -> ProjectKey: ...
    def keys_version(self) -> int:
        """Grows with every change of projects or keys: intake reloads its cache when it does."""

    # --- issues -----------------------------------------------------------------------------------------------
    def issue(self, issue_id: int) -> Issue | None: ...
    def issues(self, where: IssueFilter, *, sort: IssueSort, limit: int, after: str = "") -> tuple[list[Issue], str]:
        """A page of issues, greatest first, and the cursor of the next one (empty at the end).

        An issue whose place does not change while somebody pages is seen exactly once; one that happens again meanwhile
        moves to the front, before the cursor. `words` occur in title or culprit, in any case of letters.
        Raises StoreError for a cursor that is not of a list with this order.
        """

    def count_issues(self, where: IssueFilter) -> int: ...
    def issue_numbers(self, project_id: int, number: int) -> int | None:
        """The id of the issue with this number in its project."""

    def change_state(
        self, issue_ids: Sequence[int], state: IssueState, *, by: str, now: int, reason: str = ""
    ) -> list[IssueTransition]: ...
    def transitions(self, issue_id: int, *, limit: int) -> list[IssueTransition]:
        """What happened to an issue, newest first."""

    def issue_series(
        self, issue_ids: Sequence[int], *, since: int, until: int, step: int, environment: str = ""
    ) -> dict[int, list[SeriesPoint]]:
        """Events per issue and step (seconds, a multiple of 900) between two epoch seconds; zero points are given.

        The first point begins with the quarter of an hour in which `since` lies. Raises StoreError for another step,
        and for more points than SERIES_POINTS_MAX.
        """

    def project_series(
        self, project_id: int | None, *, since: int, until: int, step: int, environment: str = ""
    ) -> list[SeriesPoint]: ...
    def issue_environments(self, issue_id: int) -> list[tuple[str, int]]:
        """Environments with events within retention, most first. The empty name: the client gave none."""

    def issue_releases(self, issue_id: int) -> list[tuple[str, int]]:
        """The same for releases."""

    def environments(self, project_id: int | None) -> list[str]:
        """Names of environments used within retention, by name, without the empty one."""

    # --- ledger, dead letters -----------------------------------------------------------------------------------
    def ledger(self) -> LedgerSnapshot: ...
    def rollups(self, project_id: int | None, kind: str, *, since: int, until: int) -> dict[RollupCell, int]:
        """Cells of a kind whose quarter of an hour begins between two epoch seconds."""

    def dead_letters(
        self, *, project_id: int | None = None, state: str = "waiting", limit: int, before: int = 0
    ) -> list[DeadLetter]:
        """Newest first, without `data` and `record`. No `state`: in any; `before`: the last one already seen."""

    def dead_letter(self, dead_letter_id: int) -> DeadLetter | None: ...
    def discard_dead_letter(self, dead_letter_id: int) -> bool: ...
    def request_replay(self, dead_letter_id: int) -> bool:
        """Ask the workers to try a waiting dead letter again (state "replaying").

        False: it is not waiting, or has no record to try.
        """

    def replay_requests(self, limit: int) -> list[DeadLetter]:
        """Dead letters that somebody asked to replay, oldest first, with all their bytes."""

    # --- housekeeping -------------------------------------------------------------------------------------------
    def forget_before(self, quarter: int) -> int:
        """Retention: forget counts of quarters of an hour before `quarter` (counted from the epoch, not in the future).

        Users, environments and releases of issues that have not happened since go too, and the bytes of dead letters
        made before. Issues, transitions and the ledger stay. Returns rows removed.
        """

    def settle(self) -> None: ...
    def close(self) -> None: ...


class Blobs(Protocol):
    """Attachments: bytes by name. A name holds no user text."""

    def put(self, name: str, data: bytes) -> None:
        """Write whole and durable before returning; the same name again is replaced atomically."""

    def get(self, name: str) -> bytes | None: ...
    def delete_prefix(self, prefix: str) -> int:
        """Forget all names below a prefix (a day). Returns the bytes freed."""
