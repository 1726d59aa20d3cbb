"""Hop 4: read the next records of a log, have them refined, have them committed, say how far it got."""

import time
from collections.abc import Callable

import structlog

from catchall.core import limits
from catchall.core.errors import FencedOff
from catchall.pipeline.context import BatchContext, ProjectSettings
from catchall.queue.base import LogInfo, LogReader
from catchall.store.base import Hot, Lease, Project
from catchall.worker.batch import Batch
from catchall.worker.belonging import check_places
from catchall.worker.commit import Committer
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
        installation_key: bytes,
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
        self._key = installation_key
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
        records = self._gather(batch)
        replays = self._replay(batch) if 0 in self.mine else 0
        if not batch.positions and not replays:
            self._release()
            return 0
        self._committer.commit(batch, self._leases, self._clock())
        self._unsettled_since = time.monotonic()
        for (number, partition), offset in batch.positions.items():
            place = next(place for place in self._places.values() if place.number == number)
            place.next[partition] = offset
        for name in batch.spooled:
            self._delete_spooled(name)
        self._release()
        return records + replays

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

    def _gather(self, batch: Batch) -> int:
        records = 0
        size = 0
        context: BatchContext | None = None
        for info in self._reader.logs():
            place = self._place(info)
            if place.lowest >= info.end or records >= limits.BATCH_RECORDS_MAX or size >= limits.BATCH_BYTES_MAX:
                continue
            found = self._reader.read(
                info.uuid,
                place.lowest,
                self.mine,
                records_max=limits.BATCH_RECORDS_MAX - records,
                bytes_max=limits.BATCH_BYTES_MAX - size,
            )
            context = context or self._context()
            fresh = [record for record in found.records if record.offset >= place.next[record.partition]]
            self._refinery.take(fresh, place.number, info.uuid, batch, context)
            records += len(fresh)
            size += sum(len(record.payload) for record in fresh)
            for partition, offset in place.next.items():
                if found.next_offset > offset:
                    batch.positions[place.number, partition] = found.next_offset
        return records

    def _replay(self, batch: Batch) -> int:
        letters = self._hot.replay_requests(REPLAYS_PER_ROUND)
        if letters:
            context = self._context()
            uuids = {place.number: uuid for uuid, place in self._places.items()}
            for letter in letters:
                self._refinery.replay(letter, uuids.get(letter.position.log, b""), batch, context)
        return len(letters)

    def _context(self) -> BatchContext:
        version = self._hot.keys_version()
        if version != self._projects_version:
            self._projects = {project.project_id: self._settings(project) for project in self._hot.projects()}
            self._projects_version = version
        return BatchContext(now=self._clock(), installation_key=self._key, projects=self._projects)

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

    def _release(self) -> None:
        """Give back log segments that all partitions have passed; once in a while is enough."""
        now = time.monotonic()
        if now - self._released_at < limits.LOG_RELEASE_SECONDS:
            return
        self._released_at = now
        for uuid, place in self._places.items():
            self._reader.release(uuid, min(self._hot.positions(place.number)))
