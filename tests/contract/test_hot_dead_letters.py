"""Dead letters in the hot tables: kept, listed, replayed, discarded, bounded. The same for every store."""

import pytest
from msgspec.structs import replace

from catchall.core import limits
from catchall.core.errors import FencedOff
from catchall.core.ledger import LedgerKey
from tests.unit.store_hot.batches import START, dead_letter, event, issue_of

DAY = 86_400
DEAD = LedgerKey(1, "error", "dead", "json_malformed")
STORED = LedgerKey(1, "error", "stored", "")


def ids(hot, **where) -> list[int]:
    return [letter.dead_letter_id for letter in hot.dead_letters(**({"limit": 100} | where))]


def states(hot) -> dict[int, str]:
    return {letter.dead_letter_id: letter.state for letter in hot.dead_letters(limit=1000, state="")}


def test_a_dead_letter_keeps_its_bytes_and_facts(hot, feeder):
    letter = dead_letter(data=bytes(range(256)), record=b"\xff\0whole", detail="half \ud800")
    feeder.commit(dead_letters=[letter])
    kept = hot.dead_letter(1)
    assert kept == replace(letter, dead_letter_id=1, detail="half ?", state="waiting")
    assert hot.dead_letters(limit=5) == [replace(kept, data=b"", record=b"")]
    assert hot.dead_letter(2) is None
    assert hot.dead_letter(2**70) is None


def test_lists_newest_first(hot, feeder):
    feeder.commit(dead_letters=[dead_letter(), dead_letter(2), dead_letter()])
    feeder.commit(dead_letters=[dead_letter()])
    assert ids(hot) == [4, 3, 2, 1]
    assert ids(hot, project_id=1, limit=2) == [4, 3]
    assert ids(hot, project_id=1, limit=2, before=3) == [1]
    assert ids(hot, project_id=2) == [2]
    assert ids(hot, project_id=3) == []
    assert hot.discard_dead_letter(3)
    assert ids(hot) == [4, 2, 1]
    assert ids(hot, state="discarded") == [3]
    assert ids(hot, state="") == [4, 3, 2, 1]


def test_a_replay_moves_in_the_ledger(hot, feeder):
    feeder.commit(dead_letters=[dead_letter(), dead_letter()], ledger={DEAD: 2})
    assert hot.request_replay(1)
    assert not hot.request_replay(1)
    asked = hot.replay_requests(10)
    assert [(letter.dead_letter_id, letter.data, letter.record) for letter in asked] == [
        (1, b"broken", b"whole record")
    ]
    feeder.commit(event("a"), ledger={DEAD: -1, STORED: 1}, replayed=[1])
    assert states(hot) == {1: "replayed", 2: "waiting"}
    assert hot.ledger().rows == {DEAD: 1, STORED: 1}
    assert hot.ledger().dead_letters_waiting == 1
    assert hot.replay_requests(10) == []
    replayed = hot.dead_letter(1)
    assert (replayed.data, replayed.record) == (b"", b"")
    assert not hot.request_replay(1)
    assert not hot.discard_dead_letter(1)


def test_a_replay_that_dies_again_is_a_new_letter(hot, feeder):
    feeder.commit(dead_letters=[dead_letter()], ledger={DEAD: 1})
    hot.request_replay(1)
    feeder.commit(dead_letters=[dead_letter(data=b"again")], ledger={DEAD: 0}, replayed=[1])
    assert states(hot) == {1: "replayed", 2: "waiting"}
    assert hot.ledger().rows == {DEAD: 1}


def test_a_replay_is_committed_once(hot, feeder):
    feeder.commit(dead_letters=[dead_letter()], ledger={DEAD: 1})
    hot.request_replay(1)
    batch = feeder.batch(event("a"), ledger={DEAD: -1, STORED: 1}, replayed=[1], positions={})
    hot.commit(batch)
    with pytest.raises(FencedOff):
        hot.commit(batch)
    assert hot.ledger().rows == {STORED: 1}
    for unknown in (1, 77):
        with pytest.raises(FencedOff):
            feeder.commit(event("b"), replayed=[unknown])
    assert hot.issue(issue_of("b")) is None


