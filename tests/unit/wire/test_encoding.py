"""Every encoding, also mislabelled, cut off and as a bomb."""

import contextlib
import gzip
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from isal import isal_zlib

from catchall.core import limits
from catchall.core.errors import Reason, WireError
from catchall.wire.encoding import inflate, inflate_head

MEBIBYTE = 1 << 20
TEXT = b'{"message":"' + bytes(range(32, 34)) * 50 + bytes(range(35, 92)) * 20 + b'"}'


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", lambda data: gzip.compress(data, mtime=0)),
    "zlib": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "brotli": ("br", lambda data: brotli.compress(data, quality=4)),
    "zstd": ("zstd", zstd),
}
packer = pytest.mark.parametrize(("label", "pack"), PACKERS.values(), ids=PACKERS)


def refused(body: bytes, label: str, limit: int = MEBIBYTE) -> WireError:
    with pytest.raises(WireError) as caught:
        inflate(body, label, limit)
    return caught.value


@packer
def test_each_encoding_comes_back(label, pack):
    assert inflate(pack(TEXT), label, MEBIBYTE) == TEXT
    assert inflate(pack(TEXT), label.upper() + " ", MEBIBYTE) == TEXT
    assert inflate_head(pack(TEXT), label, 100) == TEXT[:100]


