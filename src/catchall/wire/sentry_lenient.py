"""A Sentry event with odd types or beyond the limits, made into the usual one: coerced, cut, keeping what it can.

Old and home-made clients send numbers as texts, lists as objects, objects as lists of pairs. Slower than decoding
straight (by four), and rare.
"""

from collections.abc import Callable
from typing import TypeVar

from msgspec import UNSET, Raw, UnsetType

from catchall.core import limits
from catchall.wire.bounded import Bounds, Path
from catchall.wire.coerce import boolean, integer, listing, mapping, text
from catchall.wire.json_text import Json, encode
from catchall.wire.sentry_types import (
    SentryBreadcrumb,
    SentryBreadcrumbs,
    SentryEvent,
    SentryException,
    SentryExceptions,
    SentryFrame,
    SentryLogEntry,
    SentryMechanism,
    SentryRequest,
    SentrySdk,
    SentryStack,
    SentryThread,
    SentryThreads,
)

Thing = TypeVar("Thing")


def usual_event(event: dict[str, Json], bounds: Bounds) -> SentryEvent:
    """The event with the usual types, within the limits; each cut is noted in `bounds` under the model's names."""

    def name(field: str, *path: Path) -> str:
        return bounds.text(text(event.get(field)), limits.NAME_CHARS_MAX, *(path or (field,)))

    stack = _stack(event.get("stacktrace"), bounds, "stack_trace")
    return SentryEvent(
        event_id=name("event_id"),
        timestamp=_timestamp(event.get("timestamp")),
        type=name("type"),
        platform=name("platform"),
        level=name("level"),
        logger=name("logger"),
        transaction=name("transaction"),
        culprit=name("culprit"),
        release=name("release", "release_version"),
        dist=name("dist"),
        environment=name("environment"),
        server_name=name("server_name", "host_name"),
        exception=SentryExceptions(_exceptions(event.get("exception"), bounds)),
        threads=SentryThreads(_threads(event.get("threads"), bounds)),
        stacktrace=stack,
        logentry=_log_entry(event.get("logentry"), bounds),
        message=_log_entry(event.get("message"), bounds),
        breadcrumbs=SentryBreadcrumbs(Raw(encode(listing(event.get("breadcrumbs"))))),
        request=_request(event.get("request"), bounds),
        user=_user(event.get("user"), bounds),
        tags=_tags(event.get("tags"), bounds),
        contexts=_contexts(event.get("contexts"), bounds),
        extra=_raw(event.get("extra")),
        modules=_raw(event.get("modules")),
        sdk=_sdk(event.get("sdk"), bounds),
        fingerprint=_fingerprint(event.get("fingerprint"), bounds),
        debug_meta=_raw(event.get("debug_meta")),
    )


def _raw(value: Json) -> Raw | UnsetType:
    return UNSET if value is None else Raw(encode(value))


def _timestamp(value: Json) -> float | str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return text(value)[: limits.NAME_CHARS_MAX] or None


def _each(
    values: list[Json], bounds: Bounds, make: Callable[[dict[str, Json], Bounds, int], Thing], bare: str
) -> list[Thing]:
    """Objects made into what they stand for; a bare value stands for its field `bare`, null for nothing."""
    found = [one if isinstance(one, dict) else {bare: one} for one in values if one is not None]
    return [make(one, bounds, index) for index, one in enumerate(found)]


def _exceptions(value: Json, bounds: Bounds) -> list[SentryException]:
    values = [value] if isinstance(value, str) else listing(value)
    most = limits.EXCEPTIONS_MAX
    if len(values) > most:
        bounds.note(len(values), most, "exceptions", "exceptions")
        values = values[: most - 1] + values[-1:]
    return _each(values, bounds, _exception, "value")


def _exception(one: dict[str, Json], bounds: Bounds, index: int) -> SentryException:
    where = ("exceptions", index)
    mechanism = one.get("mechanism")
    return SentryException(
        type=bounds.text(text(one.get("type")), limits.ERROR_TYPE_CHARS_MAX, *where, "error_type"),
        value=bounds.text(text(one.get("value")), limits.MESSAGE_CHARS_MAX, *where, "message"),
        module=bounds.text(text(one.get("module")), limits.NAME_CHARS_MAX, *where, "module"),
        stacktrace=_stack(one.get("stacktrace"), bounds, *where, "stack_trace"),
        mechanism=_mechanism(mechanism, bounds, where) if isinstance(mechanism, dict) else None,
        thread_id=_thread_id(one.get("thread_id")),
    )


