"""The words that make a name secret: the denylist of keys, as RE2 patterns without boundaries.

The same patterns serve twice: on a key they say which rule applies (keys.py checks what stands around the word), and
in raw JSON they are the screen, which asks for nothing around them and so finds at least as much (screen.py).
Names follow what the OWASP logging cheat sheet says must not be logged, and what the clients' own scrubbers list.
"""

from enum import Enum
from typing import NamedTuple


class Place(Enum):
    """Where in a key a term counts. In what follows it, some words keep it secret (FOLLOWERS), others do not."""

    ANYWHERE = 0  # `userpasswordold`
    TAIL = 1  # ends a word: `authtoken`, `token_id`; not `tokenizer`, `token_type`
    WORD = 2  # is a word of its own: `user_session`; not `obsession`
    PHRASE = 3  # is a word of its own, whatever follows: a project's own names
    ALONE = 4  # is the whole key


class Term(NamedTuple):
    """A secret word. `core`: RE2, letter case ignored, separators optional; `rule`: the name that masks carry.

    `unless`: followed by this (lower case) it is another word.
    """

    rule: str
    core: bytes
    place: Place
    unless: bytes = b""


PROJECT_RULE = "project"
SEPARATOR = rb"[-_. ]?"
TEXT_SEPARATOR = rb"[-_ ]?"  # in a text `session.id` is the id of a session: names there end at a dot


def _term(rule: str, core: str, place: Place, unless: bytes = b"") -> Term:
    return Term(rule, core.encode().replace(b"~", SEPARATOR), place, unless)


# In `core`, "~" is an optional separator.
TERMS: tuple[Term, ...] = (
    _term("password", "pass~wor[dt]|passwd|pass~phrase|pass~code|kennwort", Place.ANYWHERE),
    _term("password", "pwd", Place.TAIL),
    _term("password", "pass", Place.WORD),
    _term("secret", "secret", Place.ANYWHERE, unless=b"ar"),  # secretary
    _term("credentials", "credential|connection~string", Place.ANYWHERE),
    _term("api_key", "(?:api|access|app|application)~keys?", Place.TAIL),
    _term(
        "private_key", "(?:private|secret|encryption|signing|ssh|auth|account|master|shared|license)~keys?", Place.TAIL
    ),
    _term("private_key", "(?:subscription|deploy|consumer|functions)~key", Place.TAIL),
    _term("csrf", "csrf|xsrf", Place.TAIL),
    _term("session", "sess(?:ion)?~id", Place.ANYWHERE),
    _term("session", "sess(?:ion)?", Place.WORD),
    _term("session", "connect[.]sid|sid", Place.ALONE),
    _term("authorization", "authori[sz]ation", Place.ANYWHERE),
    _term("authorization", "auth", Place.ALONE),
    _term("token", "token|(?:access|refresh|auth|api|session|bearer|id)~tokens", Place.TAIL),
    _term("token", "jwt|bearer", Place.WORD),
    _term("token", "tokens", Place.ALONE),
    _term("cookie", "cookies?", Place.TAIL),
    _term("card", "(?:credit|debit|bank|payment)~cards?|card~(?:number|num|no)", Place.TAIL),
    _term("card", "card", Place.WORD),
    _term("card", "cc|pan|cc~num(?:ber)?", Place.ALONE),
    _term("card_code", "cvv|cvc|csc|security~code", Place.WORD),
    _term("pin", "otp|totp|pin~code|one~time~code", Place.WORD),
    _term("pin", "pin", Place.ALONE),
    _term("ssn", "ssn", Place.WORD),
    _term("ssn", "social~security", Place.ANYWHERE),
    _term("iban", "iban", Place.WORD),
)

# After a term, these words leave it what it is: `token_value`, `session_id`, `passwordHash2`.
FOLLOWERS = frozenset(
    (
        "id", "ids", "value", "values", "val", "key", "keys", "string", "str", "hash", "hashed", "data", "number",
        "num", "no", "nr", "raw", "header", "headers", "secret", "base64", "b64", "encoded", "plain", "text",
        "plaintext", "encrypted", "old", "new", "previous", "current", "confirm", "confirmation", "input", "field",
        "env", "var", "cookie", "cookies", "token", "code", "bytes", "jar", "payload", "content", "param", "live",
        "test", "prod", "production", "staging", "dev", "pair",
    )
)  # fmt: skip

# A name that ends so tells about the secret, not the secret itself: `password_length`, `csrf_version`.
HARMLESS_ENDS = frozenset(
    (
        "version", "count", "length", "len", "size", "type", "kind", "enabled", "disabled", "required", "policy",
        "strength", "algorithm", "status", "valid", "exists", "expired", "expires", "expiry", "at", "date", "ttl",
    )
)  # fmt: skip
# What an object or list under these names holds is mostly harmless: it is walked, not masked whole.
LOOSE_RULES = frozenset(("session", "card"))


def project_terms(names: tuple[str, ...]) -> tuple[Term, ...]:
    """A project's own key names as terms: `Kunden-Nr` masks `kunden_nr`, `kundenNr` and `x_kunden_nr_alt`."""
    return tuple(Term(PROJECT_RULE, core, Place.PHRASE) for name in names if (core := _core_of(name)))


def _core_of(name: str) -> bytes:
    """Letters and digits as they are, anything else an optional separator; empty when there is no letter or digit."""
    letters = b"".join(
        bytes((byte,)) if byte >= 0x80 or chr(byte).isalnum() else b" " for byte in name.encode("utf-8", "replace")
    )
    return SEPARATOR.join(letters.split())
