"""A Sentry event's JSON made into a draft. https://develop.sentry.dev/sdk/data-model/event-payloads/"""

from datetime import UTC, datetime
from typing import Any

import msgspec
import re2
from msgspec import UNSET, Raw, UnsetType

from catchall.core import limits
from catchall.core.errors import Reason, WireError
from catchall.core.event import (
    Breadcrumb,
    Client,
    DeviceContext,
    EventDraft,
    ExceptionInfo,
    Frame,
    HttpContext,
    Mechanism,
    Process,
)
from catchall.core.record import RawRecord
from catchall.core.times import rfc3339
from catchall.wire.bounded import Bounds
from catchall.wire.sentry_lenient import integer, mapping, read_json, text, usual_event
from catchall.wire.sentry_types import SentryBreadcrumb, SentryEvent, SentryException, SentryRequest, SentryStack

_decode = msgspec.json.Decoder(SentryEvent).decode
_decode_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
# escapes of what needs none: PHP writes \/, some clients \u0040; later screens read plain text only
_PRINTABLE_ESCAPE = re2.compile(rb"\\/|\\u00[2-7][0-9a-fA-F]")
_KEPT_CONTEXTS = frozenset({"trace", "runtime", "os", "browser", "device"})
_V8_PLATFORMS = frozenset({"node", "javascript"})
_V8_RECEIVER = "Object."
_MICROSECONDS = 1_000_000
_YEAR_3000 = 32_503_680_000


def canonical(data: bytes) -> bytes:
    """The same JSON as plain UTF-8 without needless escapes.

    Raises WireError when it had to be read for that and could not be.
    """
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        data = data.decode("utf-8", "replace").encode()
    if b"\x00" in data:
        data = data.replace(b"\x00", b" ")
    if b"\\" in data and _PRINTABLE_ESCAPE.search(data):
        data = _encode(read_json(data))
    return data


def read_event(data: bytes) -> SentryEvent:
    """Decode an event, straight when its types are the usual ones, leniently when not.

    Raises WireError: JSON_MALFORMED, JSON_TOO_DEEP, WRONG_TYPE (not an object).
    """
    plain = canonical(data)
    try:
        return _decode(plain)
    except RecursionError:
        raise WireError(Reason.JSON_TOO_DEEP, "nested too deep") from None
    except msgspec.MsgspecError:
        found = read_json(plain)
    if not isinstance(found, dict):
        raise WireError(Reason.WRONG_TYPE, "an event is a JSON object")
    try:
        return _decode(_encode(usual_event(found)))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise WireError(Reason.WRONG_TYPE, str(error)[: limits.NAME_CHARS_MAX]) from None


def to_draft(event: SentryEvent, event_id: str, record: RawRecord) -> EventDraft:
    """Fill a draft with what an event says, within the limits."""
    draft = EventDraft(
        event_id=event_id, project_id=record.project_id, received_at=record.received_at, protocol=record.protocol
    )
    bounds = Bounds(draft)
    _fill_names(draft, event, bounds)
    values = event.exception.values if event.exception else None
    draft.exceptions = _exceptions(values or [], bounds)
    _fill_stack(draft, event, bounds)
    if event.platform in _V8_PLATFORMS:
        for stack in (draft.stack_trace, *(one.stack_trace for one in draft.exceptions)):
            _drop_receivers(stack)
    _fill_message(draft, event, bounds)
    _fill_contexts(draft, event.contexts or {}, bounds)
    if event.breadcrumbs and event.breadcrumbs.values:
        draft.breadcrumbs = _breadcrumbs(event.breadcrumbs.values, bounds)
    if event.request:
        status = draft.http_context.status_code if draft.http_context else None
        draft.http_context = _request(event.request, bounds)
        draft.http_context.status_code = status
    if event.user:
        draft.user_raw = {key: _decode_any(value) for key, value in event.user.items()}
    if draft.exceptions:
        draft.handled = draft.exceptions[-1].handled
    return draft


def time_of(stamp: float | str | None) -> int | None:
    """Microseconds since the epoch of a time as SDKs write it; None when it is none."""
    if isinstance(stamp, str):
        try:
            found = datetime.fromisoformat(stamp.strip())
        except ValueError:
            try:
                stamp = float(stamp)
            except ValueError:
                return None
        else:
            found = found if found.tzinfo else found.replace(tzinfo=UTC)
            try:
                return round(found.timestamp() * _MICROSECONDS)
            except (OverflowError, ValueError):
                return None
    if stamp is None or not -_YEAR_3000 < stamp < _YEAR_3000:
        return None
    return round(stamp * _MICROSECONDS)


