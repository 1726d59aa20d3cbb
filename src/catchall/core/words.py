"""What a word is: the same for an event's text and for the text that somebody searches.

Letters and digits make words, everything else separates them: `shop.cart_total` is three words, `ValueError` one.
Words are lower case. Scripts written without blanks stay together as one word.
"""

import unicodedata

from catchall.core import limits

_WORD_BYTES = bytes(
    code if code >= 0x80 or chr(code).isalnum() else 0x20
    for code in range(256)
)  # fmt: skip


def words_of(text: str) -> list[str]:
    """The words of a text, each once, in order of appearance, within the limits of the search index."""
    text = text[: limits.SEARCH_TEXT_CHARS_MAX].lower()
    if text.isascii():
        plain = text.encode("ascii").translate(_WORD_BYTES).decode("ascii")
    else:
        plain = "".join([letter if _in_word(letter) else " " for letter in text])
    words = list(dict.fromkeys(plain.split()))
    if len(words) > limits.SEARCH_TOKENS_MAX:
        del words[limits.SEARCH_TOKENS_MAX :]
    if max(map(len, words), default=0) > limits.SEARCH_TOKEN_CHARS_MAX:
        words = list(dict.fromkeys([word[: limits.SEARCH_TOKEN_CHARS_MAX] for word in words]))
    return words


def _in_word(letter: str) -> bool:
    """Letters, digits, and the marks that some scripts write vowels with."""
    return letter.isalnum() or unicodedata.category(letter)[0] == "M"