def _mechanism(one: dict[str, Json], bounds: Bounds, where: tuple[Path, ...]) -> SentryMechanism:
    return SentryMechanism(
        type=bounds.text(text(one.get("type")), limits.NAME_CHARS_MAX, *where, "mechanism", "type"),
        handled=boolean(one.get("handled")),
        synthetic=boolean(one.get("synthetic")),
        source=bounds.text(text(one.get("source")), limits.NAME_CHARS_MAX, *where, "mechanism", "source"),
        exception_id=integer(one.get("exception_id")),
        parent_id=integer(one.get("parent_id")),
        is_exception_group=boolean(one.get("is_exception_group")),
    )


def _threads(value: Json, bounds: Bounds) -> list[SentryThread]:
    return _each(listing(value)[: limits.THREADS_MAX], bounds, _thread, "name")


def _thread(one: dict[str, Json], bounds: Bounds, index: int) -> SentryThread:
    return SentryThread(
        id=_thread_id(one.get("id")),
        name=bounds.text(text(one.get("name")), limits.NAME_CHARS_MAX, "threads", index, "name"),
        crashed=boolean(one.get("crashed")),
        current=boolean(one.get("current")),
        stacktrace=_stack(one.get("stacktrace"), bounds, "threads", index, "stack_trace"),
    )


def _thread_id(value: Json) -> int | str | None:
    return value if isinstance(value, int) else text(value)[: limits.NAME_CHARS_MAX] or None


def _stack(value: Json, bounds: Bounds, *where: Path) -> SentryStack | None:
    frames = value.get("frames") if isinstance(value, dict) else value
    if not isinstance(frames, list):
        return None
    return SentryStack(Raw(usual_frames(frames, bounds, *where)))


def usual_frames(value: Json, bounds: Bounds, *where: Path) -> bytes:
    """Frames with the usual types, within the limits, as JSON."""
    if not isinstance(value, list):
        return b"[]"
    kept = bounds.ends(value, limits.FRAMES_MAX, "frames", *where)
    found = [one if isinstance(one, dict) else {"function": one} for one in kept if one is not None]
    return encode([_frame(one, bounds, (*where, index)) for index, one in enumerate(found)])


def _frame(one: dict[str, Json], bounds: Bounds, where: tuple[Path, ...]) -> SentryFrame:
    def name(field: str) -> str:
        return bounds.text(text(one.get(field)), limits.FRAME_TEXT_CHARS_MAX, *where, field)

    def number(field: str) -> int | None:
        found = integer(one.get(field))
        return found if found is not None and found <= limits.LINE_NUMBER_MAX else None

    line = text(one.get("context_line"))
    return SentryFrame(
        filename=name("filename"),
        abs_path=name("abs_path"),
        function=name("function"),
        module=name("module"),
        lineno=number("lineno"),
        colno=number("colno"),
        pre_context=_lines(one.get("pre_context"), bounds, -limits.CONTEXT_LINES_MAX, (*where, "context", "pre")),
        context_line=bounds.text(line, limits.CONTEXT_LINE_CHARS_MAX, *where, "context", "line"),
        post_context=_lines(one.get("post_context"), bounds, limits.CONTEXT_LINES_MAX, (*where, "context", "post")),
        vars=_raw(one.get("vars")),
        in_app=boolean(one.get("in_app")),
        package=name("package"),
        instruction_addr=name("instruction_addr"),
    )


def _lines(value: Json, bounds: Bounds, most: int, where: tuple[Path, ...]) -> list[str]:
    """Source lines, those nearest to the frame's own: the last ones for a negative `most`."""
    values = value if isinstance(value, list) else []
    near = bounds.first(values, most, "lines", *where) if most > 0 else bounds.last(values, -most, "lines", *where)
    return [bounds.text(text(line), limits.CONTEXT_LINE_CHARS_MAX, *where, index) for index, line in enumerate(near)]


def _log_entry(value: Json, bounds: Bounds) -> SentryLogEntry | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        return SentryLogEntry(formatted=bounds.text(text(value), limits.MESSAGE_CHARS_MAX, "message"))
    return SentryLogEntry(
        message=bounds.text(text(value.get("message")), limits.MESSAGE_CHARS_MAX, "message_template"),
        formatted=bounds.text(text(value.get("formatted")), limits.MESSAGE_CHARS_MAX, "message"),
        params=_raw(value.get("params")),
    )


