"""Hop 6: one batch becomes durable, in the only safe order, one batch at a time per data folder.

Attachments, then payloads and event rows, then the hot transaction with the log's positions. A process that dies
between any two of them leaves a state from which the same records, read again, come to the same end: rows are known
by id and position, attachments by names made of the position, counters move only with the position.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from catchall.core import limits
from catchall.core.errors import FencedOff, Reason, StoreError
from catchall.core.issue import IssueTransition
from catchall.core.ledger import DataCategory, LedgerKey, Outcome, ledger_key
from catchall.store.base import AppliedEvent, Blobs, EventStore, Hot, HotBatch, Lease, RowOutcome
from catchall.worker.batch import Batch, PendingRow

log = structlog.get_logger(__name__)

Pause = Callable[[float], None]


class CommitLock:
    """The one lock of a data folder under which batches are committed (flock: it goes with its process).

    The file holds "pid since" while it is held, so that the supervisor can end a holder that was stopped.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for the lock, hold it, give it back."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            self._note(os.getpid(), time.monotonic())
            yield
        finally:
            self._note(0, 0.0)
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _note(self, pid: int, since: float) -> None:
        with suppress(OSError):  # on a full disk: the lock holds without its note
            os.pwrite(self._file, b"%10d %20.6f" % (pid, since), 0)

    @staticmethod
    def holder(path: Path) -> tuple[int, float] | None:
        """Who holds the lock of this file, and since when (monotonic seconds); None when nobody does."""
        try:
            words = path.read_bytes().split()
        except FileNotFoundError:
            return None
        if len(words) != 2 or int(words[0]) == 0:
            return None
        return int(words[0]), float(words[1])


class Committer:
    """Commits the batches of one worker."""

    def __init__(self, events: EventStore, hot: Hot, blobs: Blobs, lock: CommitLock, *, pause: Pause) -> None:
        self._events = events
        self._hot = hot
        self._blobs = blobs
        self._lock = lock
        self._pause = pause

    def commit(self, batch: Batch, leases: list[Lease], now: int) -> list[IssueTransition]:
        """Make a batch durable. Tries again while the store is busy or failing, up to the limits.

        Raises FencedOff when another worker took over, StoreError when the store went on failing.
        """
        prepared = self._prepare(batch)
        for attempt in range(limits.COMMIT_RETRIES_MAX):
            try:
                return self._once(batch, prepared, leases, now)
            except FencedOff:
                raise
            except StoreError as error:
                log.warning("commit failed, trying again", attempt=attempt + 1, error=str(error))
                self._pause(min(0.05 * 2**attempt, limits.COMMIT_RETRY_SECONDS_MAX))
        raise StoreError(f"the store failed {limits.COMMIT_RETRIES_MAX} times in a row; see the log for its reason")

    def _prepare(self, batch: Batch) -> object | None:
        """The batch's rows, prepared. A row that the store cannot take must cost one event, not the line."""
        if not batch.rows:
            return None
        try:
            return self._events.prepare([pending.row for pending in batch.rows])
        except StoreError:
            raise
        except Exception:  # the edge: whose row it was is found out below
            log.exception("a batch could not be prepared; each of its rows is tried alone", rows=len(batch.rows))
        kept = []
        for pending in batch.rows:
            try:
                self._events.prepare([pending.row])
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 - the same edge
                batch.unstorable(pending, f"{type(error).__name__} in the store")
            else:
                kept.append(pending)
        batch.rows = kept
        return self._events.prepare([pending.row for pending in kept]) if kept else None

    def settle(self) -> None:
        """Let the stores put what they wrote in order. What fails is tried again after the next batch."""
        try:
            self._events.settle()
            self._hot.settle()
        except StoreError as error:
            log.warning("could not settle the stores", error=str(error))

    def _once(self, batch: Batch, prepared: object, leases: list[Lease], now: int) -> list[IssueTransition]:
        for pending in batch.rows:
            for name, data in pending.blobs:
                self._blobs.put(name, data)
        ledger = dict(batch.ledger)
        applied: list[AppliedEvent] = []
        unwanted: list[str] = []
        with self._lock.held():
            self._hot.check_leases(leases)
            stored = self._events.commit(prepared) if prepared is not None else []
            for pending, answer in zip(batch.rows, stored, strict=True):
                if answer.outcome is RowOutcome.DUPLICATE:
                    unwanted.extend(name for name, _ in pending.blobs)
                    _count(ledger, pending, Outcome.DUPLICATE, Reason.DUPLICATE)
                else:
                    applied.append(AppliedEvent(pending.row, answer.issue_id))
                    _count(ledger, pending, Outcome.STORED, None)
            transitions = self._hot.commit(
                HotBatch(
                    leases=leases,
                    positions=batch.positions,
                    events=applied,
                    ledger=ledger,
                    rollups=dict(batch.rollups),
                    dead_letters=batch.dead_letters,
                    requests=batch.requests,
                    replayed=batch.replayed,
                    now=now,
                )
            )
        for name in unwanted:
            self._blobs.delete_prefix(name)
        return transitions


def _count(ledger: dict[LedgerKey, int], pending: PendingRow, outcome: Outcome, reason: Reason | None) -> None:
    project = pending.row.project_id
    for category, quantity in ((DataCategory.ERROR, 1), (DataCategory.ATTACHMENT, len(pending.blobs))):
        if quantity:
            key = ledger_key(project, category, outcome, reason)
            ledger[key] = ledger.get(key, 0) + quantity
