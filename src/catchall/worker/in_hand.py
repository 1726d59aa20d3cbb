"""What a worker has in hand, noted where its next life finds it: so one record cannot end the line again and again.

An exception costs one record. A record that ends the process (out of memory, silent until it is ended) would be read
again by the next one, forever. So the note says what the last process died with: its successor takes just that first,
in smaller and smaller batches, and a record that was alone each time is condemned to be a dead letter.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from catchall.core import limits
from catchall.core.errors import CatchallError

REPLAYS = b""
"""Stands for a log's UUID where dead letters are in hand; their ids are its offsets."""

NOTE_BYTES_MAX = 64 * 1024


class Span(msgspec.Struct, frozen=True, array_like=True):
    """A part of a log: offsets from `start` up to `end`, without it."""

    log: bytes
    start: int
    end: int


class _Hand(msgspec.Struct, frozen=True):
    """`deaths`: how many processes have died with a part of it in hand before."""

    spans: list[Span]
    records: int
    deaths: int


class InHand:
    """The note of one worker. Written before each batch and not synced: it tells of dead processes, not power cuts."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._suspects: list[Span] = []
        self._deaths = 0
        self._was_alone = False

    def recall(self) -> None:
        """See what the last process died with. A note that cannot be read says nothing."""
        self._suspects, self._deaths, self._was_alone = [], 0, False
        with suppress(OSError, msgspec.MsgspecError):
            hand = msgspec.json.decode(os.pread(self._file, NOTE_BYTES_MAX, 0), type=_Hand)
            self._suspects, self._deaths, self._was_alone = hand.spans, hand.deaths + 1, hand.records == 1

    def forget_passed(self, places: Mapping[bytes, int]) -> None:
        """Clear of suspicion what lies before these places, by log, and logs that have none."""
        self._suspects = [span for span in self._suspects if places.get(span.log, span.end) < span.end]
        if not self._suspects:
            self._deaths, self._was_alone = 0, False

    def may_take(self, log: bytes) -> bool:
        """Is it this log's turn? While anything is suspect, nothing else is taken with it."""
        return not self._suspects or any(span.log == log for span in self._suspects)

    @property
    def is_cautious(self) -> bool:
        """Is there anything that a process died with?"""
        return bool(self._suspects)

    @property
    def is_condemned(self) -> bool:
        """Has the next record ended enough processes, the last of them when it was alone?"""
        return self._was_alone and self._deaths >= limits.POISON_DEATHS

    @property
    def records_max(self) -> int:
        """How many records to take at once: a sixteenth for each death."""
        return max(1, limits.BATCH_RECORDS_MAX >> 4 * self._deaths)

    @contextmanager
    def noted(self, spans: Sequence[Span], records: int) -> Iterator[None]:
        """Hold this in hand. An error of the store or of the machine is nobody's fault, and takes the note back."""
        self._note(msgspec.json.encode(_Hand(list(spans), records, self._deaths)))
        try:
            yield
        except (CatchallError, OSError):
            self._note(b"")
            raise
        self._note(b"")

    def close(self) -> None:
        """Let go of the file; the note stays."""
        os.close(self._file)

    def _note(self, text: bytes) -> None:
        with suppress(OSError):  # on a full disk: works without its note
            os.pwrite(self._file, text + b"\n", 0)
            os.ftruncate(self._file, len(text) + 1)
