"""JSON values of the wrong type made into the right one, keeping as much as possible. For every protocol."""

import math

from catchall.wire.json_text import Json, encode

_INTEGER_MAX = 2**53  # what every client's numbers hold exactly
_DIGITS_MAX = 16
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off", ""})


def text(value: Json) -> str:
    """A text for any JSON value: null is empty, numbers as written, objects and lists as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return encode(value).decode()


def integer(value: Json) -> int | None:
    """A whole number from 0 on for a number or a text of digits, else None."""
    if isinstance(value, str):
        digits = value.strip()
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < _DIGITS_MAX else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value) if 0 <= value <= _INTEGER_MAX else None


def boolean(value: Json) -> bool | None:
    """A truth for a bool, a number or one of the usual words, else None."""
    if isinstance(value, bool | int | float):
        return bool(value)
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else None
    return None


def mapping(value: Json) -> dict[str, Json]:
    """An object; also from a list of [key, value] pairs or of {"key": ..., "value": ...}. Anything else is empty."""
    if isinstance(value, dict):
        return value
    found: dict[str, Json] = {}
    for one in value if isinstance(value, list) else ():
        if isinstance(one, list) and len(one) == 2:
            found[text(one[0])] = one[1]
        elif isinstance(one, dict) and "key" in one:
            found[text(one["key"])] = one.get("value")
    return found


def listing(value: Json) -> list[Json]:
    """A list; also from {"values": [...]}, and from a single object. Anything else is empty."""
    if isinstance(value, dict):
        if "values" not in value:
            return [value] if value else []
        value = value["values"]
    return value if isinstance(value, list) else []
