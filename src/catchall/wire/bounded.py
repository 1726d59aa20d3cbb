"""What a client sends, cut to the limits; what was cut is marked as cut. For every protocol."""

import msgspec
from msgspec import UNSET, Raw, UnsetType

from catchall.core import limits
from catchall.core.event import Cut, EventDraft, Frame, SourceContext


class Bounds:
    """Cuts the values of one draft and notes each cut in it."""

    def __init__(self, draft: EventDraft) -> None:
        self._cut = draft.cut

    def note(self, path: str, original: int, kept: int, unit: str = "characters") -> None:
        """Mark that something was shortened; beyond the limit of marks only the first ones are told."""
        if len(self._cut) < limits.SCRUBBED_MARKS_MAX:
            self._cut.append(Cut(path=path, original=original, kept=kept, unit=unit))

    def text(self, value: str | None, path: str, most: int = limits.NAME_CHARS_MAX) -> str:
        """A text of at most `most` characters; None becomes empty."""
        if not value:
            return ""
        if len(value) > most:
            self.note(path, len(value), most)
            return value[:most]
        return value

    def raw(self, value: Raw | UnsetType, path: str, most: int) -> Raw | UnsetType:
        """A JSON value of at most `most` bytes; a larger one is replaced by its beginning, as a text."""
        if value is UNSET or value is None:
            return UNSET
        data = bytes(value)
        if data in (b"null", b"{}", b"[]", b'""'):
            return UNSET
        if len(data) <= most:
            return value
        self.note(path, len(data), most, "bytes")
        return Raw(msgspec.json.encode({"cut": data[:most].decode("utf-8", "ignore")}))

    def tags(self, pairs: dict[str, str]) -> dict[str, str]:
        """At most so many tags, with keys and values of at most so many characters."""
        if len(pairs) > limits.TAGS_MAX:
            self.note("tags", len(pairs), limits.TAGS_MAX, "tags")
            pairs = dict(list(pairs.items())[: limits.TAGS_MAX])
        kept = {}
        for key, value in pairs.items():
            name = self.text(key, "tags", limits.TAG_KEY_CHARS_MAX)
            if name and value:
                kept[name] = self.text(value, f"tags.{name}", limits.TAG_VALUE_CHARS_MAX)
        return kept

    def middle_out(self, frames: list[Frame], path: str) -> list[Frame]:
        """A stack of at most FRAMES_MAX frames: its outermost and innermost halves."""
        if len(frames) <= limits.FRAMES_MAX:
            return frames
        self.note(path, len(frames), limits.FRAMES_MAX, "frames")
        half = limits.FRAMES_MAX // 2
        return frames[: limits.FRAMES_MAX - half] + frames[-half:]

    def context(self, pre: list[str], line: str, post: list[str]) -> SourceContext:
        """Source lines around a frame's line, the nearest ones."""
        most = limits.CONTEXT_LINE_CHARS_MAX
        if len(line) + sum(map(len, pre)) + sum(map(len, post)) > most:
            longest = max(map(len, [line, *pre, *post]))
            if longest > most:
                self.note("context", longest, most)
                pre, line, post = [one[:most] for one in pre], line[:most], [one[:most] for one in post]
        if len(pre) > limits.CONTEXT_LINES_MAX or len(post) > limits.CONTEXT_LINES_MAX:
            pre, post = pre[-limits.CONTEXT_LINES_MAX :], post[: limits.CONTEXT_LINES_MAX]
        return SourceContext(pre=pre, line=line, post=post)
