"""Who goes to the spill log: the greedy, only when all together are too many, and only until they calm down."""

from hypothesis import given
from hypothesis import strategies as st

from catchall.intake.lanes import FairShare
from catchall.queue.base import Lane

GREEDY, SMALL, OTHER = 1, 2, 3


def second_of(share: FairShare, second: int, **counts: int) -> dict[str, Lane]:
    """One second of traffic, in turns; the lane of each one's last request."""
    numbers = {"greedy": GREEDY, "small": SMALL, "other": OTHER}
    lanes: dict[str, Lane] = {}
    for turn in range(max(counts.values(), default=0)):
        for name, count in counts.items():
            if turn < count:
                lanes[name] = share.lane(numbers[name], second, urgent=False)
    return lanes


def test_while_all_is_calm_nobody_is_greedy():
    share = FairShare(per_second=100, window=10)
    for second in range(100):
        assert second_of(share, second, greedy=90, small=5) == {"greedy": Lane.NORMAL, "small": Lane.NORMAL}


def test_a_flood_goes_aside_within_its_second_and_the_others_stay():
    share = FairShare(per_second=100, window=10)
    lanes = second_of(share, 1, greedy=500, small=5)
    assert lanes == {"greedy": Lane.SPILL, "small": Lane.NORMAL}


def test_two_who_are_too_many_together_are_both_beyond_their_share():
    share = FairShare(per_second=100, window=10)
    for second in range(1, 20):
        lanes = second_of(share, second, greedy=90, other=80, small=2)
    assert lanes == {"greedy": Lane.SPILL, "other": Lane.SPILL, "small": Lane.NORMAL}


def test_the_greedy_come_back_when_they_have_calmed():
    share = FairShare(per_second=100, window=10)
    second_of(share, 1, greedy=5000)
    for second in range(2, 12):
        assert second_of(share, second, greedy=1) == {"greedy": Lane.SPILL}  # its window still holds the flood
    assert second_of(share, 13, greedy=1) == {"greedy": Lane.NORMAL}


def test_a_pause_longer_than_the_window_forgets_all():
    share = FairShare(per_second=100, window=10)
    second_of(share, 1, greedy=5000)
    assert second_of(share, 1000, greedy=1) == {"greedy": Lane.NORMAL}


def test_urgent_keys_are_urgent_whatever_their_project_sends():
    share = FairShare(per_second=10, window=10)
    second_of(share, 1, greedy=1000)
    assert share.lane(GREEDY, 1, urgent=True) is Lane.URGENT


def test_a_clock_that_goes_back_is_ignored():
    share = FairShare(per_second=100, window=10)
    second_of(share, 50, greedy=5000)
    assert second_of(share, 10, greedy=1) == {"greedy": Lane.SPILL}


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), max_size=300))
def test_the_sums_are_those_of_the_window(requests):
    share = FairShare(per_second=2, window=5)
    second = 0
    seen: list[tuple[int, int]] = []
    for step, project in requests:
        second += step
        share.lane(project, second, urgent=False)
        seen.append((second, project))
        if step:  # sums are made when a second begins, of those before it
            counted = [who for at, who in seen[:-1] if second - 5 <= at < second]
            assert share._sums == {who: counted.count(who) for who in set(counted)}
