"""One worker over real stores: what becomes of each item, what a fault costs, and what a replay changes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catchall.core import limits
from catchall.core.errors import StoreError
from catchall.core.record import RawRecord, encode_record
from catchall.core.times import rfc3339
from catchall.pipeline import build
from catchall.queue.base import Lane
from catchall.queue.memory import MemoryLog
from catchall.queue.spool import Spool
from catchall.store.base import DeadLetter, EventFilter, EventRow, IssueFilter
from catchall.store.blobs import FileBlobs
from catchall.store.sqlite import prepared
from catchall.store.sqlite.events import SqliteEventStore
from catchall.store.sqlite.hot import SqliteHot
from catchall.store.sqlite.tokens import event_document
from catchall.wire import sentry
from catchall.worker.commit import CommitLock, Committer
from catchall.worker.in_hand import InHand
from catchall.worker.loop import Worker
from catchall.worker.refine import Refinery
from catchall.worker.standing import Standing, standing

NOW = 1_795_465_000_000_000
DAY = 86_400_000_000
KEY = b"k" * 32


class Line:
    """A log, the stores, and a worker between them. A new worker stands for a restarted process."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.log = MemoryLog(lambda _tickets, _error: None)
        self.hot = SqliteHot(folder / "hot.db")
        self.events = SqliteEventStore(folder / "events")
        self.blobs = FileBlobs(folder / "blobs")
        self.spool = Spool(folder / "spool", free_disk_bytes_min=0)
        self._lock = CommitLock(folder / "lock")
        self.in_hand = InHand(folder / "in-hand")
        self.hot.create_project("Shop", slug="shop", key="a" * 32, now=NOW)
        self.worker = self.restarted()

    def restarted(self) -> Worker:
        """A worker that begins where the stores say."""
        worker = Worker(
            "worker-0",
            list(range(16)),
            reader=self.log,
            hot=self.hot,
            committer=Committer(self.events, self.hot, self.blobs, self._lock, pause=lambda _seconds: None),
            refinery=Refinery(KEY, self.spool.read),
            in_hand=self.in_hand,
            retention_days=90,
            clock=lambda: self.now,
            delete_spooled=self.spool.delete,
        )
        worker.start()
        return worker

    def send(self, body: bytes, **facts: Any) -> None:
        """Put a request into the log; it arrives now."""
        record = RawRecord(protocol="sentry.envelope", project_id=1, key_id=1, received_at=self.now, body=body, **facts)
        self.log.append(Lane.NORMAL, 3, encode_record(record), None)

    def work(self) -> Standing:
        """Let the worker do all there is; the ledger must balance then."""
        for _ in range(10):
            if not self.worker.round():
                break
        now = standing(self.log, self.hot)
        assert now.balanced, (now.differences(), now.accepted, now.committed, now.waiting)
        return now

    def outcomes(self) -> dict[str, int]:
        """Items by where they ended."""
        items: dict[str, int] = self.work().ledger()["items"]
        return {name: count for name, count in items.items() if count and name != "seen"}

    def letter(self) -> DeadLetter:
        """The one dead letter that waits, with its bytes."""
        (found,) = self.hot.dead_letters(limit=10)
        whole = self.hot.dead_letter(found.dead_letter_id)
        assert whole is not None
        return whole


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path)
    yield made
    made.in_hand.close()
    made.events.close()
    made.hot.close()


def envelope(*items: tuple[dict[str, Any], bytes]) -> bytes:
    lines = [b'{"event_id":"%s"}' % (b"0" * 32)]
    for header, payload in items:
        lines += [json.dumps({"length": len(payload), **header}).encode(), payload]
    return b"\n".join(lines)


def event(message: str, number: int = 1) -> tuple[dict[str, Any], bytes]:
    return {"type": "event"}, json.dumps({"event_id": f"{number:032x}", "message": message}).encode()


BROKEN = ({"type": "event"}, b"nonsense")
FILE = ({"type": "attachment", "filename": "a.txt"}, b"content")


def test_each_item_has_its_own_end(line: Line) -> None:
    line.send(envelope(event("fine"), BROKEN, FILE, ({"type": "profile"}, b"{}"), ({"type": "session"}, b"{}")))
    assert line.outcomes() == {"stored": 2, "dead": 1, "unsupported": 1, "aggregated": 1}
    assert line.letter().data == b"nonsense"


def test_a_record_that_cannot_be_read_costs_itself_only(line: Line) -> None:
    line.log.append(Lane.NORMAL, 0, b"no record at all", None)
    line.send(envelope(event("fine")))
    assert line.outcomes() == {"stored": 1, "dead": 1}
    letter = line.letter()
    assert (letter.reason, letter.data) == ("log_corrupt", b"no record at all")
    assert not line.hot.request_replay(letter.dead_letter_id)


