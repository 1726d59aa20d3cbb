"""Words to search by, browsers, and remembering within a bound."""

from hypothesis import given
from hypothesis import strategies as st

from catchall.core import limits
from catchall.core.memo import Memo
from catchall.core.user_agents import Agent, agent_of
from catchall.core.words import words_of


def test_letters_and_digits_make_words():
    assert words_of("shop.cart_total: ValueError('x1') — x1, “ok”") == [
        "shop",
        "cart",
        "total",
        "valueerror",
        "x1",
        "ok",
    ]
    assert words_of("日本語、エラー हिन्दी Ünïcode") == ["日本語", "エラー", "हिन्दी", "ünïcode"]
    assert words_of("a\0b\x1cc") == ["a", "b", "c"]


@given(st.text(max_size=300))
def test_words_of_words_are_the_same(text):
    words = words_of(text)
    assert words_of(" ".join(words)) == words
    assert len(words) == len(set(words))


def test_words_have_limits():
    many = words_of(" ".join(str(number) for number in range(10_000)))
    assert len(many) == limits.SEARCH_TOKENS_MAX
    assert words_of("x" * 500) == ["x" * limits.SEARCH_TOKEN_CHARS_MAX]


def test_browsers_systems_and_devices():
    phone = (
        "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36"
    )
    assert agent_of(phone) == Agent("Chrome Mobile 120", "Android 14", "SM-S918B")
    tablet = "Mozilla/5.0 (iPad; CPU OS 17_2 like Mac OS X) AppleWebKit/605.1 Version/17.2 Mobile/15E148 Safari/604.1"
    assert agent_of(tablet).model == "iPad"
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
    assert agent_of(firefox) == Agent("Firefox 130", "Linux", "")
    assert agent_of("curl/8.5.0").browser == "curl 8"
    assert agent_of("") == Agent()


@given(st.text(max_size=100))
def test_any_header_has_an_answer(header):
    agent_of(header)


def test_the_oldest_answers_make_room():
    memo: Memo[int, str] = Memo(3)
    for number in range(5):
        memo.put(number, str(number))
    assert len(memo) == 3
    assert [memo.get(number) for number in range(5)] == [None, None, "2", "3", "4"]
    memo.put(4, "new")
    assert (memo.get(4), len(memo)) == ("new", 3)
