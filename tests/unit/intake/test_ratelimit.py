"""The promise of a rate limit: in no 60 seconds more than the limit, and the wait that is told is enough."""

from hypothesis import given
from hypothesis import strategies as st

from catchall.core.errors import Reason
from catchall.intake.auth import KeyFacts
from catchall.intake.ratelimit import LocalCounter, RateLimiter, Refused, Window


def facts(key_id: int = 1, project_id: int = 1, *, key: int = 0, project: int = 0) -> KeyFacts:
    return KeyFacts(key_id, project_id, disabled=False, urgent=False, key_limit=key, project_limit=project, origins=())


@given(st.integers(1, 20), st.lists(st.floats(0, 30), max_size=200))
def test_no_sixty_seconds_hold_more_than_the_limit(limit, pauses):
    limiter = RateLimiter(LocalCounter())
    now = 1_000.0
    taken: list[float] = []
    for pause in pauses:
        now += pause
        if limiter.take(facts(key=limit), int(now)) is None:
            taken.append(now)
    for begin in taken:
        assert sum(begin <= at < begin + 60 for at in taken) <= limit


@given(st.integers(1, 10), st.lists(st.integers(0, 40), max_size=100))
def test_after_the_wait_one_more_fits_and_not_a_second_before(limit, pauses):
    limiter = RateLimiter(LocalCounter())
    second = 5_000
    for pause in pauses:
        second += pause
        refused = limiter.take(facts(key=limit), second)
        if refused is not None:
            assert 1 <= refused.seconds <= 61
            assert limiter.take(facts(key=limit), second + refused.seconds - 1) is not None
            second += refused.seconds
            assert limiter.take(facts(key=limit), second) is None


def test_a_limit_that_is_not_reached_refuses_nothing():
    limiter = RateLimiter(LocalCounter())
    assert all(limiter.take(facts(key=61), second) is None for second in range(1000))


def test_a_refused_request_counts_nowhere():
    limiter = RateLimiter(LocalCounter())
    both = facts(key=2, project=3)
    other = facts(2, key=5, project=3)
    assert [limiter.take(both, 0) for _ in range(2)] == [None, None]
    assert limiter.take(both, 0) == Refused(Reason.RATE_LIMITED_KEY, "key", 61)
    assert limiter.take(other, 0) is None  # the refused one is not in the project's three
    assert limiter.take(other, 0) == Refused(Reason.RATE_LIMITED_PROJECT, "project", 61)
    assert limiter.take(facts(3, 2, project=1), 0) is None


def test_the_answer_is_what_sdks_read():
    assert Refused(Reason.RATE_LIMITED_KEY, "key", 42).sentry_rate_limits() == b"42::key:rate_limited_key"


def test_a_clock_that_goes_back_lets_nothing_more_through():
    limiter = RateLimiter(LocalCounter())
    for second in (1000, 999, 500, 1000):
        limiter.take(facts(key=4), second)
    assert limiter.take(facts(key=4), 100) is not None


def test_the_table_is_bounded_and_the_idle_make_room():
    counter = LocalCounter(windows_max=10)
    limiter = RateLimiter(counter)
    for number in range(10):
        limiter.take(facts(number, key=1), 0)
    for number in range(10, 15):
        limiter.take(facts(number, key=1), 100)
        assert len(counter) <= 10
    assert limiter.take(facts(14, key=1), 100) is not None
    for number in range(1000):
        limiter.take(facts(number, key=1), 200)
        assert len(counter) <= 10


def test_unlimited_keys_are_not_counted():
    counter = LocalCounter()
    RateLimiter(counter).take(facts(), 0)
    assert len(counter) == 0


@given(st.lists(st.integers(0, 100), max_size=50))
def test_a_window_agrees_with_counting_by_hand(steps):
    window = Window(0)
    second = 0
    seconds: list[int] = []
    for step in steps:
        second += step
        window.add(second)
        seconds.append(second)
        assert window.total(second) == sum(second - 60 <= at <= second for at in seconds)
