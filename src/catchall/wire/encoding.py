"""Content encodings: bytes as sent -> plain bytes, and never more of them than a limit allows.

Clients mislabel what they send: zlib data as gzip, plain text as gzip, gzip without any label. What a body is, is read
from its first bytes where these are clear; the label decides the rest. All decoders work in pieces, so that a bomb is
refused after the limit without ever being held.

Sources: RFC 9110 section 8.4 (Content-Encoding), RFC 1950, 1951, 1952, 7932, 8878.
"""

import contextlib
import io
import zlib
from collections.abc import Callable, Generator, Iterator

import brotli
import zstandard
from isal import isal_zlib

from catchall.core import limits
from catchall.core.errors import Reason, WireError

Decode = Callable[[bytes, int], Iterator[bytes]]
"""Yields the plain bytes of a stream in bounded pieces; the number is the least room for the first piece."""

_INPUT_BYTES = 64 * 1024  # fed at once: what a decoder leaves over is copied, so it must be small
_OUTPUT_BYTES = 256 * 1024  # taken at once
_ZSTD_INPUT_BYTES = 128  # zstd has no bound on its output: 128 bytes of it make 4 MiB at most (32 blocks of 128 KiB)
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_DeflateError: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stub says an instance
_GZIP_MAGIC = b"\x1f\x8b"
_NAMES = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "br": "br", "zstd": "zstd"}
_NO_ENCODING = {"", "identity", "none", "utf-8"}  # the last two are no encodings, and are sent


class _BadStreamError(Exception):
    """The bytes are no such stream."""


class _TruncatedError(_BadStreamError):
    """The stream is sound as far as it goes, and ends early."""


def inflate(body: bytes, content_encoding: str, limit: int) -> bytes:
    """Undo the encodings of a body.

    `content_encoding`: the header's value, at most CONTENT_ENCODINGS_MAX encodings. `limit`: bytes that may come out,
    of each encoding. Raises WireError: ENCODING_UNKNOWN (status 415), INFLATE_FAILED, INFLATED_TOO_LARGE (status 413).
    """
    if content_encoding == "gzip" and len(body) <= _INPUT_BYTES:
        found = _whole_gzip(body, min(limit, limits.INFLATE_EAGER_BYTES_MAX))
        if found is not None:
            return found
    names = _encodings(content_encoding)
    if not names:
        return _inflate_one(body, "identity", limit) if _sniff(body) else body
    for name in reversed(names):
        body = _inflate_one(body, name, limit)
    return body


def _whole_gzip(body: bytes, limit: int) -> bytes | None:
    """What nearly all bodies are, in one step: one sound gzip stream. None for all else, which goes the slow way."""
    stream = isal_zlib.decompressobj(31)
    try:
        found = stream.decompress(body, limit)
    except _DeflateError:
        return None
    return found if stream.eof and not stream.unused_data else None


def inflate_head(chunk: bytes, content_encoding: str, limit: int) -> bytes:
    """The first plain bytes, at most `limit`, of a body of which `chunk` is the beginning.

    That the stream ends early is no fault here. Raises WireError: ENCODING_UNKNOWN (status 415), INFLATE_FAILED.
    """
    if content_encoding == "gzip" and chunk[:2] == _GZIP_MAGIC:
        with contextlib.suppress(zlib.error):  # what is broken takes the slow way, which names the fault
            return zlib.decompressobj(31).decompress(chunk, limit)  # for a few bytes twice as fast as isal's
    names = _encodings(content_encoding)
    if not names and not _sniff(chunk):
        return chunk[:limit]
    for name in reversed(names or ["identity"]):
        chunk = _head_one(chunk, name, limit)
    return chunk


def _encodings(content_encoding: str) -> list[str]:
    names = []
    for part in content_encoding.split(",", limits.CONTENT_ENCODINGS_MAX + 1):
        word = part.strip().lower()
        if word in _NO_ENCODING:
            continue
        name = _NAMES.get(word)
        if name is None:
            raise WireError(Reason.ENCODING_UNKNOWN, f"no encoding named {word[:40]!r}", status=415)
        names.append(name)
    if len(names) > limits.CONTENT_ENCODINGS_MAX:
        raise WireError(Reason.ENCODING_UNKNOWN, f"more than {limits.CONTENT_ENCODINGS_MAX} encodings", status=415)
    return names


def _inflate_one(data: bytes, label: str, limit: int) -> bytes:
    failure = ""
    for decode in _candidates(data, label):
        try:
            return _take(data, decode, limit)
        except _BadStreamError as error:
            failure = failure or str(error)
    raise WireError(Reason.INFLATE_FAILED, failure or f"not {label}")


def _head_one(data: bytes, label: str, limit: int) -> bytes:
    failure = ""
    for decode in _candidates(data, label):
        head = bytearray()
        try:
            for piece in decode(data, limit):
                head += piece
                if len(head) >= limit:
                    break
        except _TruncatedError:
            return bytes(head[:limit])
        except _BadStreamError as error:
            failure = failure or str(error)
            if not head:
                continue
        return bytes(head[:limit])
    raise WireError(Reason.INFLATE_FAILED, failure or f"not {label}")


