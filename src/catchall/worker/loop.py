"""Hop 4: read the next records of a log, have them refined, have them committed, say how far it got."""

import time
from collections.abc import Callable
from typing import NamedTuple

import structlog

from catchall import heap
from catchall.core import limits
from catchall.core.errors import FencedOff
from catchall.pipeline.context import BatchContext, ProjectSettings
from catchall.queue.base import LogInfo, LogReader, LogRecord
from catchall.store.base import DeadLetter, Hot, Lease, Project
from catchall.worker.batch import Batch
from catchall.worker.belonging import check_places
from catchall.worker.commit import Committer
from catchall.worker.in_hand import REPLAYS, InHand, Span
from catchall.worker.refine import Refinery

REPLAYS_PER_ROUND = 100

log = structlog.get_logger(__name__)


class _Place:
    """How far this worker is in one log."""

    def __init__(self, number: int, positions: list[int], mine: list[int]) -> None:
        self.number = number
        self.next = {partition: positions[partition] for partition in mine}

    @property
    def lowest(self) -> int:
        """Where to go on reading."""
        return min(self.next.values())


class _Read(NamedTuple):
    """What was read from one log: records that are new to this worker, and where to go on."""

    uuid: bytes
    place: _Place
    records: list[LogRecord]
    end: int


