"""The words of a search, as people type them into a box or an address."""

from catchall.core.limits import QUERY_WORDS_MAX


def split_words(text: str) -> tuple[str, ...]:
    """Lower-case words, bounded."""
    return tuple(text.lower().split()[:QUERY_WORDS_MAX])
