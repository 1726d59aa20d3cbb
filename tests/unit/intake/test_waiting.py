"""Waits: deadlines, tickets that wait for the log, keys that wait for the store."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchall.core.errors import QueueFailed, QueueFull, Reason, StoreError
from catchall.intake.acks import Acks, Appender
from catchall.intake.deadlines import Deadlines
from catchall.intake.keys import KeyCache, KeysUnavailable
from catchall.intake.metrics import FrontMetrics
from catchall.queue.base import Lane
from catchall.store.base import Project, ProjectKey

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def given_to(log: "Log") -> None:
    """Let the loop turn until the log was given something."""
    for _ in range(100):
        if log.given:
            return
        await asyncio.sleep(0)
    raise AssertionError("nothing was handed over")


@given(st.lists(st.floats(0, 10), max_size=50), st.floats(1, 5))
def test_those_are_overdue_that_waited_long_enough(pauses, patience):
    deadlines: Deadlines[int] = Deadlines(patience)
    now = 0.0
    late: list[int] = []
    begun: dict[int, float] = {}
    for number, pause in enumerate(pauses):
        now += pause
        found = deadlines.overdue(now)
        late += found
        assert all(now - begun[one] >= patience for one in found)
        deadlines.begun[number] = begun[number] = now
    assert late == sorted(late)
    assert late + list(deadlines.begun) == list(range(len(pauses)))
    assert all(now - since < patience for since in deadlines.begun.values()) or len(pauses) < 2


class Log:
    """Keeps what it is given, and settles when told."""

    def __init__(self) -> None:
        self.given: list[tuple[bytes, object]] = []
        self.full = False

    def append(self, lane: Lane, partition: int, payload: bytes, ticket: object, *, internal: bool = False) -> None:
        if self.full:
            raise QueueFull(Reason.LOG_FULL, 1)
        self.given.append((payload, ticket))

    def close(self, timeout: float) -> None:
        """Nothing to close."""


def settle(acks: Acks, log: Log, error: QueueFailed | None = None) -> None:
    tickets: Sequence[object] = [ticket for _, ticket in log.given]
    thread = threading.Thread(target=acks.settle, args=(tickets, error))
    thread.start()
    thread.join()


def setting(gather: float = 10.0) -> tuple[Acks, Log, Appender]:
    acks, log = Acks(patience=5.0), Log()
    acks.attach(asyncio.get_running_loop())
    return acks, log, Appender(log, acks, gather)


async def test_one_record_is_handed_over_when_a_turn_brings_no_more():
    acks, log, appender = setting()
    ticket = appender.append(Lane.NORMAL, 0, b"a", 0.0)
    await given_to(log)
    assert not ticket.done()
    settle(acks, log)
    await asyncio.wait_for(ticket, 5)
    assert acks.waiting.begun == {}


async def test_records_of_one_turn_go_together_and_in_order():
    acks, log, appender = setting()
    tickets = [appender.append(Lane.NORMAL, 0, b"%d" % number, 0.0) for number in range(5)]
    assert log.given == []
    await given_to(log)
    assert [payload for payload, _ in log.given] == [b"0", b"1", b"2", b"3", b"4"]
    settle(acks, log)
    await asyncio.wait_for(asyncio.gather(*tickets), 5)


async def test_a_steady_stream_is_not_gathered_for_ever():
    _, log, appender = setting(gather=0.01)
    turns = 0
    while not log.given:
        assert not appender.append(Lane.NORMAL, 0, b"x", 0.0).done()
        turns += 1
        await asyncio.sleep(0)
    assert turns == len(log.given)


async def test_a_failed_group_fails_all_of_its_tickets():
    acks, log, appender = setting()
    tickets = [appender.append(Lane.NORMAL, 0, b"x", 0.0) for _ in range(3)]
    await given_to(log)
    settle(acks, log, QueueFailed("disk"))
    results = await asyncio.gather(*tickets, return_exceptions=True)
    assert [type(result) for result in results] == [QueueFailed] * 3


async def test_a_full_log_fails_the_ticket_and_forgets_it():
    acks, log, appender = setting()
    log.full = True
    with pytest.raises(QueueFull):
        await appender.append(Lane.NORMAL, 0, b"x", 0.0)
    assert acks.waiting.begun == {}


async def test_a_ticket_that_waits_too_long_fails_and_may_settle_later():
    acks, log, appender = setting()
    ticket = appender.append(Lane.NORMAL, 0, b"x", 10.0)
    await given_to(log)
    assert acks.expire(14.9) == 0
    assert acks.expire(15.0) == 1
    with pytest.raises(QueueFailed):
        await ticket
    settle(acks, log)
    await asyncio.sleep(0.01)


async def test_a_ticket_whose_client_is_gone_disturbs_nobody():
    acks, log, appender = setting()
    gone, stays = (appender.append(Lane.NORMAL, 0, b"x", 0.0) for _ in range(2))
    await given_to(log)
    gone.cancel()
    settle(acks, log)
    await asyncio.wait_for(stays, 5)


def test_settling_after_the_end_is_harmless():
    acks = Acks()
    acks.settle([], None)
    loop = asyncio.new_event_loop()
    acks.attach(loop)
    loop.close()
    acks.settle([], None)


# --- keys ---------------------------------------------------------------------------------------------------------
class Store:
    def __init__(self) -> None:
        self.version = 1
        self.names = ["a"]
        self.broken: Exception | None = None
        self.looks = 0
        self.reads = 0
        self.threads: set[int] = set()

    def keys_version(self) -> int:
        self.looks += 1
        self.threads.add(threading.get_ident())
        if self.broken:
            raise self.broken
        return self.version

    def keys(self) -> list[ProjectKey]:
        self.reads += 1
        return [ProjectKey(key_id=1, project_id=1, key=name) for name in self.names]

    def projects(self) -> list[Project]:
        return [Project(project_id=1, name="", slug="", created_at="")]


def cache(store: Store) -> KeyCache:
    return KeyCache(lambda: store, FrontMetrics(), recheck_seconds=0.01)


async def test_keys_are_read_again_only_when_they_changed():
    store = Store()
    keys = cache(store)
    assert keys.get("a") is None
    assert await keys.refresh()
    assert await keys.refresh()
    assert (store.reads, keys.get("b")) == (1, None)
    store.names, store.version = ["b"], 2
    assert await keys.refresh()
    assert store.reads == 2
    assert (keys.get("a"), keys.get("b") is not None) == (None, True)
    assert threading.get_ident() not in store.threads
    assert len(store.threads) == 1
    keys.close()


async def test_a_key_made_a_moment_ago_is_found():
    store = Store()
    keys = cache(store)
    await keys.refresh()
    store.names, store.version = ["a", "new"], 2
    facts = await keys.look_up("new")
    assert facts is not None
    assert facts.key_id == 1
    assert await keys.look_up("never") is None
    keys.close()


@pytest.mark.parametrize("error", [StoreError("busy"), OSError("disk"), ValueError("what nobody thought of")])
async def test_a_broken_store_leaves_what_is_known(error):
    store = Store()
    keys = cache(store)
    await keys.refresh()
    store.broken = error
    assert not await keys.refresh()
    assert keys.get("a") is not None
    with pytest.raises(KeysUnavailable):
        await keys.look_up("b")
    store.broken = None
    assert await keys.look_up("b") is None
    keys.close()


async def test_a_store_that_was_never_read_knows_nothing():
    store = Store()
    store.broken = StoreError("not there yet")
    keys = cache(store)
    with pytest.raises(KeysUnavailable):
        await keys.look_up("a")
    keys.close()


async def test_all_who_wait_share_one_look():
    store = Store()
    keys = cache(store)
    await keys.refresh()
    looks = store.looks
    assert await asyncio.gather(*(keys.look_up(f"{number}") for number in range(50))) == [None] * 50
    assert store.looks == looks + 1
    keys.close()