def _take(data: bytes, decode: Decode, limit: int) -> bytes:
    """Join the pieces. What is large is counted first and then decoded again, so that a bomb costs no memory."""
    kept: list[bytes] = []
    size = 0
    large = False
    for piece in decode(data, _INPUT_BYTES):
        size += len(piece)
        if size > limit:
            raise WireError(Reason.INFLATED_TOO_LARGE, f"more than {limit} bytes", status=413)
        large = large or size > limits.INFLATE_EAGER_BYTES_MAX
        if large:
            kept.clear()
        else:
            kept.append(piece)
    if not large:
        return kept[0] if len(kept) == 1 else b"".join(kept)
    whole = io.BytesIO()
    for piece in decode(data, _INPUT_BYTES):
        whole.write(piece)
    return whole.getvalue()


def _sniff(data: bytes) -> Decode | None:
    """The decoder of streams whose first bytes cannot be anything else."""
    if data[:2] == _GZIP_MAGIC:
        return _gzip
    return _zstd if data[:4] == _ZSTD_MAGIC else None


def _is_zlib(data: bytes) -> bool:
    return len(data) >= 2 and data[0] & 0x0F == 8 and data[0] >> 4 <= 7 and (data[0] << 8 | data[1]) % 31 == 0


def _candidates(data: bytes, label: str) -> list[Decode]:
    """Decoders to try, the likeliest first."""
    found: list[Decode] = []
    sure = _sniff(data)
    if label == "br":  # has no magic of its own, so that its bytes may look like anything
        found.append(_brotli)
    if sure is not None:
        return [*found, sure]
    if label != "identity" and _is_zlib(data):
        found.append(_zlib)
    if label == "identity" or data.lstrip()[:1] in {b"{", b"["}:
        found.append(_plain)
    elif label == "deflate":  # whose bare form has no magic either; packed JSON does not begin like JSON
        found.append(_raw_deflate)
    return found


def _plain(data: bytes, _room: int) -> Iterator[bytes]:
    yield data


def _gzip(data: bytes, room: int) -> Iterator[bytes]:
    """Yield the members of a gzip stream one after the other."""
    for _ in range(limits.GZIP_MEMBERS_MAX):
        data = yield from _deflated(data, room, 31)
        if not data.strip(b"\0\r\n"):
            return
    raise _BadStreamError(f"more than {limits.GZIP_MEMBERS_MAX} gzip members")


def _zlib(data: bytes, room: int) -> Iterator[bytes]:
    yield from _deflated(data, room, 15)


def _raw_deflate(data: bytes, room: int) -> Iterator[bytes]:
    yield from _deflated(data, room, -15)


def _deflated(data: bytes, room: int, window: int) -> Generator[bytes, None, bytes]:
    """Yield one stream's bytes; returns what follows it. `window`: as zlib's wbits."""
    decoder = isal_zlib.decompressobj(window)
    position = 0
    pending = b""
    try:
        while not decoder.eof:
            if not pending and position < len(data):
                pending = data[position : position + _INPUT_BYTES] if len(data) > _INPUT_BYTES else data
                position += len(pending)
            piece = decoder.decompress(pending, room)
            pending = decoder.unconsumed_tail
            if piece:
                yield piece
            elif not pending and position >= len(data) and not decoder.eof:
                raise _TruncatedError("the compressed data ends early")
            room = _OUTPUT_BYTES
    except _DeflateError as error:
        raise _BadStreamError(str(error)) from error
    return decoder.unused_data + data[position:]


def _brotli(data: bytes, room: int) -> Iterator[bytes]:
    decoder = brotli.Decompressor()
    try:
        for position in range(0, len(data), _INPUT_BYTES):
            yield decoder.process(data[position : position + _INPUT_BYTES], output_buffer_limit=room)
            while not decoder.can_accept_more_data():
                yield decoder.process(b"", output_buffer_limit=_OUTPUT_BYTES)
        while not decoder.is_finished():  # it may have taken all of the input and still hold back output
            piece = decoder.process(b"", output_buffer_limit=_OUTPUT_BYTES)
            if not piece:
                raise _TruncatedError("the brotli data ends early")
            yield piece
    except brotli.error as error:
        raise _BadStreamError(str(error)) from error


def _zstd(data: bytes, _room: int) -> Iterator[bytes]:
    """Yield the frames of a zstd stream one after the other. A window beyond 8 MiB is refused, as RFC 8878 advises."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=limits.ZSTD_WINDOW_BYTES_MAX)
    decoder = decompressor.decompressobj()
    frames = 1
    try:
        for position in range(0, len(data), _ZSTD_INPUT_BYTES):
            rest = data[position : position + _ZSTD_INPUT_BYTES]
            while rest:
                if decoder.eof:
                    frames += 1
                    if frames > limits.ZSTD_FRAMES_MAX:
                        raise _BadStreamError(f"more than {limits.ZSTD_FRAMES_MAX} zstd frames")
                    decoder = decompressor.decompressobj()
                yield decoder.decompress(rest)
                rest = decoder.unused_data
    except zstandard.ZstdError as error:
        raise _BadStreamError(str(error)) from error
    if not decoder.eof:
        raise _TruncatedError("the zstd data ends early")