def test_only_what_waits_is_discarded(hot, feeder):
    feeder.commit(dead_letters=[dead_letter(), dead_letter()], ledger={DEAD: 2})
    hot.request_replay(1)
    assert not hot.discard_dead_letter(1)
    assert hot.discard_dead_letter(2)
    assert not hot.discard_dead_letter(2)
    assert not hot.discard_dead_letter(3)
    assert states(hot) == {1: "replaying", 2: "discarded"}
    assert hot.dead_letter(2).data == b""
    assert hot.ledger().rows == {DEAD: 2}
    assert hot.ledger().dead_letters_waiting == 1


def test_what_has_no_record_cannot_be_replayed(hot, feeder):
    feeder.commit(dead_letters=[dead_letter(record=b"")])
    assert not hot.request_replay(1)
    assert states(hot) == {1: "waiting"}


def test_replays_come_oldest_first_and_bounded(hot, feeder):
    feeder.commit(dead_letters=[dead_letter() for _ in range(5)])
    for number in (4, 1, 3):
        hot.request_replay(number)
    assert [letter.dead_letter_id for letter in hot.replay_requests(2)] == [1, 3]


def test_the_oldest_make_room(hot, feeder, monkeypatch):
    bound(monkeypatch, "DEAD_LETTERS_MAX", 3)
    feeder.commit(dead_letters=[dead_letter() for _ in range(3)], ledger={DEAD: 3})
    hot.request_replay(1)
    feeder.commit(dead_letters=[dead_letter(), dead_letter()], ledger={DEAD: 2})
    assert states(hot) == {1: "replaying", 2: "discarded", 3: "discarded", 4: "waiting", 5: "waiting"}
    assert hot.dead_letter(2).data == hot.dead_letter(2).record == b""
    assert hot.dead_letter(1).record == b"whole record"
    assert hot.ledger().rows == {DEAD: 5}


def test_all_bytes_together_are_bounded(hot, feeder, monkeypatch):
    bound(monkeypatch, "DEAD_LETTERS_BYTES_MAX", 1000)
    for _ in range(5):
        feeder.commit(dead_letters=[dead_letter(data=b"d" * 200, record=b"r" * 200)])
    assert ids(hot) == [5, 4]
    feeder.commit(dead_letters=[dead_letter(data=b"d" * 2000)])
    assert ids(hot) == []
    feeder.commit(dead_letters=[dead_letter()])
    assert ids(hot) == [7]


def test_settled_ones_are_bounded_too(hot, feeder, monkeypatch):
    bound(monkeypatch, "DEAD_LETTERS_SETTLED_MAX", 2)
    feeder.commit(dead_letters=[dead_letter() for _ in range(6)])
    for number in (6, 2, 3):
        assert hot.discard_dead_letter(number)
    assert states(hot) == {1: "waiting", 3: "discarded", 4: "waiting", 5: "waiting", 6: "discarded"}
    hot.request_replay(4)
    feeder.commit(replayed=[4])
    assert states(hot) == {1: "waiting", 4: "replayed", 5: "waiting", 6: "discarded"}


def test_numbers_are_never_given_again(hot, feeder, monkeypatch):
    bound(monkeypatch, "DEAD_LETTERS_SETTLED_MAX", 0)
    feeder.commit(dead_letters=[dead_letter(), dead_letter()])
    assert hot.discard_dead_letter(2)
    feeder.commit(dead_letters=[dead_letter()])
    assert ids(hot, state="") == [3, 1]


def test_retention_discards_what_waited_too_long(hot, feeder):
    feeder.commit(dead_letters=[dead_letter() for _ in range(50)], ledger={DEAD: 50}, at=0)
    feeder.commit(dead_letters=[dead_letter()], ledger={DEAD: 1}, at=2 * DAY)
    hot.request_replay(1)
    hot.forget_before((START + DAY) // 900)
    assert ids(hot) == [51]
    assert states(hot)[1] == "replaying"
    assert hot.ledger().rows == {DEAD: 51}


def bound(monkeypatch, name: str, value: int) -> None:
    """Change a limit for both stores."""
    monkeypatch.setattr(limits, name, value)
    monkeypatch.setattr(f"catchall.store.sqlite.hot_dead_letters.{name}", value)