def usual_breadcrumbs(value: Json, bounds: Bounds) -> list[SentryBreadcrumb]:
    """Breadcrumbs with the usual types, within the limits."""
    values = listing(value)
    return _each(
        list(bounds.last(values, limits.BREADCRUMBS_MAX, "breadcrumbs", "breadcrumbs")), bounds, _breadcrumb, "message"
    )


def _breadcrumb(one: dict[str, Json], bounds: Bounds, index: int) -> SentryBreadcrumb:
    def name(field: str, most: int) -> str:
        return bounds.text(text(one.get(field)), most, "breadcrumbs", index, field)

    return SentryBreadcrumb(
        timestamp=_timestamp(one.get("timestamp")),
        type=name("type", limits.NAME_CHARS_MAX),
        category=name("category", limits.NAME_CHARS_MAX),
        level=name("level", limits.NAME_CHARS_MAX),
        message=name("message", limits.BREADCRUMB_MESSAGE_CHARS_MAX),
        data=_raw(one.get("data")),
    )


def _request(value: Json, bounds: Bounds) -> SentryRequest | None:
    if not isinstance(value, dict):
        return None
    query = value.get("query_string")
    if isinstance(query, dict | list):
        query = "&".join(f"{key}={text(one)}" for key, one in mapping(query).items())
    env = value.get("env")
    return SentryRequest(
        url=bounds.text(text(value.get("url")), limits.URL_CHARS_MAX, "http_context", "url"),
        method=bounds.text(text(value.get("method")), limits.NAME_CHARS_MAX, "http_context", "method"),
        query_string=bounds.text(text(query), limits.URL_CHARS_MAX, "http_context", "query_string"),
        headers=_headers(mapping(value.get("headers")), bounds),
        env=env if isinstance(env, dict) else None,
        cookies=_raw(value.get("cookies")),
        data=_raw(value.get("data")),
    )


def _headers(headers: dict[str, Json], bounds: Bounds) -> dict[str, str]:
    where = ("http_context", "headers")
    kept = bounds.first(list(headers.items()), limits.HTTP_HEADERS_MAX, "headers", *where)
    found = {}
    for name, value in kept:
        joined = ", ".join(map(text, value)) if isinstance(value, list) else text(value)
        short = bounds.text(name, limits.NAME_CHARS_MAX, *where)
        found[short] = bounds.text(joined, limits.HTTP_VALUE_CHARS_MAX, *where, short)
    return found


def _user(value: Json, bounds: Bounds) -> dict[str, Json]:
    fields = value if isinstance(value, dict) else {} if value is None else {"id": value}
    return dict(bounds.first(list(fields.items()), limits.USER_FIELDS_MAX, "fields", "user"))


def _tags(value: Json, bounds: Bounds) -> dict[str, str | int | float | bool | None]:
    pairs = [(key, text(one)) for key, one in mapping(value).items() if key and one is not None]
    found: dict[str, str | int | float | bool | None] = {}
    for key, one in bounds.first(pairs, limits.TAGS_MAX, "tags", "tags"):
        name, kept = key[: limits.TAG_KEY_CHARS_MAX], one[: limits.TAG_VALUE_CHARS_MAX]
        before, after = len(key) + len(one), len(name) + len(kept)
        if after < before:  # one mark for key and value: marks are few
            bounds.note(before, after, "characters", "tags", name)
        found[name] = kept
    return found


def _contexts(value: Json, bounds: Bounds) -> dict[str, Raw]:
    pairs = [(key[: limits.NAME_CHARS_MAX], Raw(encode(one))) for key, one in mapping(value).items()]
    return dict(bounds.first(pairs, limits.CONTEXTS_MAX, "contexts", "extra_data", "contexts"))


def _sdk(value: Json, bounds: Bounds) -> SentrySdk:
    found = value if isinstance(value, dict) else {"name": value}
    return SentrySdk(
        name=bounds.text(text(found.get("name")), limits.NAME_CHARS_MAX, "client", "name"),
        version=bounds.text(text(found.get("version")), limits.NAME_CHARS_MAX, "client", "version"),
    )


def _fingerprint(value: Json, bounds: Bounds) -> list[str]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    kept = bounds.first(values, limits.CLIENT_FINGERPRINT_PARTS_MAX, "parts", "client_fingerprint")
    return [bounds.text(text(one), limits.NAME_CHARS_MAX, "client_fingerprint") for one in kept]
