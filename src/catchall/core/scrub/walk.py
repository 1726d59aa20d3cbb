"""The walk: a JSON value taken apart, every secret in it masked. Exact and slow: the screen says where it is needed."""

import json
from math import isfinite
from typing import Any

import msgspec

from catchall.core import limits
from catchall.core.scrub.cookies import cookie_values
from catchall.core.scrub.keys import KeyRules
from catchall.core.scrub.nothing import is_nothing
from catchall.core.scrub.terms import LOOSE_RULES
from catchall.core.scrub.text import TextRules, mask_of

TOO_DEEP = "too_deep"
UNREADABLE = "unreadable"

_COOKIE = "cookie"
_SHORTEST_SECRET = 15  # letters, digits and "_" alone: no shape of values.py that is made of them is shorter

_decode = msgspec.json.Decoder().decode


class Marks:
    """What was masked: (rule, path) -> how often. Beyond the limit a mark is counted for its rule, without a path."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}

    def add(self, rule: str, path: str, count: int = 1) -> None:
        """Count masked places."""
        mark = (rule, path)
        if mark not in self.counts and len(self.counts) >= limits.SCRUBBED_MARKS_MAX:
            mark = (rule, "")
        self.counts[mark] = self.counts.get(mark, 0) + count


class Walk:
    """Masks values by the rules of a project."""

    def __init__(self, keys: KeyRules, texts: TextRules) -> None:
        self._rule_of = keys.rule_of
        self._is_identifier = keys.is_identifier
        self._mask_text = texts.mask

    def json(self, raw: bytes, path: str, marks: Marks, *, texts: bool = True) -> bytes:
        """JSON text, masked. `texts` False: only values with secret keys. What is no JSON is masked whole."""
        return msgspec.json.encode(self.value(self._read(raw, path, marks), path, marks, texts=texts))

    def _read(self, raw: bytes, path: str, marks: Marks) -> Any:
        try:
            return _decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._read_odd(raw, path, marks)
        except RecursionError:
            marks.add(TOO_DEEP, path)
            return mask_of(TOO_DEEP)

    def _read_odd(self, raw: bytes, path: str, marks: Marks) -> Any:
        """JSON with half a surrogate pair, bytes that are no UTF-8 ("?", U+FFFD) or numbers beyond a float (text)."""
        try:
            value = json.loads(raw.decode("utf-8", "replace"), parse_float=_float)
            return _decode(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError, msgspec.DecodeError):
            marks.add(UNREADABLE, path)
            return mask_of(UNREADABLE)

    def text(self, text: str, path: str, marks: Marks, *, source: bool = False, identifier: bool = False) -> str:
        """A text, masked. `source`, `identifier`: see `TextRules.mask`."""
        masked = self._mask_text(text, source=source, identifier=identifier)
        if masked is None:
            return text
        for rule in masked[1]:
            marks.add(rule, path)
        return masked[0]

    def value(self, value: Any, path: str, marks: Marks, *, texts: bool = True, depth: int = 0) -> Any:
        """A decoded JSON value, masked; lists and objects are changed in place."""
        if isinstance(value, str):
            return self.text(value, path, marks) if texts else value
        if isinstance(value, dict):
            if depth < limits.SCRUB_DEPTH_MAX:
                return self._object(value, path, marks, texts=texts, depth=depth + 1)
        elif not isinstance(value, list):
            return value
        elif depth < limits.SCRUB_DEPTH_MAX:
            for index, item in enumerate(value):
                if texts or isinstance(item, dict | list):
                    value[index] = self.value(item, below(path, str(index)), marks, texts=texts, depth=depth + 1)
            return value
        marks.add(TOO_DEEP, path)
        return mask_of(TOO_DEEP)

    def _object(
        self, value: dict[str, Any], path: str, marks: Marks, *, texts: bool, depth: int, within: str = ""
    ) -> dict[str, Any]:
        """`within`: the name of the object, when it makes `number` a card's and `id` a session's."""
        names: dict[str, str] = self._masked_keys(value, path, marks) if texts else {}
        for key, item in value.items():
            rule = self._rule_of(key) or (within and self._rule_of(f"{within} {key}"))
            if rule and _holds(item):
                inner = below(path, names.get(key, key))
                value[key] = self._secret(item, key, rule, inner, marks, texts=texts, depth=depth)
            elif isinstance(item, str):
                if texts:
                    inner = below(path, names.get(key, key))
                    value[key] = self.text(item, inner, marks, identifier=self._is_identifier(key))
            elif isinstance(item, dict | list):
                value[key] = self.value(item, below(path, names.get(key, key)), marks, texts=texts, depth=depth)
        return {names.get(key, key): item for key, item in value.items()} if names else value

    def _secret(self, value: Any, key: str, rule: str, path: str, marks: Marks, *, texts: bool, depth: int) -> Any:
        """What stands for a value under a secret name."""
        if isinstance(value, dict | list) and rule in LOOSE_RULES:
            if isinstance(value, dict) and depth < limits.SCRUB_DEPTH_MAX:
                return self._object(value, path, marks, texts=texts, depth=depth + 1, within=key)
            return self.value(value, path, marks, texts=texts, depth=depth)
        if isinstance(value, str) and rule == _COOKIE and ("=" in value or mask_of("")[:-1] in value):
            return self._cookies(value, path, marks)
        marks.add(rule, path)
        return mask_of(rule)

    def _cookies(self, text: str, path: str, marks: Marks) -> str:
        pieces: list[str] = []
        at = 0
        for start, end in cookie_values(text):
            pieces += (text[at:start], mask_of(_COOKIE))
            marks.add(_COOKIE, path)
            at = end
        pieces.append(text[at:])
        return self.text("".join(pieces), path, marks)

    def _masked_keys(self, value: dict[str, Any], path: str, marks: Marks) -> dict[str, str]:
        """`{"jane@example.com": 3}`: the key itself is the secret. Keys that become the same are numbered."""
        names: dict[str, str] = {}
        seen: dict[str, int] = {}
        for key in value:
            if len(key) < _SHORTEST_SECRET and key.isidentifier():
                continue
            masked = self._mask_text(key)
            if masked is not None:
                name = masked[0]
                seen[name] = seen.get(name, 0) + 1
                names[key] = name if seen[name] == 1 else f"{name} {seen[name]}"
                marks.add(masked[1][0], path)
        return names


def _float(text: str) -> float | str:
    number = float(text)
    return number if isfinite(number) else text


def _holds(value: Any) -> bool:
    """Whether a value under a secret key can be a secret."""
    if isinstance(value, str):
        return not is_nothing(value)
    return bool(value) if isinstance(value, dict | list) else value is not None and not isinstance(value, bool)


def below(path: str, key: str) -> str:
    """The path of what a key holds, within the limit."""
    if len(path) > limits.KEY_CHARS_MAX:
        return path
    return f"{path}.{key[: limits.KEY_CHARS_MAX]}" if path else key[: limits.KEY_CHARS_MAX]