def test_a_parser_s_own_fault_costs_one_request(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sentry.parse

    def parse(record: RawRecord, body: bytes, event_id_at: Any) -> Any:
        if b"trap" in body:
            raise RecursionError
        return real(record, body, event_id_at)

    monkeypatch.setattr(sentry, "parse", parse)
    line.send(envelope(event("trap")))
    line.send(envelope(event("fine", 2)))
    assert line.outcomes() == {"stored": 1, "dead": 1}
    assert line.letter().reason == "step_failed"


def test_a_replay_moves_a_dead_letter_and_its_attachment(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def trap(_draft: Any, _context: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(build, "STEPS", (trap,))
        line.send(envelope(event("later"), FILE))
        assert line.outcomes() == {"dead": 1, "rejected": 1}
    letter = line.letter()
    assert letter.reason == "step_failed"
    assert line.hot.request_replay(letter.dead_letter_id)
    assert line.outcomes() == {"stored": 2}
    stored = line.events.get(1, f"{1:032x}")
    assert stored is not None
    assert line.blobs.get(stored.attachments[0].blob) == b"content"
    assert not line.hot.request_replay(letter.dead_letter_id)


def test_a_replay_that_fails_again_waits_again(line: Line) -> None:
    line.send(envelope(event("fine"), BROKEN))
    line.work()
    first = line.letter()
    assert line.hot.request_replay(first.dead_letter_id)
    assert line.outcomes() == {"stored": 1, "dead": 1}
    assert line.letter().dead_letter_id != first.dead_letter_id


def test_a_spooled_body_goes_once_nothing_needs_it(line: Line) -> None:
    name = line.spool.write(envelope(event("large")))
    line.send(b"", spool=name)
    assert line.outcomes() == {"stored": 1}
    assert line.spool.read(name) is None


def test_a_spooled_body_stays_while_a_dead_letter_names_it(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def trap(_draft: Any, _context: Any) -> None:
        raise ZeroDivisionError

    name = line.spool.write(envelope(event("large")))
    with monkeypatch.context() as patch:
        patch.setattr(build, "STEPS", (trap,))
        line.send(b"", spool=name)
        line.work()
    assert line.spool.read(name) is not None
    line.hot.request_replay(line.letter().dead_letter_id)
    assert line.outcomes() == {"stored": 1}


def test_a_death_between_rows_and_hot_tables_changes_nothing(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(_batch: Any) -> None:
        raise KeyboardInterrupt

    line.send(envelope(event("once"), FILE))
    with monkeypatch.context() as patch:
        patch.setattr(line.hot, "commit", dies)
        with pytest.raises(KeyboardInterrupt):
            line.worker.round()
    assert line.events.count(EventFilter(project_id=1)) == 1
    line.worker = line.restarted()
    assert line.outcomes() == {"stored": 2}
    assert line.events.count(EventFilter(project_id=1)) == 1


def test_a_store_that_fails_for_a_while_is_tried_again(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    real = line.hot.commit
    failures = iter([StoreError("disk"), StoreError("disk")])

    def commit(batch: Any) -> Any:
        for failure in failures:
            raise failure
        return real(batch)

    monkeypatch.setattr(line.hot, "commit", commit)
    line.send(envelope(event("once")))
    assert line.outcomes() == {"stored": 1}


def test_a_duplicate_is_counted_with_its_attachment_and_leaves_no_file(line: Line, tmp_path: Path) -> None:
    for _ in range(3):
        line.send(envelope(event("again"), FILE))
    assert line.outcomes() == {"stored": 2, "duplicate": 4}
    (issue,), _ = line.hot.issues(IssueFilter(), sort="events", limit=10)
    assert issue.events == 1
    assert len([path for path in tmp_path.rglob("attachments/**/*") if path.is_file()]) == 1


def test_a_worker_with_nothing_to_do_empties_the_write_ahead_logs(line: Line, tmp_path: Path) -> None:
    line.send(envelope(event("a")))
    rounds = iter([True] * 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "SETTLE_SECONDS", 0)
        line.worker.run(lambda: next(rounds, False), lambda _seconds: None)
    logs = [*tmp_path.glob("*.db-wal"), *tmp_path.glob("events/*.db-wal")]
    assert len(logs) == 2
    assert [log.stat().st_size for log in logs] == [0, 0]
    assert line.outcomes() == {"stored": 1}
    line.send(envelope(event("b", 2)))
    assert line.outcomes() == {"stored": 2}


def test_a_reader_does_not_keep_a_worker_from_settling_what_it_can(line: Line) -> None:
    line.send(envelope(event("a")))
    line.work()
    with line.hot._database.snapshot() as reader:
        before = reader.execute("SELECT count(*) FROM issue").fetchone()
        line.send(envelope(event("b", 2)))
        line.work()
        line.hot.settle()
        assert reader.execute("SELECT count(*) FROM issue").fetchone() == before
    assert line.outcomes() == {"stored": 2}


def test_the_same_event_counts_once_on_whichever_days_its_copies_arrive(line: Line) -> None:
    midnight = NOW - NOW % DAY + DAY
    line.now = midnight - 1
    for number in range(10, 40):  # others of that day
        line.send(envelope(event("other", number)))
    for late in (0, 1, DAY, 3 * DAY):  # its last moment, the next day's first, and when the day has long been closed
        line.now = midnight - 1 + late
        for _ in range(25):
            line.send(envelope(event("again")))
        assert line.outcomes()["stored"] == 31
        line.worker = line.restarted()
    assert line.outcomes() == {"stored": 31, "duplicate": 99}
    stored = line.events.get(1, f"{1:032x}")
    assert stored is not None
    assert stored.received_at == rfc3339(midnight - 1)
    found, _ = line.hot.issues(IssueFilter(), sort="events", limit=10)
    assert sum(issue.events for issue in found) == 31


def test_a_row_that_the_store_cannot_take_is_a_dead_letter_and_stops_nobody(line: Line) -> None:
    made = event_document

    def trap(row: EventRow, tags: str) -> str:
        if row.message == "poison":
            raise ZeroDivisionError
        return made(row, tags)

    name = line.spool.write(envelope(event("poison"), FILE))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepared, "event_document", trap)
        line.send(b"", spool=name)
        line.send(envelope(event("b", 2)))
        assert line.outcomes() == {"stored": 1, "dead": 1, "rejected": 1}
    letter = line.letter()
    assert (letter.reason, letter.detail) == ("step_failed", "ZeroDivisionError in the store")
    assert line.spool.read(name) is not None
    line.hot.request_replay(letter.dead_letter_id)
    assert line.outcomes() == {"stored": 3}  # both events, and the file


class Killed(BaseException):
    """Stands for the end of the process: nothing of the worker's code may stop it."""


def kill_at(word: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads a request with this word in it dies."""
    real = sentry.parse

    def parse(record: RawRecord, body: bytes, event_id_at: Any) -> Any:
        if word in body:
            raise Killed
        return real(record, body, event_id_at)

    monkeypatch.setattr(sentry, "parse", parse)


def lives(line: Line) -> int:
    """Work until nothing is left, with a new process for each that dies. Returns how many died."""
    died = 0
    while True:
        try:
            while line.worker.round():
                pass
        except Killed:
            died += 1
            assert died < 20, "it never ends"
            line.worker = line.restarted()
        else:
            return died


@pytest.mark.parametrize("others", [0, 1, 700])
def test_a_record_that_ends_the_process_is_given_up_and_costs_itself_only(
    line: Line, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    for number in range(others):
        line.send(envelope(event("fine", number + 1)))
        if number == others // 2:
            line.send(envelope(event("trap", 10_000)))
    if not others:
        line.send(envelope(event("trap", 10_000)))
    with monkeypatch.context() as patch:
        kill_at(b"trap", patch)
        assert lives(line) == limits.POISON_DEATHS
    assert line.outcomes() == ({"stored": others} if others else {}) | {"dead": 1}
    letter = line.letter()
    assert (letter.reason, letter.category) == ("worker_died", "unknown")
    assert line.hot.request_replay(letter.dead_letter_id)
    assert line.outcomes() == {"stored": others + 1}


def test_two_records_that_end_the_process_are_given_up_one_after_the_other(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        line.send(envelope(event("trap" if number in {7, 8} else "fine", number + 1)))
    kill_at(b"trap", monkeypatch)
    assert limits.POISON_DEATHS < lives(line) <= 2 * limits.POISON_DEATHS
    assert line.outcomes() == {"stored": 38, "dead": 2}


def test_a_replay_that_ends_the_process_waits_again(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    line.send(envelope(({"type": "event"}, b"trap")))
    line.send(envelope(BROKEN))
    line.work()
    for letter in line.hot.dead_letters(limit=10):
        line.hot.request_replay(letter.dead_letter_id)
    line.send(envelope(event("fine")))
    kill_at(b"trap", monkeypatch)
    assert lives(line) == limits.POISON_DEATHS
    assert line.outcomes() == {"stored": 1, "dead": 2}
    reasons = {letter.data: letter.reason for letter in map(whole_letter(line), line.hot.dead_letters(limit=10))}
    assert reasons == {b"trap": "worker_died", b"nonsense": "json_malformed"}


def whole_letter(line: Line) -> Any:
    """Dead letters with their bytes."""
    return lambda letter: line.hot.dead_letter(letter.dead_letter_id)


def test_a_store_that_fails_makes_no_record_suspect(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_batch: Any) -> None:
        raise StoreError("disk full")

    line.send(envelope(event("fine")))
    with monkeypatch.context() as patch:
        patch.setattr(line.hot, "commit", fails)
        for _ in range(limits.POISON_DEATHS + 1):
            with pytest.raises(StoreError):
                line.worker.round()
            line.worker = line.restarted()
    assert line.outcomes() == {"stored": 1}
