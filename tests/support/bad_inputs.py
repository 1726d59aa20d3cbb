"""Every bad input that docs/bad-input.md names: what exactly is sent. The keys are the names in its tables."""

import gzip
import json
import os
import random
import zlib
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

import brotli
import zstandard

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30
DEEP = 10_000
TEN_YEARS = 10 * 365.25 * 86_400

_noise = random.Random(10_000)
_numbers = count(1)


class Bad(NamedTuple):
    """A body, and the Content-Encoding that it claims. `times`: how often it is sent."""

    body: bytes
    encoding: str = ""
    times: int = 1


def event_json(**fields: Any) -> bytes:
    """A small event of its own."""
    return json.dumps({"event_id": f"{next(_numbers):032x}", "message": "it broke", **fields}).encode()


def item(payload: bytes, **header: Any) -> bytes:
    """One item with its header, its length announced unless the header says something else."""
    return json.dumps({"type": "event", "length": len(payload), **header}).encode() + b"\n" + payload + b"\n"


def envelope(*items: bytes) -> bytes:
    """Items behind a header."""
    return b"{}\n" + b"".join(items)


def raw_event(members: bytes) -> bytes:
    """An envelope with an event whose JSON need not be any."""
    return envelope(item(b'{"event_id":"%032x","message":"it broke",%b}' % (next(_numbers), members)))


def deep(inner: bytes = b"1") -> bytes:
    """An object in an object, and so on."""
    return b'{"a":' * DEEP + inner + b"}" * DEEP


def noise(size: int) -> bytes:
    """Bytes that mean nothing, the same on every run."""
    return _noise.randbytes(size)


_WRONG: dict[str, Any] = {
    "level": 17.5, "platform": ["python"], "logger": {"name": 1}, "release": 12, "environment": [None],
    "server_name": True, "transaction": {}, "message": {"formatted": ["a"]}, "logentry": "text", "timestamp": {"at": 1},
    "tags": 5, "extra": "text", "contexts": [1, 2], "user": ["ada"], "request": 7, "breadcrumbs": "none",
    "exception": {"values": [7, None, "x", {"type": 5, "value": {"a": 1}, "stacktrace": {"frames": {"a": 1}}}]},
    "threads": 1, "modules": [1], "fingerprint": {"a": 1}, "sdk": "python", "debug_meta": 3, "dist": 4,
}  # fmt: skip
_FRAMES = [
    {"function": "load"}, {"filename": "shop.py", "lineno": None}, {"filename": "shop.py", "lineno": "twelve"},
    {"function": "pay", "lineno": -3, "colno": 1e300}, {}, None,
]  # fmt: skip
_NULS = rb'"tags":{"a\u0000b":"c\u0000d"},"extra":{"\u0000":"\u0000"},"logger":"\u0000","release":"a\u0000"'


def bodies(now: float) -> dict[str, Bad]:
    """What is sent with a good key. `now`: seconds since the epoch."""
    plain = {**_envelopes(), **_events(now)}
    again = {"the same event 100 times": Bad(envelope(item(event_json())), times=100)}
    return {**{name: Bad(body) for name, body in plain.items()}, **again, **_packed()}


def _envelopes() -> dict[str, bytes]:
    fine = item(event_json())
    return {
        "an empty body": b"",
        "a body of blanks": b" \n\r\n\t " * 50,
        "an envelope of nothing but its header": b"{}\n",
        "a page of HTML": b"<!doctype html><title>502</title>" * 30,
        "a header that is a list": b"[1,2]\n" + fine,
        "a header of 10,000 levels": b"[" * DEEP + b"]" * DEEP + b"\n" + fine,
        "a header that does not end": b'{"a":"' + b"x" * 200_000,
        "nothing but NULs": bytes(5000),
        "random bytes": noise(5000),
        "random bytes after a good header": b"{}\n" + noise(5000).replace(b"\n", b""),
        "an item's header that is no JSON": envelope(b'{"type":"event"\n{"message":["x"]}\n'),
        "an item's header without a type": envelope(b'{"length":2}\n{}\n'),
        "an item's header of 10,000 levels": envelope(deep() + b"\n"),
        "an item shorter than it says": envelope(item(b'{"message":"cut', length=4000)),
        "an item that is longer than a file may be": envelope(item(b'{"message":"x"}', length=10**15)),
        "an event cut off in the middle": envelope(item(event_json(logger="x" * 500)[:300])),
        "an event that is no JSON, between two good ones": envelope(fine, item(b"no JSON"), item(event_json())),
        "1100 items": envelope(*[item(b"{}", type="profile")] * 1100),
        "an item of an unknown type": envelope(item(b"{}", type="telepathy")),
        "an item whose type is full of NULs": envelope(item(b"{}", type="\0" * 500)),
        "an attachment without its event": envelope(item(b"content", type="attachment", filename="a.txt")),
    }


