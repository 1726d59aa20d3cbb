"""Remembering answers, within a bound."""

from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Memo(Generic[Key, Value]):
    """Answers by key, `size_max` of them; the oldest make room. For pure functions whose arguments are large:
    `functools.lru_cache` would hash and keep them all, here a digest is enough.
    """

    def __init__(self, size_max: int) -> None:
        self.size_max = size_max
        self._known: dict[Key, Value] = {}
        self.get: Callable[[Key], Value | None] = self._known.get

    def put(self, key: Key, value: Value) -> None:
        """Remember an answer."""
        if len(self._known) >= self.size_max and key not in self._known:
            del self._known[next(iter(self._known))]
        self._known[key] = value

    def __len__(self) -> int:
        return len(self._known)
