"""Payloads: one zstd frame per event or stack, one after another in the day's segment file.

A frame is checked by its own checksum. An event's frame holds its tags, as searched for, before its body, so that
counting values over many events decodes a few dozen bytes of each and not the event.
"""

import os
import threading
from collections import OrderedDict
from pathlib import Path
from typing import NamedTuple

import structlog
import zstandard

from catchall.core.errors import StoreError
from catchall.core.limits import DICTIONARIES_OPEN_MAX, PAYLOAD_BYTES_MAX
from catchall.store.sqlite.dictionary import LEVEL, NONE, Dictionaries

_LENGTH_BYTES = 4

log = structlog.get_logger(__name__)


class Frame(NamedTuple):
    """Where a frame lies in its segment, and what it was compressed with."""

    place: int
    length: int
    dictionary: int


def pack(tags: str, body: bytes) -> bytes:
    """What an event's frame holds. `tags`: of `tokens.tag_text`."""
    encoded = tags.encode()
    return len(encoded).to_bytes(_LENGTH_BYTES, "little") + encoded + body


def packed_tags(packed: bytes) -> str:
    """The tags of what `pack` made."""
    return packed[_LENGTH_BYTES : _body_start(packed)].decode()


def packed_body(packed: bytes) -> bytes:
    """The body of what `pack` made."""
    return packed[_body_start(packed) :]


def _body_start(packed: bytes) -> int:
    return _LENGTH_BYTES + int.from_bytes(packed[:_LENGTH_BYTES], "little")


class FrameWriter:
    """Compresses with the newest dictionary. One thread at a time."""

    def __init__(self, dictionaries: Dictionaries) -> None:
        self._dictionaries = dictionaries
        self._tried = NONE
        self.dictionary = NONE
        self._compressor = _compressor(None)

    def refresh(self) -> None:
        """Change over to the newest dictionary. One that cannot be read must not stop new events: none is used then."""
        newest = self._dictionaries.newest()
        if newest == self._tried:
            return
        self._tried = newest
        try:
            loaded = self._dictionaries.load(newest)
            loaded.precompute_compress(level=LEVEL)
        except (StoreError, zstandard.ZstdError) as error:
            log.error("compressing without a dictionary: the newest one is damaged", number=newest, error=str(error))
            self.dictionary, self._compressor = NONE, _compressor(None)
        else:
            self.dictionary, self._compressor = newest, _compressor(loaded)

    def compress(self, data: bytes) -> bytes:
        """One frame, to be stored with the number in `dictionary`."""
        return self._compressor.compress(data)


def _compressor(dictionary: zstandard.ZstdCompressionDict | None) -> zstandard.ZstdCompressor:
    return zstandard.ZstdCompressor(
        level=LEVEL, dict_data=dictionary, write_checksum=True, write_content_size=True, write_dict_id=False
    )


class FrameReader:
    """Inflates frames, from any thread: each has its own decoders."""

    def __init__(self, dictionaries: Dictionaries) -> None:
        self._dictionaries = dictionaries
        self._mine = threading.local()

    def inflate(self, data: bytes, dictionary: int) -> bytes:
        """The content of a frame. Raises StoreError when the frame is damaged or its dictionary is missing."""
        try:
            size = zstandard.frame_content_size(data)
            if not 0 <= size <= PAYLOAD_BYTES_MAX:  # the decoder itself believes the header
                raise StoreError(f"a payload is damaged: it says that it has {size} bytes")
            return self._decoder(dictionary).decompress(data)
        except zstandard.ZstdError as error:
            raise StoreError(f"a payload is damaged: {error}") from error

    def _decoder(self, dictionary: int) -> zstandard.ZstdDecompressor:
        decoders: OrderedDict[int, zstandard.ZstdDecompressor] = self._mine.__dict__.setdefault(
            "decoders", OrderedDict()
        )
        decoder = decoders.get(dictionary)
        if decoder is None:
            loaded = self._dictionaries.load(dictionary) if dictionary != NONE else None
            decoder = decoders[dictionary] = zstandard.ZstdDecompressor(dict_data=loaded)
            if len(decoders) > DICTIONARIES_OPEN_MAX:
                decoders.popitem(last=False)
        else:
            decoders.move_to_end(dictionary)
        return decoder


class Segment:
    """A day's segment file, open for reading, or for writing too."""

    def __init__(self, path: Path, *, writable: bool) -> None:
        self._path = path
        flags = (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC
        try:
            self._file = os.open(path, flags)
        except OSError as error:
            raise StoreError(f"cannot open {path}: {error}") from error

    def read(self, frame: Frame) -> bytes:
        """The bytes of a frame. Raises StoreError when they are not all there."""
        data = os.pread(self._file, frame.length, frame.place)
        if len(data) != frame.length:
            raise StoreError(f"{self._path} ends before a payload at {frame.place} does")
        return data

    def write(self, place: int, data: bytes) -> None:
        """Write at a place and wait until it is on the disk. Raises StoreError; then nothing there is to be relied on.

        After a failed fsync the same place is written again as a whole by the next try, before a row points there, so
        what the kernel dropped without a word is never used.
        """
        try:
            rest = memoryview(data)
            while rest:
                written = os.pwrite(self._file, rest, place)
                place += written
                rest = rest[written:]
            os.fdatasync(self._file)
        except OSError as error:
            raise StoreError(f"cannot write payloads to {self._path}: {error}") from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
