"""Slugs are short, plain and free."""

from hypothesis import given
from hypothesis import strategies as st

from catchall.core.slug import SLUG_CHARS_MAX, slug_of


def test_words_are_joined_and_accents_dropped() -> None:
    assert slug_of("Café  Zürich / API", ()) == "cafe-zurich-api"


def test_a_taken_slug_gets_the_next_number() -> None:
    assert slug_of("Shop", {"shop", "shop-2"}) == "shop-3"


@given(st.text())
def test_any_name_gives_a_plain_slug(name: str) -> None:
    slug = slug_of(name, ())
    assert slug and slug.isascii() and len(slug) <= SLUG_CHARS_MAX
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