def _events(now: float) -> dict[str, bytes]:
    return {
        "an event that is a list": envelope(item(b"[1,2,3]")),
        "an event that is a number": envelope(item(b"17")),
        "an event of 10,000 levels": envelope(item(b"[" * DEEP + b"]" * DEEP)),
        "extra data of 10,000 levels": raw_event(b'"extra":' + deep()),
        "local variables of 10,000 levels": raw_event(
            b'"exception":{"values":[{"type":"E","stacktrace":{"frames":[{"function":"f","vars":%b}]}}]}' % deep()
        ),
        "an event larger than 8 MB": envelope(item(event_json(extra={"a": "x" * 9_000_000}))),
        "an event without anything in it": envelope(item(b"{}")),
        "every field of the wrong type": envelope(item(event_json(**_WRONG))),
        "numbers that no machine holds": raw_event(b'"extra":{"a":1e999,"b":%b,"c":NaN,"d":-Infinity}' % (b"9" * 5000)),
        "bytes that are no UTF-8 everywhere": raw_event(
            b'"logger":"\xff\xfe","tags":{"\xc3":"\xe2\x82"},"extra":{"\xed\xa0\x80":"\xf5"},"release":"a\x80b"'
        ),
        "NULs everywhere, as escapes": raw_event(_NULS),
        "NULs everywhere, as bytes": raw_event(_NULS.replace(rb"\u0000", b"\0")),
        "frames without numbers": envelope(
            item(event_json(exception={"values": [{"type": "Err", "stacktrace": {"frames": _FRAMES}}]}))
        ),
        "300 tags of 10 KB": envelope(item(event_json(tags={f"tag{n}": f"{n:05d}" * 2048 for n in range(300)}))),
        "a clock ten years ahead": envelope(item(event_json(timestamp=now + TEN_YEARS))),
        "a clock ten years behind": envelope(item(event_json(timestamp=now - TEN_YEARS))),
    }


def _packed() -> dict[str, Bad]:
    plain = envelope(item(event_json(extra={"a": noise(30_000).hex()})))
    packed = gzip.compress(plain)
    bomb = b"".join(_zeros())
    return {
        "a gzip label on random bytes": Bad(b"\x1f\x8b" + noise(3000), "gzip"),
        "gzip that is cut off": Bad(packed[: len(packed) // 2], "gzip"),
        "gzip that is damaged behind": Bad(packed[:20_000] + bytes(200) + packed[20_200:], "gzip"),
        "an unknown encoding": Bad(plain, "rot13"),
        "three encodings, one in the other": Bad(gzip.compress(gzip.compress(packed)), "gzip, gzip, gzip"),
        "1 GB in 1 MB of gzip": Bad(bomb, "gzip"),
        "1 GB in zstd": Bad(_zstd_zeros(), "zstd"),
        "1 GB in brotli": Bad(_brotli_zeros(), "br"),
        "1 GB in gzip in gzip": Bad(gzip.compress(bomb), "gzip, gzip"),
    }


def _zeros() -> Iterator[bytes]:
    """A good envelope's beginning, then a gigabyte of nothing, as gzip."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield packer.compress(b'{}\n{"type":"event"}\n')
    for _ in range(GIBIBYTE // MEBIBYTE):
        yield packer.compress(bytes(MEBIBYTE))
    yield packer.flush()


def _zstd_zeros() -> bytes:
    packer = zstandard.ZstdCompressor(level=3).compressobj()
    parts = [packer.compress(b"{}\n" + bytes(MEBIBYTE)) for _ in range(GIBIBYTE // MEBIBYTE)]
    return b"".join([*parts, packer.flush()])


def _brotli_zeros() -> bytes:
    packer = brotli.Compressor(quality=1)
    parts = [packer.process(b"{}\n" + bytes(MEBIBYTE)) for _ in range(GIBIBYTE // MEBIBYTE)]
    return b"".join([*parts, packer.finish()])


def endless(chunk: int = 65_536) -> Iterator[bytes]:
    """A chunked body's content without end."""
    yield b"{}\n"
    while True:
        yield os.urandom(chunk)