def _fill_names(draft: EventDraft, event: SentryEvent, bounds: Bounds) -> None:
    draft.timestamp = time_of(event.timestamp)
    if draft.timestamp is None and event.timestamp is not None:
        draft.timestamp_text = str(event.timestamp)[: limits.NAME_CHARS_MAX]
    draft.level = bounds.text(event.level, "level")
    draft.platform = bounds.text(event.platform, "platform")
    draft.logger = bounds.text(event.logger, "logger")
    draft.transaction = bounds.text(event.transaction, "transaction")
    draft.host_name = bounds.text(event.server_name, "host_name")
    draft.release_version = bounds.text(event.release, "release_version")
    draft.dist = bounds.text(event.dist, "dist")
    draft.environment = bounds.text(event.environment, "environment")
    if event.tags:
        draft.tags = bounds.tags(event.tags)
        draft.service_name = draft.tags.get("service.name") or draft.tags.get("service", "")
    draft.extra_data = bounds.raw(event.extra, "extra_data", limits.EXTRA_BYTES_MAX)
    draft.debug_meta = bounds.raw(event.debug_meta, "debug_meta", limits.EXTRA_BYTES_MAX)
    if event.sdk and event.sdk.name:
        draft.client = Client(
            name=bounds.text(event.sdk.name, "client.name"), version=bounds.text(event.sdk.version, "client.version")
        )
    if event.fingerprint:
        draft.client_fingerprint = [
            bounds.text(one, "client_fingerprint") for one in event.fingerprint[: limits.TAGS_MAX]
        ]


def _fill_message(draft: EventDraft, event: SentryEvent, bounds: Bounds) -> None:
    entry = event.logentry or event.message
    if entry is not None and not isinstance(entry, str):
        entry = entry.formatted or entry.message
    draft.message = bounds.text(entry, "message", limits.MESSAGE_CHARS_MAX)


def _fill_stack(draft: EventDraft, event: SentryEvent, bounds: Bounds) -> None:
    """A stack that belongs to no exception: the event's own, or that of the crashed or current thread."""
    threads = (event.threads.values if event.threads else None) or []
    chosen = next((one for one in threads if one.crashed), None) or next((one for one in threads if one.current), None)
    if chosen and chosen.name:
        draft.process = Process(thread=bounds.text(chosen.name, "process.thread"))
    if any(one.stack_trace for one in draft.exceptions):
        return
    stack = event.stacktrace or (chosen.stacktrace if chosen else None)
    if stack is None and len(threads) == 1:
        stack = threads[0].stacktrace
    frames = _frames(stack, "stack_trace", bounds)
    if draft.exceptions:
        draft.exceptions[-1].stack_trace = frames
    else:
        draft.stack_trace = frames


def _exceptions(values: list[SentryException], bounds: Bounds) -> list[ExceptionInfo]:
    if len(values) > limits.EXCEPTIONS_MAX:
        bounds.note("exceptions", len(values), limits.EXCEPTIONS_MAX, "exceptions")
        values = values[: limits.EXCEPTIONS_MAX - 1] + values[-1:]
    found = []
    for index, one in enumerate(values):
        path = f"exceptions.{index}"
        mechanism = one.mechanism
        found.append(
            ExceptionInfo(
                error_type=bounds.text(one.type, path, limits.ERROR_TYPE_CHARS_MAX),
                message=bounds.text(one.value, path, limits.MESSAGE_CHARS_MAX),
                module=bounds.text(one.module, path),
                stack_trace=_frames(one.stacktrace, path, bounds),
                handled=mechanism.handled if mechanism else None,
                mechanism=mechanism
                and Mechanism(
                    type=bounds.text(mechanism.type, path),
                    handled=mechanism.handled,
                    synthetic=bool(mechanism.synthetic),
                    source=bounds.text(mechanism.source, path),
                    exception_id=mechanism.exception_id,
                    parent_id=mechanism.parent_id,
                    is_exception_group=bool(mechanism.is_exception_group),
                ),
            )
        )
    return found


def _frames(stack: SentryStack | None, path: str, bounds: Bounds) -> list[Frame]:
    """The hottest loop of parsing: one look at each frame, cutting only where something may be too long."""
    if stack is None or not stack.frames:
        return []
    frames = []
    most = limits.FRAME_TEXT_CHARS_MAX
    for one in stack.frames:
        function, module = one.function or "", one.module or ""
        filename = one.filename or ""
        # SDKs for Node put the whole path into the file's name
        abs_path = one.abs_path or (filename if filename[:1] == "/" else "")
        if len(function) + len(module) + len(filename) + len(abs_path) > most:
            function, module = bounds.text(function, path, most), bounds.text(module, path, most)
            filename, abs_path = bounds.text(filename, path, most), bounds.text(abs_path, path, most)
        frame = Frame(
            function=function,
            module=module,
            filename=filename,
            abs_path=abs_path,
            lineno=one.lineno,
            colno=one.colno,
            in_app=one.in_app,
        )
        if one.context_line or one.pre_context or one.post_context:
            frame.context = bounds.context(one.pre_context or [], one.context_line or "", one.post_context or [])
        if one.vars is not UNSET:
            frame.locals = bounds.raw(one.vars, path, limits.LOCALS_BYTES_MAX)
        frames.append(frame)
    return bounds.middle_out(frames, path)


