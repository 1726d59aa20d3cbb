"""Names of releases: `shop@1.4.2-rc.1+88`, taken apart and put in order.

The form name@version+build is the one of Sentry's clients; versions are ordered as https://semver.org (section 11)
says when they are semantic, also with one, two or four numbers; other versions have no order of their own.
"""

from functools import lru_cache
from typing import NamedTuple

from catchall.core import limits

OrderKey = tuple[tuple[int, ...], int, tuple[tuple[int, int, str], ...]]

_NUMBERS_MAX = 4
_DIGITS_MAX = 18
_COMMIT_CHARS = (40, 64)  # SHA-1, SHA-256


class Release(NamedTuple):
    """A release's parts. `name` is empty when it was not said; `order` is None when versions cannot be compared."""

    name: str
    version: str
    build: str
    order: OrderKey | None

    @property
    def is_commit(self) -> bool:
        """Whether the version is the id of a commit."""
        return len(self.version) in _COMMIT_CHARS and all(sign in "0123456789abcdef" for sign in self.version)


@lru_cache(limits.RELEASES_REMEMBERED_MAX)
def parse_release(text: str) -> Release:
    """Take a release's name apart. Anything is a release: what has no "@" is a version without a name."""
    name, at, rest = text.strip().rpartition("@")
    if not at or not name or not rest:
        name, rest = "", text.strip()
    version, _, build = rest.partition("+")
    return Release(name, version, build, order_of(version))


def order_of(version: str) -> OrderKey | None:
    """A key that sorts versions: numbers, whether it is final, the parts of a pre-release. None: no order."""
    version = version[1:] if version[:1] in ("v", "V") else version
    numbers, dash, before = version.partition("-")
    parts = numbers.split(".")
    if len(parts) > _NUMBERS_MAX or not all(_is_number(part) for part in parts):
        return None
    padded = [int(part) for part in parts] + [0] * (_NUMBERS_MAX - len(parts))
    identifiers = tuple(_identifier(part) for part in before.split(".")) if dash else ()
    return tuple(padded), 0 if dash else 1, identifiers


def _identifier(part: str) -> tuple[int, int, str]:
    """Numbers come before words, numbers by value, words by letter (section 11.4)."""
    return (0, int(part), "") if _is_number(part) else (1, 0, part)


def _is_number(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) <= _DIGITS_MAX


def is_newer(one: str, other: str) -> bool | None:
    """Whether release `one` comes after `other`; None when they cannot be compared (other names, no versions)."""
    first, second = parse_release(one), parse_release(other)
    if first.order is None or second.order is None or first.name != second.name:
        return None
    return first.order > second.order


def service_of(release: str) -> str:
    """The service that a release names: `shop` of `shop@1.4.2`, `api` of `@acme/api@2.0`; empty without a name."""
    return parse_release(release).name.rpartition("/")[2].lstrip("@").strip()
