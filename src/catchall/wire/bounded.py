"""What a client sends, kept within the limits; what is shortened is marked as cut. For every protocol."""

from collections.abc import Sequence
from typing import TypeVar

from msgspec import UNSET, Raw, UnsetType

from catchall.core import limits
from catchall.core.errors import Reason, WireError
from catchall.core.event import Cut, EventDraft
from catchall.wire.json_text import Json, encode, loads, too_deep

Thing = TypeVar("Thing")
Path = str | int

_NOTHING_BYTES = 4  # the longest of null, {}, [] and "": a value without content
_SHALLOW_BYTES = 2 * limits.JSON_DEPTH_MAX  # what is shorter cannot nest too deep
_MARK = "…"
_SHARE_MIN = 24  # bytes; a member that would get less is left out rather than cut to nothing


class Bounds:
    """Shortens the parts of one draft and notes each cut in it.

    `path`: where in the model, part by part: ("exceptions", 0, "message"). It is only put together when something is
    cut, which is rare.
    """

    def __init__(self, draft: EventDraft) -> None:
        self._cut = draft.cut

    def note(self, original: int, kept: int, unit: str, *path: Path) -> None:
        """Mark that something was shortened. Past the limit of marks the first ones are enough to know."""
        if len(self._cut) < limits.CUT_MARKS_MAX:
            self._cut.append(Cut(path=".".join(map(str, path)), original=original, kept=kept, unit=unit))

    def text(self, value: str, most: int, *path: Path) -> str:
        """The first `most` characters."""
        if len(value) <= most:
            return value
        self.note(len(value), most, "characters", *path)
        return value[:most]

    def first(self, values: Sequence[Thing], most: int, unit: str, *path: Path) -> Sequence[Thing]:
        """The first `most` of several."""
        if len(values) <= most:
            return values
        self.note(len(values), most, unit, *path)
        return values[:most]

    def last(self, values: Sequence[Thing], most: int, unit: str, *path: Path) -> Sequence[Thing]:
        """The last `most` of several."""
        if len(values) <= most:
            return values
        self.note(len(values), most, unit, *path)
        return values[-most:]

    def ends(self, values: Sequence[Thing], most: int, unit: str, *path: Path) -> Sequence[Thing]:
        """The first and the last halves of `most` of several: of a stack, how it began and where it ended."""
        if len(values) <= most:
            return values
        self.note(len(values), most, unit, *path)
        half = most // 2
        return [*values[: most - half], *values[-half:]]

    def raw(self, value: Raw | UnsetType, most: int, *path: Path) -> Raw | UnsetType:
        """A JSON value of at most `most` bytes; UNSET for one without content. A larger one is thinned out, its small
        parts staying whole. Raises WireError JSON_TOO_DEEP.
        """
        if value is UNSET:
            return UNSET
        size = len(value)
        if size <= _NOTHING_BYTES and bytes(value) in {b"null", b"{}", b"[]", b'""', b"{ }", b"[ ]"}:
            return UNSET
        if size > _SHALLOW_BYTES and too_deep(bytes(value)):
            raise WireError(Reason.JSON_TOO_DEEP, ".".join(map(str, path)))
        if size <= most:
            return value
        kept = shrunk(loads(bytes(value)), most)
        self.note(size, len(kept), "bytes", *path)
        return Raw(kept)

    def object(self, value: Raw | UnsetType, most: int, *path: Path) -> Raw | UnsetType:
        """The same for what has to be a JSON object: another value is put into one, under "value"."""
        if value is UNSET or bytes(value)[:1] == b"{":
            return self.raw(value, most, *path)
        value = self.raw(value, most - len(b'{"value":}'), *path)
        return value if value is UNSET else Raw(b'{"value":' + bytes(value) + b"}")


def shrunk(value: Json, most: int, depth: int = 0) -> bytes:
    """JSON of at most `most` bytes that keeps as much of a value as it can.

    Small members of an object stay whole and the large ones share what is left; of a list its beginning stays; a text
    keeps its beginning and ends in "…". `most`: 8 at least.
    """
    whole = encode(value)
    if len(whole) <= most:
        return whole
    if isinstance(value, str):
        return _shrunk_text(value, most)
    if depth >= limits.SHRINK_DEPTH_MAX or not isinstance(value, dict | list):
        return encode(_MARK)
    return _shrunk_object(value, most, depth) if isinstance(value, dict) else _shrunk_list(value, most, depth)


def _shrunk_text(value: str, most: int) -> bytes:
    room = most - len(encode(_MARK))
    kept = value[: max(room, 0)]
    while kept and len(encode(kept)) - 2 > room:  # escapes and letters beyond ASCII take more bytes than one
        kept = kept[: len(kept) * room // (len(encode(kept)) - 2)]
    return encode(kept + _MARK)


def _shrunk_object(value: dict[str, Json], most: int, depth: int) -> bytes:
    sizes = sorted((len(encode(key)) + len(encode(one)) + 2, key) for key, one in value.items())
    room = most - 2
    share = 0
    for index, (size, _) in enumerate(sizes):
        share = room // (len(sizes) - index)
        if size > share:
            break
        room -= size
    parts: list[bytes] = []
    left = most - 2
    for key, one in value.items():
        name = encode(key) + b":"
        allowed = min(share, left) - len(name) - 1
        part = encode(one)
        if len(part) > allowed:
            if allowed < _SHARE_MIN:
                continue
            part = shrunk(one, allowed, depth + 1)
        parts.append(name + part)
        left -= len(name) + len(part) + 1
    return b"{" + b",".join(parts) + b"}"


def _shrunk_list(value: list[Json], most: int, depth: int) -> bytes:
    parts: list[bytes] = []
    room = most - 2 - len(encode(_MARK)) - 1
    for one in value:
        part = encode(one)
        if len(part) + 1 > room:
            if room >= _SHARE_MIN:
                parts.append(shrunk(one, room - 1, depth + 1))
            break
        parts.append(part)
        room -= len(part) + 1
    return b"[" + b",".join([*parts, encode(_MARK)]) + b"]"
