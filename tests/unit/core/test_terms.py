"""The first search form: words, fields, tags."""

import pytest

from catchall.core import limits
from catchall.core.query.terms import QueryError, parse_terms


def test_words_fields_and_tags_are_told_apart() -> None:
    terms = parse_terms('Timeout release:"shop 1.2" is:resolved region:eu-1 http://x')
    assert terms.words == ("timeout", "http://x")
    assert terms.fields == {"release": "shop 1.2", "state": "resolved"}
    assert terms.tags == (("region", "eu-1"),)


def test_an_open_quote_is_an_error_that_says_so() -> None:
    with pytest.raises(QueryError, match="quote"):
        parse_terms('release:"shop')


def test_a_search_has_a_bound() -> None:
    with pytest.raises(QueryError, match=str(limits.QUERY_CHARS_MAX)):
        parse_terms("a" * (limits.QUERY_CHARS_MAX + 1))
