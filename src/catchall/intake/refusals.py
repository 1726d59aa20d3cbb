"""What intake refused, counted in memory and written to the log as one record a second.

A refusal is never answered with a promise, so counting it in memory is enough; a process that dies loses at most the
counts of its last second.
"""

from collections.abc import Iterable

from catchall.core import limits
from catchall.core.errors import Reason
from catchall.core.ledger import DataCategory
from catchall.core.record import PROTOCOL_REFUSALS, RawRecord, Refusal, encode_record, encode_refusals

NO_PROJECT = 0


class RefusalCounts:
    """Counts by project and reason. `project_id` 0: the installation, for unknown keys."""

    def __init__(self, cells_max: int = limits.REFUSAL_CELLS_MAX) -> None:
        self._cells: dict[tuple[int, str], int] = {}
        self._cells_max = cells_max

    def __bool__(self) -> bool:
        return bool(self._cells)

    def add(self, project_id: int, reason: Reason, count: int = 1) -> None:
        """Count. At the bound a new project's refusals count for the installation: never lost, only less exact."""
        self._add((project_id, reason.value), count)

    def _add(self, cell: tuple[int, str], count: int) -> None:
        if cell not in self._cells and len(self._cells) >= self._cells_max:
            cell = (NO_PROJECT, cell[1])  # one cell a reason: the bound is passed by their number at most
        self._cells[cell] = self._cells.get(cell, 0) + count

    def take(self) -> list[Refusal]:
        """Hand over all counts and begin anew."""
        cells, self._cells = self._cells, {}
        category = DataCategory.REQUEST.value
        return [Refusal(project, category, reason, count) for (project, reason), count in cells.items()]

    def put_back(self, refusals: Iterable[Refusal]) -> None:
        """The log did not take them: they count for the next record."""
        for refusal in refusals:
            self._add((refusal.project_id, refusal.reason), refusal.count)


def refusals_record(refusals: list[Refusal], received_at: int) -> bytes:
    """The internal record that carries counts to the ledger. `received_at`: microseconds since the epoch."""
    body = encode_refusals(refusals)
    return encode_record(
        RawRecord(protocol=PROTOCOL_REFUSALS, project_id=NO_PROJECT, key_id=0, received_at=received_at, body=body)
    )
