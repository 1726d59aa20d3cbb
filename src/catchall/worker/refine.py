"""Hop 5: records to rows, counts and dead letters. Nothing is written here; nothing that a client sent may escape."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
import structlog

from catchall.core import limits
from catchall.core.errors import Drop, Invalid, Reason, WireError
from catchall.core.event import Attachment, EventDraft
from catchall.core.identity import Position, event_id_at
from catchall.core.ledger import DataCategory, LedgerKey, Outcome
from catchall.core.record import PROTOCOL_REFUSALS, RawRecord, decode_record, decode_refusals
from catchall.core.times import day_of
from catchall.pipeline.build import freeze, refine_all
from catchall.pipeline.context import BatchContext
from catchall.pipeline.row import to_row
from catchall.queue.base import LogRecord
from catchall.store.base import DeadLetter
from catchall.wire.base import AggregatedItem, AttachmentItem, BrokenItem, EventItem, Item, SetAsideItem
from catchall.wire.encoding import inflate
from catchall.wire.protocols import PROTOCOLS
from catchall.worker.batch import Batch, PendingRow

WHOLE_RECORD = -1

ReadSpool = Callable[[str], bytes | None]

log = structlog.get_logger(__name__)


class Refinery:
    """Takes records apart for one batch at a time."""

    def __init__(self, installation_key: bytes, read_spool: ReadSpool) -> None:
        self.installation_key = installation_key
        self._read_spool = read_spool

    def take(
        self,
        records: Iterable[LogRecord],
        log_number: int,
        log_uuid: bytes,
        batch: Batch,
        context: BatchContext,
        *,
        condemned: bool = False,
    ) -> None:
        """Add what records of a log come to. `condemned`: they ended processes; they are not looked into again."""
        chunk = _Chunk(batch, context, condemned=condemned)
        for found in records:
            self._take(found, Position(log_number, found.offset, WHOLE_RECORD), log_uuid, chunk)
            if chunk.is_full:
                chunk.refine()
        chunk.refine()

    def replay(
        self, letter: DeadLetter, log_uuid: bytes, batch: Batch, context: BatchContext, *, condemned: bool = False
    ) -> None:
        """Try a dead letter again at its old position: it moves in the ledger, it is not seen again.

        The items around it had their outcome when they arrived and are left alone. `condemned`: to try it ended
        processes; it is a dead letter again, for that reason.
        """
        category = DataCategory(letter.category)
        batch.seen(letter.project_id, category, -1)
        batch.ended(letter.project_id, category, Outcome.DEAD, Reason(letter.reason), -1)
        batch.replayed.append(letter.dead_letter_id)
        record = decode_record(letter.record)
        if condemned:
            batch.seen(letter.project_id, category)
            batch.dead(record, letter.position, category, *_condemnation(letter.position), letter.data)
            return
        only = None if letter.position.index == WHOLE_RECORD else letter.position.index
        whole = letter.position._replace(index=WHOLE_RECORD)
        chunk = _Chunk(batch, context)
        self._take_request(record, whole, log_uuid, chunk, only=only)
        chunk.refine()

    def _take(self, found: LogRecord, whole: Position, log_uuid: bytes, chunk: "_Chunk") -> None:
        batch = chunk.batch
        batch.requests += not found.internal
        try:
            if found.corrupt:
                raise WireError(Reason.LOG_CORRUPT, found.corrupt)
            record = decode_record(found.payload)
            refusals = decode_refusals(record.body) if record.protocol == PROTOCOL_REFUSALS else None
        except (WireError, msgspec.DecodeError) as error:
            batch.seen(0, DataCategory.UNKNOWN)
            batch.dead(None, whole, DataCategory.UNKNOWN, Reason.LOG_CORRUPT, str(error), found.payload)
            return
        if refusals is None:
            self._take_request(record, whole, log_uuid, chunk, only=None)
            return
        for refusal in refusals:
            key = LedgerKey(refusal.project_id, refusal.category, Outcome.REFUSED.value, refusal.reason)
            batch.ledger[key] += refusal.count

    def _take_request(
        self, record: RawRecord, whole: Position, uuid: bytes, chunk: "_Chunk", *, only: int | None
    ) -> None:
        batch = chunk.batch
        request = _Request(record, whole, batch, only)
        items: list[Item] = []
        if record.project_id not in chunk.context.projects:
            batch.seen(record.project_id, DataCategory.UNKNOWN)
            batch.ended(record.project_id, DataCategory.UNKNOWN, Outcome.REJECTED, Reason.PROJECT_DELETED)
        elif chunk.condemned:
            batch.seen(record.project_id, DataCategory.UNKNOWN)
            request.dead(whole, DataCategory.UNKNOWN, *_condemnation(whole), record.body)
        else:
            try:
                items, size = self._items(record, whole, uuid)
                chunk.size += size
            except WireError as error:
                batch.seen(record.project_id, DataCategory.UNKNOWN)
                request.dead(whole, DataCategory.UNKNOWN, error.reason, error.detail, record.body)
        chunk.add(request, items)

    def _items(self, record: RawRecord, whole: Position, uuid: bytes) -> tuple[list[Item], int]:
        """The items of a request, and the size of what they were read from, in bytes."""
        protocol = PROTOCOLS.get(record.protocol)
        if protocol is None:
            raise WireError(Reason.PROTOCOL_UNKNOWN, record.protocol)
        body: bytes | None = self._read_spool(record.spool) if record.spool else record.body
        if body is None:
            raise WireError(Reason.SPOOL_MISSING, record.spool)
        try:
            inflated = inflate(body, record.encoding, limits.REQUEST_INFLATED_BYTES_MAX)
            items = protocol.parse(
                record, inflated, lambda index: event_id_at(self.installation_key, uuid, whole.offset, index)
            )
        except WireError:
            raise
        except Exception as error:  # the edge: a parser's own fault must cost one request, not the line
            log.exception("parser failed", project_id=record.project_id, position=whole)
            raise WireError(Reason.STEP_FAILED, f"{type(error).__name__} in the parser") from error
        return items, len(inflated)


class _Pending(NamedTuple):
    """An event on its way through the steps."""

    request: "_Request"
    position: Position
    draft: EventDraft
    blobs: list[tuple[str, bytes]]


class _Chunk:
    """Requests whose events go through the steps together: step by step for all of them, because then a step's code
    and tables stay in the processor's caches (a fifth less time). Few enough for their drafts to stay there too.
    """

    def __init__(self, batch: Batch, context: BatchContext, *, condemned: bool = False) -> None:
        self.batch = batch
        self.context = context
        self.condemned = condemned
        self.size = 0
        self._requests: list[_Request] = []
        self._pending: list[_Pending] = []

    @property
    def is_full(self) -> bool:
        """Is it time to refine what there is?"""
        return len(self._pending) >= limits.REFINE_EVENTS_MAX or self.size >= limits.REFINE_BYTES_MAX

    def add(self, request: "_Request", items: list[Item]) -> None:
        """Take in a request: its events wait, its other items are counted."""
        self._requests.append(request)
        self._pending += request.take(items)

    def refine(self) -> None:
        """Refine the events that wait and finish their requests."""
        answers = refine_all([pending.draft for pending in self._pending], self.context)
        for pending, error in zip(self._pending, answers, strict=True):
            if error is None:
                self._keep(pending)
            else:
                pending.request.end(pending.position, error)
        for request in self._requests:
            request.finish()
        self.size = 0
        self._requests.clear()
        self._pending.clear()

    def _keep(self, pending: _Pending) -> None:
        try:
            row = to_row(freeze(pending.draft), pending.draft, pending.position)
        except Exception as error:  # noqa: BLE001 - the edge: what one event does must not stop the line
            pending.request.end(pending.position, error)
            return
        self.batch.rows.append(PendingRow(row=row, blobs=pending.blobs, record=pending.request.record))
        pending.request.kept.add(pending.position.index)


class _Request:
    """One request's items on their way into the batch. `only`: the one item of it that is tried again."""

    def __init__(self, record: RawRecord, whole: Position, batch: Batch, only: int | None) -> None:
        self.record = record
        self.whole = whole
        self.kept: set[int] = set()  # indexes of events that became rows
        self._batch = batch
        self._only = only
        self._owner: int | None = None
        self._attachments: list[AttachmentItem] = []
        self._has_letters = False

    def take(self, items: list[Item]) -> list[_Pending]:
        """Count every item (or the one that is tried again), and give the events; attachments go with the first one."""
        self._attachments = [item for item in items if isinstance(item, AttachmentItem)]
        self._owner = next((item.index for item in items if isinstance(item, EventItem)), None)
        events = []
        for item in items:
            if isinstance(item, AttachmentItem) or (self._only is not None and item.index != self._only):
                continue
            if isinstance(item, EventItem):
                self._batch.seen(self.record.project_id, DataCategory.ERROR)
                blobs = self._attach(item) if item.index == self._owner and self._attachments else []
                events.append(_Pending(self, self.whole._replace(index=item.index), item.draft, blobs))
            else:
                self._count(item)
        return events

    def dead(self, position: Position, category: DataCategory, reason: Reason, detail: str, data: bytes) -> None:
        """Make a dead letter of an item, or of the whole."""
        self._has_letters = True
        self._batch.dead(self.record, position, category, reason, detail, data)

    def end(self, position: Position, error: Exception) -> None:
        """An event's way ended before the store."""
        project = self.record.project_id
        if isinstance(error, Drop):
            self._batch.ended(project, DataCategory.ERROR, Outcome.REJECTED, error.reason)
            return
        if isinstance(error, Invalid):
            reason, detail = error.reason, error.detail
        else:
            log.error("step failed", project_id=project, position=position, exc_info=error)
            reason, detail = Reason.STEP_FAILED, f"{type(error).__name__} in a pipeline step"
        self.dead(position, DataCategory.ERROR, reason, detail, self.record.body)

    def finish(self) -> None:
        """Count the attachments, now that it is known what became of their event, and let go of a spooled body."""
        self._count_attachments(owned=self._owner in self.kept, again=self._only is not None)
        if self.record.spool and self._only is None and not self._has_letters:
            self._batch.spooled.append(self.record.spool)  # not while a dead letter may still need the body

    def _attach(self, item: EventItem) -> list[tuple[str, bytes]]:
        """Name the blobs by the event's position: a replay writes the same names, a duplicate other ones."""
        blobs = []
        day = day_of(self.record.received_at)
        for part in self._attachments[: limits.ATTACHMENTS_MAX]:
            name = f"attachments/{day}/{self.record.project_id}/{item.draft.event_id}"
            name = f"{name}/{self.whole.log}-{self.whole.offset}-{part.index}"
            blobs.append((name, part.data))
            item.draft.attachments.append(
                Attachment(filename=part.filename, content_type=part.content_type, size=len(part.data), blob=name)
            )
        return blobs

    def _count(self, item: AggregatedItem | SetAsideItem | BrokenItem) -> None:
        project = self.record.project_id
        if isinstance(item, AggregatedItem):
            self._batch.seen(project, item.category, item.quantity)
            self._batch.aggregated(self.record, item)
        elif isinstance(item, SetAsideItem):
            self._batch.seen(project, item.category, item.quantity)
            self._batch.ended(project, item.category, item.outcome, item.reason, item.quantity)
        else:
            self._batch.seen(project, item.category)
            position = self.whole._replace(index=item.index)
            self.dead(position, item.category, item.reason, item.detail, item.data)

    def _count_attachments(self, *, owned: bool, again: bool) -> None:
        """Kept ones are counted when their event is committed; here those that have no event, or are too many.

        `again`: their event is a replayed dead letter; the first time they ended as orphans.
        """
        count = len(self._attachments)
        if not count:
            return
        project = self.record.project_id
        kept = min(count, limits.ATTACHMENTS_MAX) if owned else 0
        if again:
            self._batch.ended(project, DataCategory.ATTACHMENT, Outcome.REJECTED, Reason.ATTACHMENT_ORPHAN, -kept)
            return
        self._batch.seen(project, DataCategory.ATTACHMENT, count)
        reason = Reason.ATTACHMENT_TOO_MANY if owned else Reason.ATTACHMENT_ORPHAN
        self._batch.ended(project, DataCategory.ATTACHMENT, Outcome.REJECTED, reason, count - kept)


def _condemnation(position: Position) -> tuple[Reason, str]:
    log.error("given up: processes died with it in hand", position=position, deaths=limits.POISON_DEATHS)
    return Reason.WORKER_DIED, f"{limits.POISON_DEATHS} workers died with it in hand, the last one with nothing else"
