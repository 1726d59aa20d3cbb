"""The composition root: the only place that names concrete backends and puts the roles together.

Backends and roles are imported where they are used: a command that reads one table starts in a moment, and a role
holds in memory only what it needs.
"""

import json
import os
import time
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from catchall import heap, processor
from catchall.config import Settings, load
from catchall.core import limits
from catchall.core.errors import PositionBeyondLog
from catchall.installation import Installation
from catchall.store.base import Blobs, EventStore, Hot

if TYPE_CHECKING:
    from catchall.intake.addresses import AddressList
    from catchall.intake.metrics import FrontMetrics
    from catchall.intake.receiver import Parts as ReceiverParts
    from catchall.intake.server import Front
    from catchall.queue.base import LogReader
    from catchall.queue.spool import Spool
    from catchall.supervisor import Beat, RoleSpec
    from catchall.web.services import WebServices
    from catchall.worker.loop import Worker


def now_microseconds() -> int:
    """The clock of the processes: microseconds since the epoch."""
    return time.time_ns() // 1000


class Parts:
    """The parts of one installation, each opened when it is first asked for, all closed at the end of a `with`.

    A Parts object belongs to one process: make it after the fork. Raises ConfigError when there is no installation.
    """

    def __init__(self, data: Path, settings: Settings | None = None) -> None:
        self.installation = Installation(data)
        self.installation.require()
        self.settings = settings or load(self.installation.data, os.environ)
        self._opened: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened, the last first."""
        while self._opened:
            self._opened.pop()()

    @cached_property
    def hot(self) -> Hot:
        """Issues, ledger, keys, positions."""
        from catchall.store.sqlite.hot import SqliteHot

        hot = SqliteHot(self.installation.hot)
        self._opened.append(hot.close)
        return hot

    @cached_property
    def events(self) -> EventStore:
        """Events by day."""
        from catchall.store.sqlite.events import SqliteEventStore

        events = SqliteEventStore(self.installation.data / "events")
        self._opened.append(events.close)
        return events

    @cached_property
    def blobs(self) -> Blobs:
        """Attachments."""
        from catchall.store.blobs import FileBlobs

        return FileBlobs(self.installation.data / "blobs")

    @cached_property
    def spool(self) -> "Spool":
        """Bodies too large for the log."""
        from catchall.queue.spool import Spool

        return Spool(self.installation.spool, free_disk_bytes_min=self.settings.free_disk_bytes_min)

    @cached_property
    def reader(self) -> "LogReader":
        """The workers' end of the log."""
        from catchall.queue.segment_reader import SegmentReader

        reader = SegmentReader(self.installation.log)
        self._opened.append(reader.close)
        return reader

    def running_roles(self) -> dict[str, int]:
        """Roles of a running supervisor with their process ids; empty when none runs."""
        try:
            found = json.loads(self.installation.status_file.read_bytes())
            os.kill(found["supervisor"], 0)
        except (OSError, ValueError, KeyError):
            return {}
        return {"supervisor": found["supervisor"], **found["roles"]}

    def problems(self) -> list[str]:
        """What keeps intake from accepting anything now, as sentences."""
        found = os.statvfs(self.installation.log)
        free = found.f_bavail * found.f_frsize
        needed = max(self.settings.free_disk_bytes_min, limits.LOG_RECORD_BYTES_MAX)
        if free >= needed:
            return []
        return [f"The disk is full: {free >> 20} MiB are free, {needed >> 20} MiB are needed. Errors are refused (503)"]

    def status(self) -> dict[str, Any]:
        """How catchall itself is doing: for pages, probes and `catchall status`."""
        from catchall.worker.standing import standing

        now = standing(self.reader, self.hot)
        return {
            "roles": self.running_roles(),
            "waiting": now.waiting,
            "waiting_bytes": now.waiting_bytes,
            "oldest_waiting_at": now.oldest_at,
            "dead_letters": now.dead_letters,
            "problems": self.problems(),
            "ledger": now.ledger(),
        }


