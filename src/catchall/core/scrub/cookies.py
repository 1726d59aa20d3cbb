"""Cookie headers: the names stay, the values go, but for words that cannot be a secret."""

from catchall.core.scrub.nothing import is_nothing

# RFC 6265, section 4.1, and what browsers added: attributes of Set-Cookie, no cookies.
_ATTRIBUTES = frozenset(
    ("path", "domain", "expires", "max-age", "samesite", "secure", "httponly", "priority", "partitioned", "version")
)
_MASK = "[masked:"
_WORD_CHARS_MAX = 10  # "dark", "en", "accepted": shorter than any secret, and letters only
_DIGITS_MAX = 3


def cookie_values(text: str) -> list[tuple[int, int]]:
    """The places of the values to mask in `name=value; name=value`. What has no name is masked whole."""
    spans = []
    at = 0
    for part in text.split(";"):
        name, joint, value = part.partition("=")
        start = at + len(name) + len(joint) if joint else at
        stripped = value.strip() if joint else part.strip()
        start += len(value if joint else part) - len((value if joint else part).lstrip())
        if stripped and not _is_harmless(name.strip().lower(), stripped):
            spans.append((start, start + len(stripped)))
        at += len(part) + 1
    return spans


def _is_harmless(name: str, value: str) -> bool:
    if name in _ATTRIBUTES or is_nothing(value) or (_MASK in value and value.endswith("]")):
        return True
    if value.isascii() and value.isalpha():
        return len(value) <= _WORD_CHARS_MAX
    return value.isdigit() and len(value) <= _DIGITS_MAX