class Worker:
    """One worker process: the partitions in `mine`, all logs, most urgent first."""

    def __init__(
        self,
        name: str,
        mine: list[int],
        *,
        reader: LogReader,
        hot: Hot,
        committer: Committer,
        refinery: Refinery,
        in_hand: InHand,
        retention_days: int,
        clock: Callable[[], int],
        delete_spooled: Callable[[str], None],
    ) -> None:
        self.name = name
        self.mine = mine
        self._reader = reader
        self._hot = hot
        self._committer = committer
        self._refinery = refinery
        self._in_hand = in_hand
        self._retention_days = retention_days
        self._clock = clock
        self._delete_spooled = delete_spooled
        self._leases: list[Lease] = []
        self._places: dict[bytes, _Place] = {}
        self._projects: dict[int, ProjectSettings] = {}
        self._projects_version = -1
        self._released_at = 0.0
        self._unsettled_since = 0.0  # monotonic seconds of the last commit; 0: nothing to settle

    def start(self) -> None:
        """Take over the partitions and find the place in each log. Raises PositionBeyondLog for a log and a store
        that do not belong together.
        """
        check_places(self._reader, self._hot)
        self._leases = self._hot.take_leases(self.name, self.mine)
        self._places.clear()
        for info in self._reader.logs():
            self._place(info)
        self._in_hand.recall()

    def run(self, beat: Callable[[], bool], pause: Callable[[float], None]) -> None:
        """Work until `beat` (called each round) says stop. `pause` waits when there is nothing or little to do."""
        self.start()
        while beat():
            try:
                done = self.round(pause)
            except FencedOff:
                log.warning("another worker took over; taking the partitions back", worker=self.name)
                self.start()
                continue
            if not done:
                self._settle()
                pause(limits.BATCH_LINGER_SECONDS)

    def round(self, pause: Callable[[float], None] | None = None) -> int:
        """Read, refine and commit one batch. Returns the number of records looked at."""
        if pause and self._waiting_is_little():
            pause(limits.BATCH_LINGER_SECONDS)
        batch = Batch()
        letters = self._hot.replay_requests(self._replays_max) if 0 in self.mine else []
        if self._in_hand.is_cautious:
            self._clear_of_suspicion(letters)
        if not self._in_hand.may_take(REPLAYS):
            letters = []
        found = [] if letters else self._read(batch)
        if not letters and not batch.positions:
            self._release()
            return 0
        spans = [Span(read.uuid, read.place.lowest, read.end) for read in found]
        if letters:
            spans.append(Span(REPLAYS, letters[0].dead_letter_id, letters[-1].dead_letter_id + 1))
        taken = len(letters) + sum(len(read.records) for read in found)
        with self._in_hand.noted(spans, taken):
            self._refine(found, letters, batch)
            self._committer.commit(batch, self._leases, self._clock())
        self._committed(batch)
        return taken

    def _refine(self, found: list[_Read], letters: list[DeadLetter], batch: Batch) -> None:
        context = self._context()
        condemned = self._in_hand.is_condemned
        for read in found:
            self._refinery.take(read.records, read.place.number, read.uuid, batch, context, condemned=condemned)
        uuids = {place.number: uuid for uuid, place in self._places.items()}
        for letter in letters:
            uuid = uuids.get(letter.position.log, b"")
            self._refinery.replay(letter, uuid, batch, context, condemned=condemned)

    def _committed(self, batch: Batch) -> None:
        self._unsettled_since = time.monotonic()
        for (number, partition), offset in batch.positions.items():
            place = next(place for place in self._places.values() if place.number == number)
            place.next[partition] = offset
        for name in batch.spooled:
            self._delete_spooled(name)
        self._release()

    def _place(self, info: LogInfo) -> _Place:
        place = self._places.get(info.uuid)
        if place is None:
            number = self._hot.register_log(info.uuid, int(info.lane))
            place = self._places[info.uuid] = _Place(number, self._hot.positions(number), self.mine)
            # asks for nothing, but refuses a place that this log does not have
            self._reader.read(info.uuid, place.lowest, (), records_max=0, bytes_max=0)
        return place

    def _waiting_is_little(self) -> bool:
        """A short batch costs three times the CPU per event: let it grow for a moment."""
        waiting = 0
        for info in self._reader.logs():
            waiting += info.end - self._place(info).lowest
        return 0 < waiting < limits.BATCH_BYTES_MAX // 16

    @property
    def _replays_max(self) -> int:
        return min(REPLAYS_PER_ROUND, self._in_hand.records_max)

    def _clear_of_suspicion(self, letters: list[DeadLetter]) -> None:
        places = {info.uuid: self._place(info).lowest for info in self._reader.logs()}
        if letters:
            places[REPLAYS] = letters[0].dead_letter_id
        self._in_hand.forget_passed(places)

    def _read(self, batch: Batch) -> list[_Read]:
        """Read what is next, as much as one batch may hold; the batch learns how far that goes."""
        reads: list[_Read] = []
        records = 0
        size = 0
        records_max = self._in_hand.records_max
        for info in self._reader.logs():
            place = self._place(info)
            full = records >= records_max or size >= limits.BATCH_BYTES_MAX
            if full or place.lowest >= info.end or not self._in_hand.may_take(info.uuid):
                continue
            found = self._reader.read(
                info.uuid,
                place.lowest,
                self.mine,
                records_max=records_max - records,
                bytes_max=limits.BATCH_BYTES_MAX - size,
            )
            fresh = [record for record in found.records if record.offset >= place.next[record.partition]]
            reads.append(_Read(info.uuid, place, fresh, found.next_offset))
            records += len(fresh)
            size += sum(len(record.payload) for record in fresh)
            for partition, offset in place.next.items():
                if found.next_offset > offset:
                    batch.positions[place.number, partition] = found.next_offset
        return reads

    def _context(self) -> BatchContext:
        version = self._hot.keys_version()
        if version != self._projects_version:
            self._projects = {project.project_id: self._settings(project) for project in self._hot.projects()}
            self._projects_version = version
        return BatchContext(
            now=self._clock(), installation_key=self._refinery.installation_key, projects=self._projects
        )

    def _settings(self, project: Project) -> ProjectSettings:
        return ProjectSettings(
            project_id=project.project_id,
            slug=project.slug,
            retention_days=project.retention_days or self._retention_days,
            keep_user_ids=project.keep_user_ids,
            keep_addresses=project.keep_addresses,
        )

    def _settle(self) -> None:
        """When nothing came for a moment, let the stores put themselves in order."""
        if self._unsettled_since and time.monotonic() - self._unsettled_since >= limits.SETTLE_SECONDS:
            self._unsettled_since = 0.0
            self._committer.settle()
            heap.return_what_is_free()

    def _release(self) -> None:
        """Give back log segments that all partitions have passed; once in a while is enough."""
        now = time.monotonic()
        if now - self._released_at < limits.LOG_RELEASE_SECONDS:
            return
        self._released_at = now
        for uuid, place in self._places.items():
            self._reader.release(uuid, min(self._hot.positions(place.number)))
