"""Which names of values are secret. `rule_of` answers for a key of a JSON object, a header, a variable."""

from functools import lru_cache

from catchall.core import limits
from catchall.core.scrub.patterns import Pattern, compile_bytes
from catchall.core.scrub.terms import FOLLOWERS, HARMLESS_ENDS, PROJECT_RULE, TERMS, Place, Term, project_terms

_IDENTIFIERS = frozenset(
    (
        "id",
        "ids",
        "uuid",
        "guid",
        "hash",
        "sha",
        "sha1",
        "sha256",
        "md5",
        "etag",
        "digest",
        "commit",
        "version",
        "trace",
    )
)
_MASKED = b"[masked:"  # a key that was a secret itself
_LAST_WORD_CHARS = 32  # enough of a key to see its last word


class KeyRules:
    """The denylist with a project's own names added."""

    def __init__(self, names: tuple[str, ...] = ()) -> None:
        terms = TERMS + project_terms(names)
        self.cores = b"|".join(term.core for term in terms)
        self._any = compile_bytes(b"(?i)(?:" + self.cores + b")")
        self._terms = [(compile_bytes(b"(?i)(?:" + term.core + b")"), term) for term in terms]
        self._remembered = lru_cache(limits.KEYS_REMEMBERED_MAX)(self._judge)

    def rule_of(self, key: str) -> str:
        """The rule that makes this key's value secret; empty when it is not."""
        if len(key) > limits.KEY_CHARS_MAX:
            return self._judge(key)
        return self._remembered(key)

    def is_identifier(self, key: str) -> bool:
        """Whether a key names an id, a hash or a version: digits under it are no card, whatever they add up to."""
        return _last_word(key) in _IDENTIFIERS

    def _judge(self, key: str) -> str:
        data = key.encode("utf-8", "replace")
        if self._any.search(data) is None or data.startswith(_MASKED):
            return ""
        text = data.decode("latin-1")  # one character for each byte: offsets stay true
        rule = self._first(data, text)
        if rule and rule != PROJECT_RULE and _last_word(text) in HARMLESS_ENDS:
            return ""
        return rule

    def _first(self, data: bytes, text: str) -> str:
        for pattern, term in self._terms:
            if _counts(pattern, term, data, text):
                return term.rule
        return ""


def _counts(pattern: Pattern, term: Term, data: bytes, text: str) -> bool:
    """Whether a term stands in a key at the place where it counts."""
    if term.place is Place.ALONE:
        return pattern.fullmatch(data) is not None
    for found in pattern.finditer(data):
        start, end = found.span()
        if term.unless and data[end : end + len(term.unless)].lower() == term.unless:
            continue
        if term.place is Place.ANYWHERE:
            return True
        if not word_ends(text, end) or (term.place is not Place.TAIL and not word_starts(text, start)):
            continue
        if term.place is Place.PHRASE or _stays_secret(text[end:]):
            return True
    return False


def word_starts(text: str, at: int) -> bool:
    """Whether a word begins here: after a separator or digit, or at a hump (`userToken`, `HTTPToken`)."""
    if at == 0 or not _is_letter(text[at - 1]):
        return True
    return text[at].isupper() and (text[at - 1].islower() or text[at + 1 : at + 2].islower())


def word_ends(text: str, at: int) -> bool:
    """Whether a word ends before this place."""
    return at >= len(text) or word_starts(text, at) or not _is_letter(text[at])


def _is_letter(letter: str) -> bool:
    """Whether it belongs to a word. What is beyond ASCII does: where words of other scripts end is not ours to say."""
    return letter.isalpha() or letter >= "\x80"


def _stays_secret(rest: str) -> bool:
    """Whether what follows a term says nothing else than the term does."""
    return all(word in FOLLOWERS or word.isdigit() for word in split_words(rest))


def _last_word(name: str) -> str:
    words = split_words(name[-_LAST_WORD_CHARS:])
    return words[-1] if words else ""


def split_words(name: str) -> list[str]:
    """The words of a name in snake, kebab, dotted or camel case, lower case; digits are words of their own."""
    spaced = []
    for at, letter in enumerate(name):
        if not letter.isalnum():
            spaced.append(" ")
            continue
        turns = letter.isdigit() != name[at - 1 : at].isdigit()
        if turns or (letter.isupper() and word_starts(name, at)):
            spaced.append(" ")
        spaced.append(letter.lower())
    return "".join(spaced).split()


@lru_cache(limits.SCREENS_REMEMBERED_MAX)
def key_rules(names: tuple[str, ...] = ()) -> KeyRules:
    """The rules for a project's list of own names; compiled once for each list."""
    return KeyRules(names)