def prepare_log(parts: Parts) -> None:
    """Mend the log as after a power cut, see that it belongs to the store, and let a new one count on from the old.

    To be called before a front starts. Raises PositionBeyondLog with what to do, StoreError when another front runs.
    """
    from catchall.queue.renewal import count_on
    from catchall.queue.segments import SegmentWriter
    from catchall.worker.belonging import check_places, uncounted

    log_folder = parts.installation.log
    SegmentWriter(log_folder, lambda _tickets, _error: None).close(limits.LOG_CLOSE_SECONDS_MAX)
    try:
        check_places(parts.reader, parts.hot)
    except PositionBeyondLog as error:
        raise PositionBeyondLog(
            f"the log and the store do not belong together (a restored backup?), nothing was started: {error}. Restore"
            f" both from the same backup, or move the whole folder {log_folder} away to go on without what it holds"
        ) from None
    renewed = uncounted(parts.reader, parts.hot)
    if renewed is not None:
        count_on(log_folder, *renewed, now_microseconds())


def make_worker(parts: Parts, index: int, count: int) -> "Worker":
    """Worker `index` of `count`: it has every count-th partition."""
    from catchall.worker.commit import CommitLock, Committer
    from catchall.worker.in_hand import InHand
    from catchall.worker.loop import Worker
    from catchall.worker.refine import Refinery

    mine = [partition for partition in range(limits.LOG_PARTITIONS) if partition % count == index]
    committer = Committer(
        parts.events, parts.hot, parts.blobs, CommitLock(parts.installation.commit_lock), pause=time.sleep
    )
    return Worker(
        f"worker-{index}",
        mine,
        reader=parts.reader,
        hot=parts.hot,
        committer=committer,
        refinery=Refinery(parts.installation.key(), parts.spool.read),
        in_hand=InHand(parts.installation.in_hand(index, count)),
        retention_days=parts.settings.retention_days,
        clock=now_microseconds,
        delete_spooled=parts.spool.delete,
    )


def run_worker(data: Path, settings: Settings, index: int, count: int, beat: "Beat") -> None:
    """The life of a worker process."""
    processor.ask_for(processor.WORK)
    heap.return_large_buffers()
    heap.collect_seldom()
    with Parts(data, settings) as parts:
        worker = make_worker(parts, index, count)
        worker.run(beat, time.sleep)


def run_scheduler(data: Path, settings: Settings, beat: "Beat") -> None:
    """The life of the scheduler process."""
    from catchall.worker.aside import Aside
    from catchall.worker.scheduler import Scheduler

    processor.ask_for(processor.WORK)
    learning = Aside(
        "learning",
        partial(_learn, data, settings),
        seconds_max=limits.LEARNING_SECONDS_MAX,
        pause_seconds=limits.LEARNING_PAUSE_SECONDS,
    )
    with Parts(data, settings) as parts:
        scheduler = Scheduler(
            parts.events,
            parts.hot,
            parts.blobs,
            forget_spooled=parts.spool.forget_older,
            learning=learning,
            retention_days=settings.retention_days,
            retention_bytes=settings.retention_bytes,
            clock=now_microseconds,
        )
        while beat():
            scheduler.round()
            time.sleep(limits.SCHEDULER_ROUND_SECONDS)
        scheduler.stop()


def _learn(data: Path, settings: Settings) -> None:
    """The life of the process in which the event store learns."""
    processor.ask_for(processor.ASIDE)
    with Parts(data, settings) as parts:
        parts.events.learn()


def web_services(parts: Parts) -> "WebServices":
    """What the pages stand on."""
    from catchall.web.services import WebServices  # Django comes with it: only for the web role

    return WebServices(
        hot=parts.hot,
        events=parts.events,
        blobs=parts.blobs,
        data_dir=parts.installation.data,
        base_url=parts.settings.public_url,
        secret=parts.installation.key(),
        status=parts.status,
        clock=now_microseconds,
        development=parts.settings.development,
    )


