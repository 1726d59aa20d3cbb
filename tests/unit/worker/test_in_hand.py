"""What a dead process had in hand is taken up with more and more care, and given up only when it was alone."""

from pathlib import Path

import pytest

from catchall.core import limits
from catchall.core.errors import StoreError
from catchall.worker.in_hand import REPLAYS, InHand, Span

LOG = b"\xff" * 16
OTHER = b"o" * 16


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "in-hand.json"


def die(path: Path, records: int, *spans: Span) -> None:
    """One life: recall, take something up, die."""
    hand = InHand(path)
    hand.recall()
    with pytest.raises(KeyboardInterrupt), hand.noted(spans, records):
        raise KeyboardInterrupt
    hand.close()


def born(path: Path) -> InHand:
    hand = InHand(path)
    hand.recall()
    return hand


def test_a_first_life_suspects_nothing(path):
    hand = born(path)
    assert (hand.is_cautious, hand.is_condemned, hand.records_max) == (False, False, limits.BATCH_RECORDS_MAX)
    assert hand.may_take(LOG)
    assert hand.may_take(REPLAYS)


def test_what_a_process_finished_is_not_suspect(path):
    with born(path).noted([Span(LOG, 0, 10)], 5):
        pass
    assert not born(path).is_cautious


def test_each_death_takes_less_at_once_and_only_what_is_suspect(path):
    sizes = []
    for _ in range(limits.POISON_DEATHS):
        die(path, 500, Span(LOG, 0, 10))
        hand = born(path)
        sizes.append(hand.records_max)
        assert hand.may_take(LOG)
        assert not hand.may_take(OTHER)
        assert not hand.is_condemned  # it was never alone
    assert sizes == [31, 1, 1, 1]


def test_one_that_was_alone_is_condemned_after_enough_deaths(path):
    for deaths in range(1, limits.POISON_DEATHS + 1):
        die(path, 1, Span(LOG, 0, 10))
        assert born(path).is_condemned == (deaths == limits.POISON_DEATHS)


@pytest.mark.parametrize("places", [{LOG: 10}, {OTHER: 0}, {}])
def test_what_is_passed_or_gone_is_suspect_no_more(path, places):
    for _ in range(limits.POISON_DEATHS):
        die(path, 1, Span(LOG, 0, 10))
    hand = born(path)
    hand.forget_passed({LOG: 9})
    assert hand.is_condemned
    hand.forget_passed(places)
    assert (hand.is_cautious, hand.is_condemned, hand.records_max) == (False, False, limits.BATCH_RECORDS_MAX)


def test_deaths_are_counted_on_through_the_parts_of_what_was_suspect(path):
    die(path, 500, Span(LOG, 0, 100), Span(REPLAYS, 1, 2))
    die(path, 31, Span(LOG, 50, 60))
    hand = born(path)
    assert hand.records_max == 1
    assert not hand.may_take(REPLAYS)


@pytest.mark.parametrize("error", [StoreError("busy"), OSError("disk")])
def test_an_error_of_the_store_is_nobody_s_fault(path, error):
    with pytest.raises(type(error)), born(path).noted([Span(LOG, 0, 10)], 1):
        raise error
    assert not born(path).is_cautious


def test_any_other_error_that_ends_the_process_makes_suspect(path):
    with pytest.raises(ZeroDivisionError), born(path).noted([Span(LOG, 0, 10)], 1):
        raise ZeroDivisionError
    assert born(path).is_cautious


@pytest.mark.parametrize("text", [b"", b"\0" * 50, b'{"spans": 1}', b'{"spans":[[1,2]],"records":1,"deaths":0}', b"{"])
def test_a_note_that_cannot_be_read_says_nothing(path, text):
    path.write_bytes(text)
    assert not born(path).is_cautious


def test_a_shorter_note_leaves_nothing_of_a_longer_one(path):
    die(path, 500, *(Span(LOG, number, number + 1) for number in range(100)))
    with born(path).noted([Span(LOG, 0, 10)], 1):
        pass
    assert path.read_bytes().strip() == b""