@packer
def test_large_bodies_come_back_whole(label, pack):
    data = TEXT * (limits.INFLATE_EAGER_BYTES_MAX // len(TEXT) + 100)
    assert inflate(pack(data), label, 2 * len(data)) == data


@packer
def test_the_limit_is_exact(label, pack):
    assert inflate(pack(TEXT), label, len(TEXT)) == TEXT
    error = refused(pack(TEXT), label, len(TEXT) - 1)
    assert (error.reason, error.status) == (Reason.INFLATED_TOO_LARGE, 413)


@packer
def test_a_stream_cut_at_any_byte_is_noticed(label, pack):
    packed = pack(TEXT)
    for end in range(1, len(packed)):
        assert refused(packed[:end], label).reason is Reason.INFLATE_FAILED


@packer
def test_the_head_of_a_stream_cut_at_any_byte_is_a_beginning(label, pack):
    packed = pack(TEXT)
    for end in range(8, len(packed)):
        assert TEXT.startswith(inflate_head(packed[:end], label, 64))


def test_two_encodings_are_undone_from_the_last():
    body = brotli.compress(gzip.compress(TEXT, mtime=0))
    assert inflate(body, "gzip, br", MEBIBYTE) == TEXT
    assert inflate_head(body, "gzip,br", 50) == TEXT[:50]


@pytest.mark.parametrize("label", ["", "identity", "none", "utf-8", "identity, identity"])
def test_no_encoding_is_no_encoding(label):
    assert inflate(TEXT, label, MEBIBYTE) == TEXT
    assert inflate_head(TEXT, label, 10) == TEXT[:10]


@pytest.mark.parametrize("label", ["lzma", "gzip, br, zstd", "gzip;q=1", "x" * 5000])
def test_unknown_encodings_are_refused_by_name(label):
    error = refused(TEXT, label)
    assert (error.reason, error.status) == (Reason.ENCODING_UNKNOWN, 415)
    assert len(error.detail) < 100


MISLABELLED = {
    "zlib as gzip": ("gzip", zlib.compress(TEXT)),
    "zlib as gzip,deflate": ("gzip,deflate", zlib.compress(TEXT)),
    "plain as gzip": ("gzip", TEXT),
    "plain as br": ("br", TEXT),
    "plain as deflate": ("deflate", TEXT),
    "plain as zstd": ("zstd", TEXT),
    "gzip as br": ("br", gzip.compress(TEXT, mtime=0)),
    "gzip as nothing": ("", gzip.compress(TEXT, mtime=0)),
    "gzip as zstd": ("zstd", gzip.compress(TEXT, mtime=0)),
    "zstd as gzip": ("gzip", zstd(TEXT)),
    "zstd as nothing": ("", zstd(TEXT)),
}


@pytest.mark.parametrize(("label", "body"), MISLABELLED.values(), ids=MISLABELLED)
def test_what_a_body_is_counts_more_than_its_label(label, body):
    assert inflate(body, label, MEBIBYTE) == TEXT
    assert inflate_head(body, label, 30) == TEXT[:30]


def test_garbage_says_so():
    for label in ("gzip", "deflate", "br", "zstd"):
        assert refused(b"\x00\x01garbage" * 10, label).reason is Reason.INFLATE_FAILED
        with pytest.raises(WireError) as caught:
            inflate_head(b"\x00\x01garbage" * 10, label, 100)
        assert caught.value.reason is Reason.INFLATE_FAILED


def test_a_wrong_checksum_is_noticed():
    packed = bytearray(gzip.compress(TEXT, mtime=0))
    packed[-6] ^= 1
    assert refused(bytes(packed), "gzip").reason is Reason.INFLATE_FAILED


def test_gzip_members_follow_each_other_up_to_a_limit():
    member = gzip.compress(b"ab")
    most = limits.GZIP_MEMBERS_MAX
    assert inflate(member * most + b"\0\0", "gzip", MEBIBYTE) == b"ab" * most
    assert refused(member * (most + 1), "gzip").reason is Reason.INFLATE_FAILED
    assert refused(member + b"trailing", "gzip").reason is Reason.INFLATE_FAILED


def test_zstd_frames_follow_each_other_up_to_a_limit():
    most = limits.ZSTD_FRAMES_MAX
    assert inflate(zstd(b"ab") * most, "zstd", MEBIBYTE) == b"ab" * most
    assert refused(zstd(b"ab") * (most + 1), "zstd").reason is Reason.INFLATE_FAILED


def test_a_zstd_window_beyond_the_limit_is_refused():
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    assert refused(packer.compress(TEXT) + packer.flush(), "zstd").reason is Reason.INFLATE_FAILED


def gigabyte(packing) -> bytes:
    """1 GiB of zeros, packed piece by piece."""
    block = bytes(MEBIBYTE)
    pieces: list[bytes] = [packing.compress(block) for _ in range(1024)]
    return b"".join([*pieces, packing.flush()])


def test_a_gigabyte_in_a_megabyte_of_gzip_is_refused_in_constant_memory():
    bomb = gigabyte(isal_zlib.compressobj(1, isal_zlib.DEFLATED, 31))
    assert MEBIBYTE // 2 < len(bomb) < 16 * MEBIBYTE
    assert _peak_while_refused(bomb, "gzip", limits.REQUEST_INFLATED_BYTES_MAX) < 8 * MEBIBYTE


@packer
def test_bombs_of_every_kind_are_refused_in_constant_memory(label, pack):
    bomb = pack(bytes(64 * MEBIBYTE))
    assert _peak_while_refused(bomb, label, 16 * MEBIBYTE) < 12 * MEBIBYTE


def test_a_bomb_within_a_bomb_is_refused():
    bomb = gzip.compress(gzip.compress(bytes(64 * MEBIBYTE)))
    assert _peak_while_refused(bomb, "gzip, gzip", 16 * MEBIBYTE) < 8 * MEBIBYTE


def _peak_while_refused(bomb: bytes, label: str, limit: int) -> int:
    tracemalloc.start()
    try:
        assert refused(bomb, label, limit).reason is Reason.INFLATED_TOO_LARGE
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_head_of_a_bomb_is_no_more_than_asked_for():
    bomb = gzip.compress(bytes(64 * MEBIBYTE))
    assert inflate_head(bomb, "gzip", 8192) == bytes(8192)


@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=200).map(gzip.compress),
        st.binary(max_size=200).map(zlib.compress),
        st.binary(max_size=200).map(brotli.compress),
        st.binary(max_size=200).map(zstd),
    ),
    st.sampled_from(["", "gzip", "deflate", "br", "zstd", "gzip, br", "deflate,zstd", "nonsense", "gzip,gzip,gzip"]),
    st.integers(0, 300),
    st.integers(0, 255),
)
def test_any_bytes_inflate_or_are_refused(body, label, place, byte):
    if body:
        changed = bytearray(body)
        changed[place % len(body)] = byte
        body = bytes(changed)
    for call in (lambda: inflate(body, label, 1000), lambda: inflate_head(body, label, 100)):
        with contextlib.suppress(WireError):
            assert len(call()) <= 1000