def _drop_receivers(frames: list[Frame]) -> None:
    """V8 writes the receiver's class before a method's name; for plain objects that is "Object." and says nothing.

    https://v8.dev/docs/stack-trace-api
    """
    for frame in frames:
        frame.function = frame.function.removeprefix(_V8_RECEIVER)


def _breadcrumbs(values: list[SentryBreadcrumb], bounds: Bounds) -> list[Breadcrumb]:
    if len(values) > limits.BREADCRUMBS_MAX:
        bounds.note("breadcrumbs", len(values), limits.BREADCRUMBS_MAX, "breadcrumbs")
        values = values[-limits.BREADCRUMBS_MAX :]
    found = []
    for one in values:
        at = time_of(one.timestamp)
        found.append(
            Breadcrumb(
                timestamp=rfc3339(at) if at is not None and at >= 0 else "",
                type=bounds.text(one.type, "breadcrumbs"),
                category=bounds.text(one.category, "breadcrumbs"),
                level=bounds.text(one.level, "breadcrumbs"),
                message=bounds.text(one.message, "breadcrumbs", limits.BREADCRUMB_MESSAGE_CHARS_MAX),
                data=bounds.raw(one.data, "breadcrumbs.data", limits.BREADCRUMB_BYTES_MAX),
            )
        )
    return found


def _request(one: SentryRequest, bounds: Bounds) -> HttpContext:
    headers = one.headers or {}
    if len(headers) > limits.HTTP_HEADERS_MAX:
        bounds.note("http_context.headers", len(headers), limits.HTTP_HEADERS_MAX, "headers")
        headers = dict(list(headers.items())[: limits.HTTP_HEADERS_MAX])
    most = limits.HTTP_VALUE_CHARS_MAX
    kept = {
        bounds.text(name, "http_context.headers"): bounds.text(value, "http_context.headers", most)
        for name, value in headers.items()
    }
    cookies = _cookies(one.cookies)
    if cookies and not any(name.lower() == "cookie" for name in kept):
        kept["Cookie"] = bounds.text(cookies, "http_context.headers", most)
    address = (one.env or {}).get("REMOTE_ADDR")
    return HttpContext(
        method=bounds.text(one.method, "http_context.method"),
        url=bounds.text(one.url, "http_context.url", limits.URL_CHARS_MAX),
        query_string=bounds.text(one.query_string, "http_context.query_string", limits.URL_CHARS_MAX),
        headers=kept,
        body=bounds.raw(one.data, "http_context.body", limits.HTTP_BODY_BYTES_MAX),
        remote_address=bounds.text(text(_decode_any(address)) if address else "", "http_context.remote_address"),
    )


def _cookies(value: Raw | UnsetType) -> str:
    if value is UNSET:
        return ""
    found = _decode_any(value)
    if isinstance(found, dict | list):
        return "; ".join(f"{name}={text(one)}" for name, one in mapping(found).items())
    return text(found) or ""


def _fill_contexts(draft: EventDraft, contexts: dict[str, Raw], bounds: Bounds) -> None:
    def read(name: str) -> dict[str, Any]:
        found = _decode_any(contexts[name]) if name in contexts else None
        return found if isinstance(found, dict) else {}

    trace = read("trace")
    draft.trace_id = bounds.text(text(trace.get("trace_id")), "trace_id")
    draft.span_id = bounds.text(text(trace.get("span_id")), "span_id")
    runtime = _versioned(read("runtime"))
    if runtime or draft.process:
        draft.process = draft.process or Process()
        draft.process.runtime = bounds.text(runtime, "process.runtime")
    device = read("device")
    found = DeviceContext(
        os=bounds.text(_versioned(read("os")), "device_context.os"),
        browser=bounds.text(_versioned(read("browser")), "device_context.browser"),
        model=bounds.text(text(device.get("model") or device.get("name")), "device_context.model"),
        network=bounds.text(text(device.get("connection_type")), "device_context.network"),
    )
    if found != DeviceContext():
        draft.device_context = found
    response = read("response")
    status = integer(response.get("status_code"))
    if status is not None:
        draft.http_context = HttpContext(status_code=status)
    rest = {name: value for name, value in contexts.items() if name not in _KEPT_CONTEXTS}
    if rest:
        draft.extra_data = _with_contexts(draft.extra_data, rest, bounds)


def _versioned(context: dict[str, Any]) -> str:
    name, version = text(context.get("name")) or "", text(context.get("version")) or ""
    return f"{name} {version}".strip()


def _with_contexts(extra: Raw | UnsetType, contexts: dict[str, Raw], bounds: Bounds) -> Raw | UnsetType:
    """The other contexts beside the extra data, without taking that apart. `extra` is a JSON object."""
    inside = b'{"contexts":' + _encode(contexts)
    if extra is UNSET:
        return bounds.raw(Raw(inside + b"}"), "extra_data", limits.EXTRA_BYTES_MAX)
    rest = bytes(extra).lstrip()
    if rest[:1] != b"{" or len(inside) > limits.EXTRA_BYTES_MAX:
        bounds.note("extra_data.contexts", len(inside), 0, "bytes")
        return extra
    return Raw(inside + b"," + rest[1:])
