"""Text as tokens of the index, and back."""

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from catchall.store.sqlite.schema import index_table
from catchall.store.sqlite.tokens import SEPARATOR, event_document, shown, tag_range, tag_text, tags_in
from catchall.store.terms import tag_of
from tests.support.rows import row

TEXT = st.text(st.characters(exclude_categories=[]), max_size=20)
TAGS = st.lists(st.tuples(TEXT, TEXT), max_size=5)


@given(TAGS)
def test_tags_come_back_from_their_text_as_they_are_stored(tags):
    text, stored = tag_text(tags)
    assert tags_in(text) == list(stored) == [tag_of(key, value) for key, value in tags]


@given(TAGS, TEXT, TEXT)
def test_every_tag_is_one_token_that_shows_its_value(tags, key, value):
    tags.append((key, value))
    index = sqlite3.connect(":memory:")
    index.execute(index_table())
    index.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab(token, row)")
    document = event_document(row(1, text=""), tag_text(tags)[0])
    index.execute("INSERT INTO token (rowid, tokens) VALUES (1, ?)", (document,))
    terms = [term for (term,) in index.execute("SELECT term FROM vocabulary WHERE term >= 't' AND term < 'u'")]
    assert len(terms) == len({tag_of(*tag) for tag in tags})
    start, end = tag_range(1, key)
    values = [shown(term[len(start) :]) for term in terms if start <= term < end]
    assert sorted(values) == sorted(
        {stored for name, stored in (tag_of(*tag) for tag in tags) if name == tag_of(key, "")[0]}
    )
    index.close()


@given(TEXT, TEXT)
def test_no_text_adds_a_token_of_another_kind_or_project(text, value):
    document = event_document(row(1, text=text, environment=value, user_id=value), tag_text([(text, value)])[0])
    kinds = {"i7": 1, "p1": 1}
    for token in document.replace("\0", SEPARATOR).split(SEPARATOR):
        head = token.split("\x1d")[0]
        assert head in kinds or head in {"v1", "e1", "r1", "u1", "w1", "t1"}
