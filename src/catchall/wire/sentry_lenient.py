"""A Sentry event with odd types made into one with the usual types, keeping as much as possible.

Old and home-made clients send numbers as texts, lists as objects, objects as lists of pairs. Pure data to pure data.
"""

import json
from typing import Any

import msgspec

from catchall.core import limits
from catchall.core.errors import Reason, WireError

Json = Any
_INT_MAX = 2**31 - 1
_TRUE = frozenset({"true", "1", "yes"})
_FALSE = frozenset({"false", "0", "no"})


def read_json(data: bytes) -> Json:
    """JSON as clients write it: also NaN, Infinity (both read as null) and lone surrogates (replaced).

    Raises WireError: JSON_MALFORMED, JSON_TOO_DEEP.
    """
    try:
        return msgspec.json.decode(data)
    except RecursionError:
        raise WireError(Reason.JSON_TOO_DEEP, "nested too deep") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        found = json.loads(data.decode("utf-8", "replace"), parse_constant=lambda _: None)
        return msgspec.json.decode(json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace"))
    except RecursionError:
        raise WireError(Reason.JSON_TOO_DEEP, "nested too deep") from None
    except (ValueError, msgspec.DecodeError) as error:
        raise WireError(Reason.JSON_MALFORMED, _short(str(error))) from None


def _short(text: str) -> str:
    return text.replace("\n", " ")[: limits.NAME_CHARS_MAX]


def usual_event(event: dict[str, Json]) -> dict[str, Json]:
    """The event with the types of `SentryEvent`."""
    texts = ("event_id", "platform", "level", "logger", "transaction", "server_name", "release", "dist", "environment")
    usual: dict[str, Json] = {name: text(event.get(name)) for name in texts}
    stamp = event.get("timestamp")
    usual["timestamp"] = stamp if isinstance(stamp, int | float | str) and not isinstance(stamp, bool) else None
    usual["exception"] = {
        "values": [_exception(one) for one in values_of(event.get("exception")) if isinstance(one, dict)]
    }
    usual["threads"] = {"values": [_thread(one) for one in values_of(event.get("threads")) if isinstance(one, dict)]}
    usual["stacktrace"] = _stack(event.get("stacktrace"))
    usual["logentry"] = _log_entry(event.get("logentry"))
    message = event.get("message")
    usual["message"] = _log_entry(message) if isinstance(message, dict) else text(message)
    usual["breadcrumbs"] = {
        "values": [_crumb(one) for one in values_of(event.get("breadcrumbs")) if isinstance(one, dict)]
    }
    usual["request"] = _request(event.get("request"))
    usual["user"] = mapping(event.get("user"))
    usual["tags"] = texts_of(event.get("tags"))
    usual["contexts"] = mapping(event.get("contexts"))
    usual["extra"] = event["extra"] if isinstance(event.get("extra"), dict) else {"extra": event.get("extra")}
    usual["modules"] = texts_of(event.get("modules"))
    sdk = mapping(event.get("sdk"))
    usual["sdk"] = {"name": text(sdk.get("name")), "version": text(sdk.get("version"))}
    fingerprint = event.get("fingerprint")
    usual["fingerprint"] = [text(one) or "" for one in fingerprint] if isinstance(fingerprint, list) else None
    usual["debug_meta"] = event.get("debug_meta")
    return usual


def text(value: Json) -> str | None:
    """A text for any JSON value; None for null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return msgspec.json.encode(value).decode()[: limits.MESSAGE_CHARS_MAX]


def integer(value: Json) -> int | None:
    """A whole number for a number or a text of digits, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 12:
        value = int(value)
    if isinstance(value, int | float) and -_INT_MAX <= value <= _INT_MAX:
        return int(value)
    return None


def boolean(value: Json) -> bool | None:
    """A truth for a bool, a number or one of the usual words, else None."""
    if isinstance(value, bool | int):
        return bool(value)
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else None
    return None


def mapping(value: Json) -> dict[str, Json]:
    """An object, also from a list of pairs; anything else is empty."""
    if isinstance(value, dict):
        return {str(key): one for key, one in value.items()}
    if isinstance(value, list):
        return {
            str(pair[0]): pair[1] for pair in value if isinstance(pair, list) and len(pair) == 2 and pair[0] is not None
        }
    return {}


def texts_of(value: Json) -> dict[str, str]:
    """An object of texts; null values are left out."""
    found = {key: text(one) for key, one in mapping(value).items()}
    return {key: one for key, one in found.items() if one is not None}


def values_of(value: Json) -> list[Json]:
    """A list, also from {"values": [...]} and from a single object."""
    if isinstance(value, dict):
        inner = value.get("values")
        return inner if isinstance(inner, list) else [] if "values" in value else [value]
    return value if isinstance(value, list) else []


def _lines(value: Json) -> list[str]:
    return [text(one) or "" for one in value] if isinstance(value, list) else []


def _frame(frame: dict[str, Json]) -> dict[str, Json]:
    usual: dict[str, Json] = {name: text(frame.get(name)) for name in ("function", "module", "filename", "abs_path")}
    usual["lineno"], usual["colno"] = integer(frame.get("lineno")), integer(frame.get("colno"))
    usual["in_app"] = boolean(frame.get("in_app"))
    usual["pre_context"], usual["post_context"] = _lines(frame.get("pre_context")), _lines(frame.get("post_context"))
    usual["context_line"] = text(frame.get("context_line"))
    found = frame.get("vars")
    usual["vars"] = found if isinstance(found, dict) else {"vars": found} if found else None
    return usual


def _stack(stack: Json) -> dict[str, Json] | None:
    frames = stack.get("frames") if isinstance(stack, dict) else stack
    if not isinstance(frames, list):
        return None
    return {"frames": [_frame(frame) for frame in frames if isinstance(frame, dict)]}


def _exception(one: dict[str, Json]) -> dict[str, Json]:
    usual: dict[str, Json] = {name: text(one.get(name)) for name in ("type", "value", "module")}
    usual["stacktrace"] = _stack(one.get("stacktrace"))
    found = one.get("mechanism")
    if isinstance(found, dict):
        usual["mechanism"] = {
            **{name: text(found.get(name)) for name in ("type", "source")},
            **{name: boolean(found.get(name)) for name in ("handled", "synthetic", "is_exception_group")},
            **{name: integer(found.get(name)) for name in ("exception_id", "parent_id")},
        }
    return usual


def _thread(one: dict[str, Json]) -> dict[str, Json]:
    return {
        "name": text(one.get("name")),
        "crashed": boolean(one.get("crashed")),
        "current": boolean(one.get("current")),
        "stacktrace": _stack(one.get("stacktrace")),
    }


def _log_entry(value: Json) -> dict[str, Json] | None:
    if isinstance(value, dict):
        return {"formatted": text(value.get("formatted")), "message": text(value.get("message"))}
    return {"message": text(value)} if value is not None else None


def _crumb(one: dict[str, Json]) -> dict[str, Json]:
    usual: dict[str, Json] = {name: text(one.get(name)) for name in ("type", "category", "level", "message")}
    stamp = one.get("timestamp")
    usual["timestamp"] = stamp if isinstance(stamp, int | float | str) and not isinstance(stamp, bool) else None
    usual["data"] = one.get("data")
    return usual


def _request(value: Json) -> dict[str, Json] | None:
    if not isinstance(value, dict):
        return None
    usual: dict[str, Json] = {name: text(value.get(name)) for name in ("url", "method")}
    query = value.get("query_string")
    if isinstance(query, dict | list):
        query = "&".join(f"{key}={one}" for key, one in texts_of(query).items())
    usual["query_string"] = text(query)
    usual["headers"] = texts_of(value.get("headers"))
    usual["cookies"], usual["data"] = value.get("cookies"), value.get("data")
    usual["env"] = mapping(value.get("env"))
    return usual
