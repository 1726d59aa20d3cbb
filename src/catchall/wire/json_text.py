r"""JSON as clients write it -> JSON that everything behind can rely on.

What leaves this module is UTF-8 without lone surrogates, NaN, or escapes of printable ASCII characters: later steps
screen the raw text with patterns, and `\u0070assword` must look like what it is. Numbers may be of any size (RFC 8259
section 6): read raw parts with `loads`, which survives those that no float holds.
"""

import json
from typing import Any

import msgspec
import re2

from catchall.core import limits
from catchall.core.errors import Reason, WireError

Json = Any
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_REPLACED = "\ufffd".encode()
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# PHP writes \/, some clients \u0040; \ud800 may be half a character
_NEEDLESS_ESCAPE = re2.compile(rb"\\(?:/|u00[2-7]|u[dD][89a-fA-F])")


def plain(data: bytes) -> bytes:
    """The same JSON in plain form. What is plain already (nearly all is) is returned as it is, unread.

    Raises WireError (JSON_MALFORMED, JSON_TOO_DEEP) when it had to be read for that and could not be.
    """
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            data = data.decode("utf-8", "replace").encode()
        data = data.removeprefix(_BYTE_ORDER_MARK)
    if _NEEDLESS_ESCAPE.search(data):
        return encode(loads(data))
    return data


def loads(data: bytes) -> Json:
    """Read JSON: also with NaN and Infinity (read as null), lone surrogates (replaced), control characters.

    Raises WireError: JSON_MALFORMED, JSON_TOO_DEEP.
    """
    if b"\0" in data:  # as it is, a NUL is no JSON; as an escape it is, and stays
        data = data.strip(b"\0").replace(b"\0", _REPLACED)
    try:
        return _decode(data)
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _loads_odd(data)


def encode(value: Json) -> bytes:
    """Write JSON as UTF-8. `value`: as `loads` returns it."""
    try:
        return _encode(value)
    except OverflowError:  # a whole number beyond 64 bits
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except RecursionError:
        raise _too_deep() from None


def too_deep(data: bytes) -> bool:
    """Whether a JSON value nests deeper than JSON_DEPTH_MAX. Cheap for what cannot, by its size or its brackets."""
    most = limits.JSON_DEPTH_MAX
    if len(data) <= 2 * most or data.count(b"[") + data.count(b"{") <= most:
        return False
    level = [loads(data)]
    for _ in range(most):
        inner: list[Json] = []
        for value in level:
            if isinstance(value, dict):
                inner.extend(one for one in value.values() if isinstance(one, dict | list))
            elif isinstance(value, list):
                inner.extend(one for one in value if isinstance(one, dict | list))
        if not inner:
            return False
        level = inner
    return True


def _too_deep() -> WireError:
    return WireError(Reason.JSON_TOO_DEEP, f"nested deeper than {limits.JSON_DEPTH_MAX} levels")


def _loads_odd(data: bytes) -> Json:
    try:
        found = _LENIENT.decode(data.decode("utf-8", "replace"))
        text = json.dumps(found, ensure_ascii=False)
        # through UTF-16 the halves of a character that were escaped one by one find each other; a lone one is replaced
        return _decode(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode())
    except RecursionError:
        raise _too_deep() from None
    except (ValueError, msgspec.DecodeError) as error:
        detail = str(error).replace("\n", " ")[: limits.NAME_CHARS_MAX]
        raise WireError(Reason.JSON_MALFORMED, detail) from None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if abs(number) < float("inf") else None


def _whole(text: str) -> float | int | None:
    return int(text) if len(text) < 19 else _finite(text)  # 19 digits may be more than 64 bits hold


_LENIENT = json.JSONDecoder(strict=False, parse_constant=lambda _: None, parse_float=_finite, parse_int=_whole)
