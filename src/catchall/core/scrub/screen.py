r"""The screen: one pattern over raw JSON that says where there may be something to mask.

It is allowed to be wrong in one direction only: whatever the walk (walk.py) would mask, the screen hits. So it asks for
nothing around a secret, and for JSON's other spellings it simply hits: `\u0040` for "@", half a surrogate pair, a
TAB. Over clean events it costs about 2 ns a byte; walking all values costs 10 to 30 times that.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from catchall.core.scrub.named import ELEMENT_SCREEN, NAMED_SCREEN
from catchall.core.scrub.patterns import compile_bytes
from catchall.core.scrub.terms import SEPARATOR, TEXT_SEPARATOR, Place, Term
from catchall.core.scrub.values import VALUE_RULES

_ESCAPES = rb"\\u(?:00(?:09|2[0-57-9A-Fa-f]|[3-7])|[dD][89A-Fa-f])"  # 26, "&", is part of no secret's shape
_KEY_END = rb"[^\"]*(?:\\\"[^\"]*)*\"[ \t\r\n]*:"
_LIMIT = rb"(?:[^A-Za-z]|\\[bfnrt]|\\u[0-9A-Fa-f]{4})"  # before a word: anything but a letter, however it is spelled


class Screen:
    """The screen for one list of terms."""

    def __init__(self, terms: Sequence[Term]) -> None:
        in_keys = _names([term for term in terms if term.place is not Place.ALONE])
        in_texts = _names([term._replace(core=term.core.replace(SEPARATOR, TEXT_SEPARATOR)) for term in terms])
        in_texts = rb"%b(?:%b|%b)" % (in_texts, NAMED_SCREEN, ELEMENT_SCREEN)
        values = b"|".join((in_texts, _ESCAPES, *(b"(?:" + rule.screen + b")" for rule in VALUE_RULES)))
        alone = b"|".join(term.core for term in terms if term.place is Place.ALONE)
        whole_key = rb"\"(?i:%b)\"[ \t\r\n]*:" % alone
        self._search = compile_bytes(rb"%b%b|%b|%b" % (in_keys, _KEY_END, whole_key, values)).search
        self._search_texts = compile_bytes(values).search

    def hits(self, part: bytes) -> bool:
        """Whether there may be something to mask in this JSON."""
        return self._search(part) is not None

    def hits_texts(self, part: bytes) -> bool:
        """The same, apart from values whose JSON key is secret."""
        return self._search_texts(part) is not None

    def dirty(self, buffer: bytes, parts: Sequence[bytes]) -> list[int]:
        """The parts (by index) that may hold something. `buffer`: the parts joined by one byte, searched as one."""
        found = self._search(buffer)
        if found is None:
            return []
        ends = [end - 1 for end in accumulate([len(part) + 1 for part in parts])]
        hits = []
        while found is not None:
            index = bisect_right(ends, found.start())  # a hit that begins at the joint is the next part's
            if index >= len(ends):
                break
            hits.append(index)
            found = self._search(buffer, ends[index])  # the rest of this part needs no look: it is taken apart
        return hits


def _names(terms: Sequence[Term]) -> bytes:
    """A secret word within a name, with no more around it than keeps `account` from being a credit card."""
    free = b"|".join(term.core for term in terms if term.place in {Place.ANYWHERE, Place.TAIL, Place.PHRASE})
    words = b"|".join(term.core for term in terms if term.place in {Place.WORD, Place.ALONE})
    humps = b"|".join(_humps(term.core) for term in terms if term.place is Place.WORD)
    return rb"(?:(?i:%b)|%b(?i:%b)|%b)" % (free, _LIMIT, words, humps)


def _humps(core: bytes) -> bytes:
    """A word in the middle of a name, `userToken`: its first letter is a capital. The core has choices outside only."""
    return b"|".join(b"%b(?i:%b)" % (choice[:1].upper(), choice[1:]) for choice in core.split(b"|"))
