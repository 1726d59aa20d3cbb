"""A dictionary makes payloads small, and holds nothing that only one user was seen with."""

import msgspec
import pytest
import zstandard

from catchall.core.limits import DICTIONARY_ANONYMOUS_MIN, DICTIONARY_USERS_MIN
from catchall.store.sqlite.payloads import pack
from catchall.store.sqlite.tokens import tag_text
from catchall.store.sqlite.training import Sample, is_better, mask, train


def sample(
    number: int, *, user: str = "", issue: int = 1, tags: tuple[tuple[str, str], ...] = (), **fields: object
) -> Sample:
    body = {"event_id": f"{number:032x}", "number": 4_000_000 + number, **fields}
    return Sample(pack(tag_text(tags)[0], msgspec.json.encode([body, []])), user, issue)


def masked(samples: list[Sample]) -> bytes:
    return b"".join(mask(samples))


def test_what_many_users_share_stays_and_what_one_was_seen_with_goes():
    samples = [
        sample(number, user=f"u{number}", tags=(("region", "eu-1"), ("mail", f"person{number}@example.com")),
               message=f"cannot pay order {number + 1000}")
        for number in range(DICTIONARY_USERS_MIN)
    ]  # fmt: skip
    text = masked(samples)
    assert b"cannot pay order " in text
    assert b"region\x1deu-1" in text
    for number in range(DICTIONARY_USERS_MIN):
        assert f"person{number}".encode() not in text
        assert str(number + 1000).encode() not in text
        assert str(4_000_000 + number).encode() not in text


def test_one_user_with_many_events_shares_with_nobody():
    samples = [sample(number, user="alice", issue=number, secret="alice's own street 5") for number in range(200)]
    assert b"street" not in masked(samples)


def test_a_value_of_one_user_and_of_events_without_user_goes():
    samples = [
        sample(number, user="alice" if number == 0 else "", issue=number, secret="street 5") for number in range(200)
    ]
    assert b"street" not in masked(samples)


@pytest.mark.parametrize(("events", "issues", "stays"), [
    (DICTIONARY_ANONYMOUS_MIN, 2, True),
    (DICTIONARY_ANONYMOUS_MIN - 1, 2, False),
    (DICTIONARY_ANONYMOUS_MIN, 1, False),
])  # fmt: skip
def test_without_users_many_events_of_several_issues_count(events, issues, stays):
    samples = [sample(number, issue=number % issues, message="connection lost") for number in range(events)]
    assert (b"connection lost" in masked(samples)) is stays


def test_keys_are_masked_like_values():
    samples = [
        sample(number, user=f"u{number}", extra={f"key of person{number}": 1, "attempt": 2}) for number in range(20)
    ]
    text = masked(samples)
    assert b"attempt" in text
    assert b"person1" not in text


def test_a_body_that_nests_deeply_or_is_none_is_left_out_or_cut():
    deep = b"[" * 900 + b'"street"' + b"]" * 900
    samples = [Sample(pack("", body), f"u{number}", 1) for number in range(9) for body in (deep, b"{broken")]
    assert b"street" not in masked(samples)


def test_a_dictionary_halves_the_payloads_and_keeps_no_secret():
    samples = [
        sample(number, user=f"u{number % 50}", issue=number % 7, secret=f"secret{number % 50}street",
               message=f"cannot pay order {number} of customer {number * 7}", service_name="shop-backend",
               headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"},
               crumbs=[{"category": "query", "message": f"SELECT cart.id FROM carts WHERE cart.id = {number}"}])
        for number in range(1200)
    ]  # fmt: skip
    made = train(samples)
    assert made is not None
    assert b"street" not in made
    assert is_better(made, None, samples[:100])
    assert not is_better(made, zstandard.ZstdCompressionDict(made), samples[:100])
    plain = zstandard.ZstdCompressor(level=3)
    trained = zstandard.ZstdCompressor(level=3, dict_data=zstandard.ZstdCompressionDict(made))
    assert sum(len(trained.compress(one.packed)) for one in samples) < 0.5 * sum(
        len(plain.compress(one.packed)) for one in samples
    )


def test_too_few_events_make_no_dictionary():
    assert train([sample(1, user="u")]) is None
