"""What may be changed of projects and keys, and within which bounds: the same for every store."""

from collections.abc import Mapping
from typing import Final

from catchall.core.errors import StoreError
from catchall.core.limits import NAME_CHARS_MAX, ORIGINS_PER_KEY_MAX

KEY_DIGITS: Final = 32
NUMBER_MAX: Final = 2**31 - 1

PROJECT_FIELDS: Final[dict[str, type]] = {
    "name": str,
    "slug": str,
    "platform": str,
    "retention_days": int,
    "rate_limit_per_minute": int,
    "keep_user_ids": bool,
    "keep_addresses": bool,
}
KEY_FIELDS: Final[dict[str, type]] = {
    "label": str,
    "disabled": bool,
    "origins": list,
    "rate_limit_per_minute": int,
    "urgent": bool,
}
_NOT_EMPTY: Final = frozenset({"name", "slug"})
_HEX: Final = frozenset("0123456789abcdef")


def check_fields(changes: Mapping[str, object], fields: Mapping[str, type], what: str) -> None:
    """Raises StoreError for a field that cannot be changed, and for a value that does not fit; it names the field."""
    for name, value in changes.items():
        if name not in fields:
            raise StoreError(f"{name} of a {what} cannot be changed; these can: {', '.join(fields)}")
        if type(value) is not fields[name]:
            raise StoreError(f"{name} of a {what} is of type {fields[name].__name__}, not {type(value).__name__}")
        problem = _problem(name, value)
        if problem:
            raise StoreError(f"{name} of a {what} {problem}")


def _problem(name: str, value: object) -> str:
    if isinstance(value, str):
        if not value.strip() and name in _NOT_EMPTY:
            return "is empty"
        return _text_problem(value)
    if isinstance(value, list):
        if len(value) > ORIGINS_PER_KEY_MAX:
            return f"are {ORIGINS_PER_KEY_MAX} at most, not {len(value)}"
        if not all(isinstance(one, str) for one in value):
            return "are texts"
        return next((problem for one in value if (problem := _text_problem(one))), "")
    if isinstance(value, int) and not 0 <= value <= NUMBER_MAX:
        return f"is a number from 0 to {NUMBER_MAX}"
    return ""


def _text_problem(text: str) -> str:
    if len(text) > NAME_CHARS_MAX:
        return f"has {NAME_CHARS_MAX} characters at most, not {len(text)}"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "is not text: it holds half of a surrogate pair"
    return ""


def check_key(key: str) -> None:
    """Raises StoreError when this is not a DSN's key."""
    if len(key) != KEY_DIGITS or not _HEX.issuperset(key):
        raise StoreError(f"a key is {KEY_DIGITS} hex digits in lower case")