def run_web(data: Path, settings: Settings, announce: Callable[[str], None], beat: "Beat") -> None:
    """The life of the web process. `announce` tells the person at the terminal how to get in the first time."""
    from catchall.web import server
    from catchall.web.accounts import first_login_link

    processor.ask_for(processor.PAGES)
    with Parts(data, settings) as parts:
        services = web_services(parts)
        link = first_login_link(services)
        if link:
            announce(f"  Open the pages, once: {link}\n")
        server.run(services, parts.installation.web_socket, threads=settings.web_threads, beat=beat)


def run_front(data: Path, settings: Settings, beat: "Beat") -> None:
    """The life of the front process: it owns the port and the log's writing end."""
    from catchall.intake import server

    processor.ask_for(processor.QUICK)
    with Parts(data, settings) as parts:
        server.run(_front(parts, beat))


def _front(parts: Parts, beat: "Beat") -> "Front":
    from catchall.intake.addresses import AddressList, networks
    from catchall.intake.application import Application
    from catchall.intake.metrics import FrontMetrics
    from catchall.intake.protocol import Gate
    from catchall.intake.proxy import Proxy
    from catchall.intake.server import Front
    from catchall.intake.tls import TlsFiles
    from catchall.intake.upstream import Upstream
    from catchall.worker.metrics import standing_metrics
    from catchall.worker.standing import standing

    settings = parts.settings
    metrics = FrontMetrics()
    proxies = AddressList(networks(settings.trusted_proxies))
    receiver_parts = _receiver_parts(parts, metrics, proxies)
    application = Application(
        receiver_parts,
        Proxy(Upstream(parts.installation.web_socket), proxies, metrics),
        metrics_readers=AddressList(networks(settings.metrics_readers)),
        more_metrics=lambda: standing_metrics(standing(parts.reader, parts.hot)),
    )
    tls = None
    if settings.tls_certificate:
        tls = TlsFiles(Path(settings.tls_certificate), Path(settings.tls_key), metrics)
    return Front(
        application=application,
        parts=receiver_parts,
        gate=Gate(metrics=metrics),
        host=settings.host,
        port=settings.port,
        tls=tls,
        beat=beat,
    )


def _receiver_parts(parts: Parts, metrics: "FrontMetrics", proxies: "AddressList") -> "ReceiverParts":
    from catchall.intake.acks import Acks, Appender
    from catchall.intake.keys import KeyCache
    from catchall.intake.receiver import Parts as ReceiverParts
    from catchall.intake.refusals import RefusalCounts
    from catchall.queue.segments import SegmentWriter
    from catchall.store.sqlite.hot import SqliteHot

    settings, installation = parts.settings, parts.installation
    acks = Acks()
    writer = SegmentWriter(
        installation.log,
        acks.settle,
        bytes_max=settings.log_bytes_max,
        free_disk_bytes_min=settings.free_disk_bytes_min,
    )
    keys = KeyCache(
        partial(SqliteHot, installation.hot),
        metrics,
        key_limit=settings.key_rate_per_minute,
        project_limit=settings.project_rate_per_minute,
    )
    return ReceiverParts(
        keys=keys,
        acks=acks,
        appender=Appender(writer, acks),
        spool=parts.spool,
        refusals=RefusalCounts(),
        metrics=metrics,
        proxies=proxies,
        clock=now_microseconds,
    )


def roles(data: Path, settings: Settings, announce: Callable[[str], None]) -> "list[RoleSpec]":
    """All roles of one machine, in the order in which they stop: intake first, so that nothing new comes in.

    What several roles need is imported here, before the supervisor forks them: they share those pages.
    """
    import catchall.intake.server
    import catchall.store.sqlite.events
    import catchall.store.sqlite.hot
    import catchall.worker.loop  # noqa: F401  # see above
    from catchall.pipeline.build import compile_patterns
    from catchall.supervisor import RoleSpec

    compile_patterns()
    count = settings.worker_count()
    workers = [
        RoleSpec(f"worker-{index}", partial(run_worker, data, settings, index, count), stop_order=1)
        for index in range(count)
    ]
    return [
        RoleSpec("front", partial(run_front, data, settings), stop_order=0),
        *workers,
        RoleSpec("scheduler", partial(run_scheduler, data, settings), stop_order=2),
        RoleSpec("web", partial(run_web, data, settings, announce), stop_order=2),
    ]
