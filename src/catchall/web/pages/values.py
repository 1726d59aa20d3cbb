"""Raw JSON (locals, extra data, bodies) as lines that people can read."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from catchall.core.limits import PAGE_VALUE_CHARS_MAX

SHORT_CHARS = 120
MASK = "[masked"  # how the scrubbing step begins what it puts in place of a value
LINES_SHOWN_AT_ONCE = 12


@dataclass(frozen=True, slots=True)
class Value:
    """One named value. `kind`: text, number, word (true, false, null) or tree (several lines of JSON)."""

    name: str
    text: str
    kind: str
    is_cut: bool = False

    @property
    def is_masked(self) -> bool:
        """Whether a scrub rule replaced it."""
        return self.kind == "text" and self.text.startswith(MASK) and self.text.endswith("]")

    @property
    def is_long(self) -> bool:
        """Whether it is folded at first."""
        return self.text.count("\n") >= LINES_SHOWN_AT_ONCE or len(self.text) > LINES_SHOWN_AT_ONCE * SHORT_CHARS


def fields_of(raw: bytes) -> list[Value]:
    """The members of a JSON object, or one nameless value for anything else. Raises msgspec.DecodeError."""
    decoded = msgspec.json.decode(raw)
    if isinstance(decoded, dict):
        return [value_of(str(name), value) for name, value in decoded.items()]
    return [value_of("", decoded)]


def value_of(name: str, value: Any) -> Value:
    """One value, written."""
    kind, text = _written(value)
    if len(text) > PAGE_VALUE_CHARS_MAX:
        return Value(name, text[:PAGE_VALUE_CHARS_MAX], kind, is_cut=True)
    return Value(name, text, kind)


def _written(value: Any) -> tuple[str, str]:
    if isinstance(value, str):
        return "text", value
    if value is None or isinstance(value, bool):
        return "word", json.dumps(value)
    if isinstance(value, (int, float)):
        return "number", repr(value)
    short = json.dumps(value, ensure_ascii=False)
    if len(short) <= SHORT_CHARS:
        return "tree", short
    return "tree", json.dumps(value, ensure_ascii=False, indent=2)
