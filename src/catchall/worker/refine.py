"""Hop 5: records to rows, counts and dead letters. Nothing is written here; nothing that a client sent may escape."""

from collections.abc import Callable

import msgspec
import structlog

from catchall.core import limits
from catchall.core.errors import Drop, Invalid, Reason, WireError
from catchall.core.event import Attachment
from catchall.core.identity import Position, event_id_at
from catchall.core.ledger import DataCategory, LedgerKey, Outcome
from catchall.core.record import PROTOCOL_REFUSALS, RawRecord, decode_record, decode_refusals
from catchall.core.times import day_of
from catchall.pipeline.build import refine
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
        self._key = installation_key
        self._read_spool = read_spool

    def take(self, found: LogRecord, log_number: int, log_uuid: bytes, batch: Batch, context: BatchContext) -> None:
        """Add what one record of the log comes to."""
        whole = Position(log_number, found.offset, WHOLE_RECORD)
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
            self._take_request(record, whole, log_uuid, batch, context, only=None)
            return
        for refusal in refusals:
            key = LedgerKey(refusal.project_id, refusal.category, Outcome.REFUSED.value, refusal.reason)
            batch.ledger[key] += refusal.count

    def replay(self, letter: DeadLetter, log_uuid: bytes, batch: Batch, context: BatchContext) -> None:
        """Try a dead letter again at its old position: it moves in the ledger, it is not seen again.

        The items around it had their outcome when they arrived and are left alone.
        """
        category = DataCategory(letter.category)
        batch.seen(letter.project_id, category, -1)
        batch.ended(letter.project_id, category, Outcome.DEAD, Reason(letter.reason), -1)
        batch.replayed.append(letter.dead_letter_id)
        only = None if letter.position.index == WHOLE_RECORD else letter.position.index
        whole = letter.position._replace(index=WHOLE_RECORD)
        self._take_request(decode_record(letter.record), whole, log_uuid, batch, context, only=only)

    def _take_request(
        self, record: RawRecord, whole: Position, uuid: bytes, batch: Batch, context: BatchContext, *, only: int | None
    ) -> None:
        letters = len(batch.dead_letters)
        if record.project_id not in context.projects:
            batch.seen(record.project_id, DataCategory.UNKNOWN)
            batch.ended(record.project_id, DataCategory.UNKNOWN, Outcome.REJECTED, Reason.PROJECT_DELETED)
        else:
            try:
                items = self._items(record, whole, uuid)
            except WireError as error:
                batch.seen(record.project_id, DataCategory.UNKNOWN)
                batch.dead(record, whole, DataCategory.UNKNOWN, error.reason, error.detail, record.body)
                return
            _Request(record, whole, batch, context).take(items, only)
        if record.spool and only is None and len(batch.dead_letters) == letters:
            batch.spooled.append(record.spool)  # not while a dead letter of this request may still need the body

    def _items(self, record: RawRecord, whole: Position, uuid: bytes) -> list[Item]:
        protocol = PROTOCOLS.get(record.protocol)
        if protocol is None:
            raise WireError(Reason.PROTOCOL_UNKNOWN, record.protocol)
        body: bytes | None = self._read_spool(record.spool) if record.spool else record.body
        if body is None:
            raise WireError(Reason.SPOOL_MISSING, record.spool)
        try:
            inflated = inflate(body, record.encoding, limits.REQUEST_INFLATED_BYTES_MAX)
            return protocol.parse(record, inflated, lambda index: event_id_at(self._key, uuid, whole.offset, index))
        except WireError:
            raise
        except Exception as error:  # the edge: a parser's own fault must cost one request, not the line
            log.exception("parser failed", project_id=record.project_id, position=whole)
            raise WireError(Reason.STEP_FAILED, f"{type(error).__name__} in the parser") from error


class _Request:
    """One request's items on their way into the batch."""

    def __init__(self, record: RawRecord, whole: Position, batch: Batch, context: BatchContext) -> None:
        self.record = record
        self.whole = whole
        self.batch = batch
        self.context = context

    def take(self, items: list[Item], only: int | None) -> None:
        """Give every item (or the one at index `only`) its place; attachments go with the request's first event."""
        attachments = [item for item in items if isinstance(item, AttachmentItem)]
        owner = next((item.index for item in items if isinstance(item, EventItem)), None)
        owned = False
        for item in items:
            if isinstance(item, AttachmentItem) or (only is not None and item.index != only):
                continue
            if not isinstance(item, EventItem):
                self._count(item)
            elif item.index == owner:
                owned = self._take_event(item, attachments)
            else:
                self._take_event(item, [])
        self._count_attachments(attachments, owned=owned, again=only is not None)

    def _take_event(self, item: EventItem, attachments: list[AttachmentItem]) -> bool:
        project = self.record.project_id
        position = self.whole._replace(index=item.index)
        self.batch.seen(project, DataCategory.ERROR)
        blobs = self._attach(item, attachments[: limits.ATTACHMENTS_MAX])
        try:
            row = to_row(refine(item.draft, self.context), item.draft, position)
        except Drop as drop:
            self.batch.ended(project, DataCategory.ERROR, Outcome.REJECTED, drop.reason)
            return False
        except Invalid as invalid:
            self._dead(position, invalid.reason, invalid.detail)
            return False
        except Exception as error:  # the edge: a step's own fault must cost one event, not the line
            log.exception("step failed", project_id=project, position=position)
            self._dead(position, Reason.STEP_FAILED, f"{type(error).__name__} in a pipeline step")
            return False
        self.batch.rows.append(PendingRow(row=row, blobs=blobs))
        return True

    def _dead(self, position: Position, reason: Reason, detail: str) -> None:
        self.batch.dead(self.record, position, DataCategory.ERROR, reason, detail, self.record.body)

    def _attach(self, item: EventItem, attachments: list[AttachmentItem]) -> list[tuple[str, bytes]]:
        """Name the blobs by the event's position: a replay writes the same names, a duplicate other ones."""
        blobs = []
        day = day_of(self.record.received_at)
        for part in attachments:
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
            self.batch.seen(project, item.category, item.quantity)
            self.batch.aggregated(self.record, item)
        elif isinstance(item, SetAsideItem):
            self.batch.seen(project, item.category, item.quantity)
            self.batch.ended(project, item.category, item.outcome, item.reason, item.quantity)
        else:
            self.batch.seen(project, item.category)
            position = self.whole._replace(index=item.index)
            self.batch.dead(self.record, position, item.category, item.reason, item.detail, item.data)

    def _count_attachments(self, attachments: list[AttachmentItem], *, owned: bool, again: bool) -> None:
        """Kept ones are counted when their event is committed; here those that have no event, or are too many.

        `again`: their event is a replayed dead letter; the first time they ended as orphans.
        """
        project = self.record.project_id
        kept = min(len(attachments), limits.ATTACHMENTS_MAX) if owned else 0
        if again:
            self.batch.ended(project, DataCategory.ATTACHMENT, Outcome.REJECTED, Reason.ATTACHMENT_ORPHAN, -kept)
            return
        self.batch.seen(project, DataCategory.ATTACHMENT, len(attachments))
        reason = Reason.ATTACHMENT_TOO_MANY if owned else Reason.ATTACHMENT_ORPHAN
        self.batch.ended(project, DataCategory.ATTACHMENT, Outcome.REJECTED, reason, len(attachments) - kept)
