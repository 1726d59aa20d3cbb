"""What one batch of records came to, gathered until its commit."""

from collections import defaultdict

import msgspec

from catchall.core import limits
from catchall.core.errors import Reason
from catchall.core.identity import Position
from catchall.core.ledger import DataCategory, LedgerKey, Outcome, ledger_key
from catchall.core.record import RawRecord, encode_record
from catchall.core.times import quarter_of
from catchall.store.base import DeadLetter, EventRow, RollupCell
from catchall.wire.base import AggregatedItem


class PendingRow(msgspec.Struct, kw_only=True):
    """A row to be stored, the attachments that share its fate (blob names with their bytes), what it was made of."""

    row: EventRow
    blobs: list[tuple[str, bytes]]
    record: RawRecord


class Batch:
    """Counts and rows of one batch. Everything here is undone by simply not committing it."""

    def __init__(self) -> None:
        self.rows: list[PendingRow] = []
        self.ledger: dict[LedgerKey, int] = defaultdict(int)
        self.rollups: dict[RollupCell, int] = defaultdict(int)
        self.dead_letters: list[DeadLetter] = []
        self.positions: dict[tuple[int, int], int] = {}
        self.spooled: list[str] = []
        self.replayed: list[int] = []
        self.requests = 0

    def seen(self, project_id: int, category: DataCategory, quantity: int = 1) -> None:
        """Count items taken out of a request."""
        if quantity:
            self.ledger[ledger_key(project_id, category, Outcome.SEEN)] += quantity

    def ended(
        self, project_id: int, category: DataCategory, outcome: Outcome, reason: Reason | None = None, quantity: int = 1
    ) -> None:
        """Count where items ended."""
        if quantity:
            self.ledger[ledger_key(project_id, category, outcome, reason)] += quantity

    def aggregated(self, record: RawRecord, item: AggregatedItem) -> None:
        """Count an item that is kept as numbers only."""
        quarter = quarter_of(record.received_at)
        for count in item.counts:
            self.rollups[RollupCell(record.project_id, count.kind, count.key, quarter)] += count.quantity
        self.ended(record.project_id, item.category, Outcome.AGGREGATED, quantity=item.quantity)

    def unstorable(self, pending: PendingRow, detail: str) -> None:
        """A row that the store cannot take becomes a dead letter; the batch goes on without it."""
        record, row = pending.record, pending.row
        self.dead(record, row.position, DataCategory.ERROR, Reason.STEP_FAILED, detail, record.body)
        self.ended(
            row.project_id, DataCategory.ATTACHMENT, Outcome.REJECTED, Reason.ATTACHMENT_ORPHAN, len(pending.blobs)
        )
        if record.spool in self.spooled:
            self.spooled.remove(record.spool)

    def dead(
        self,
        record: RawRecord | None,
        position: Position,
        category: DataCategory,
        reason: Reason,
        detail: str,
        data: bytes,
    ) -> None:
        """Keep what could not be understood, with its reason. `position.index` -1 stands for the whole record."""
        project_id = record.project_id if record else 0
        self.ended(project_id, category, Outcome.DEAD, reason)
        self.dead_letters.append(
            DeadLetter(
                project_id=project_id,
                category=category.value,
                reason=reason.value,
                detail=detail[: limits.NAME_CHARS_MAX],
                received_at=record.received_at if record else 0,
                position=position,
                protocol=record.protocol if record else "",
                data=data[: limits.DEAD_LETTER_BYTES_MAX],
                record=encode_record(record) if record else b"",
            )
        )
