"""What surrounds a Sentry event's error: request, contexts, extra data.

Source: https://develop.sentry.dev/sdk/data-model/event-payloads/request/
"""

from msgspec import UNSET, Raw, UnsetType

from catchall.core import limits
from catchall.core.event import DeviceContext, EventDraft, HttpContext, Process
from catchall.wire.bounded import Bounds
from catchall.wire.coerce import mapping, text
from catchall.wire.json_text import encode, loads
from catchall.wire.sentry_contexts import Facts, read_contexts
from catchall.wire.sentry_message import logged_beside
from catchall.wire.sentry_types import SentryEvent, SentryRequest

_MASKED = "[Filtered]"  # what the SDKs put in the place of what they do not send
_EMPTY = frozenset({b"null", b"{}", b"[]", b'""'})


def http_context(request: SentryRequest, bounds: Bounds) -> HttpContext:
    """The request during which it happened. Cookies that the SDK sent apart become the Cookie header."""
    headers = request.headers or {}
    if request.cookies is not UNSET:
        headers = _with_cookies(headers, request.cookies, bounds)
    address = text((request.env or {}).get("REMOTE_ADDR"))
    return HttpContext(
        method=request.method or "",
        url=request.url or "",
        query_string=request.query_string or "",
        headers=headers,
        body=bounds.raw(request.data, limits.HTTP_BODY_BYTES_MAX, "http_context", "body"),
        remote_address=address[: limits.NAME_CHARS_MAX],
    )


def _with_cookies(headers: dict[str, str], cookies: Raw, bounds: Bounds) -> dict[str, str]:
    found = loads(bytes(cookies))
    line = found if isinstance(found, str) else "; ".join(f"{key}={text(one)}" for key, one in mapping(found).items())
    name = next((one for one in headers if one.lower() == "cookie"), "Cookie")
    if not line or headers.get(name, _MASKED) != _MASKED:
        return headers
    return {**headers, name: bounds.text(line, limits.HTTP_VALUE_CHARS_MAX, "http_context", "headers", name)}


def fill_contexts(draft: EventDraft, event: SentryEvent, bounds: Bounds) -> None:
    """What the contexts say goes to its place in the model; what has none goes with the extra data."""
    facts, rest = read_contexts(event.contexts or {})
    said = facts.get
    if facts:
        draft.trace_id = bounds.text(said("trace_id", ""), limits.NAME_CHARS_MAX, "trace_id")
        draft.span_id = bounds.text(said("span_id", ""), limits.NAME_CHARS_MAX, "span_id")
        _fill_process(draft, facts)
        _fill_device(draft, facts)
        if "status_code" in facts:
            draft.http_context = draft.http_context or HttpContext()
            draft.http_context.status_code = facts["status_code"]
    name = draft.tags.get("service.name") or draft.tags.get("service")
    name = name or said("service_name") or said("otel_service_name") or ""
    draft.service_name = name[: limits.NAME_CHARS_MAX]
    draft.extra_data = _extra_data(draft, event, _rest(rest, bounds), bounds)


def _fill_process(draft: EventDraft, facts: Facts) -> None:
    runtime, thread, pid = facts.get("runtime", ""), facts.get("thread", ""), facts.get("pid")
    if runtime or thread or pid is not None:
        process = draft.process = draft.process or Process()
        process.runtime = runtime
        process.pid = pid
        process.thread = process.thread or thread


def _fill_device(draft: EventDraft, facts: Facts) -> None:
    os, browser = facts.get("os", ""), facts.get("browser", "")
    model, network = facts.get("model", ""), facts.get("network", "")
    if os or browser or model or network:
        draft.device_context = DeviceContext(os=os, browser=browser, model=model, network=network)


def _rest(rest: dict[str, bytes], bounds: Bounds) -> bytes:
    """What found no place elsewhere, as a JSON object; empty bytes for nothing."""
    if not rest:
        return b""
    whole = b"{" + b",".join([encode(name) + b":" + value for name, value in rest.items()]) + b"}"
    if len(whole) <= limits.CONTEXT_BYTES_MAX:
        return whole
    parts = {
        name: bounds.raw(Raw(value), limits.CONTEXT_BYTES_MAX, "extra_data", "contexts", name)
        for name, value in rest.items()
    }
    return encode(parts)


def _extra_data(draft: EventDraft, event: SentryEvent, contexts: bytes, bounds: Bounds) -> Raw | UnsetType:
    """The extra data with contexts, log entry and a short list of packages beside what the client put there."""
    parts: list[tuple[str, bytes]] = []
    if contexts:
        parts.append(("contexts", contexts))
    logged = logged_beside(event, draft.message)
    if logged:
        parts.append(("logentry", logged))
    modules = b"" if event.modules is UNSET else bytes(event.modules)
    if modules and modules not in _EMPTY and len(modules) <= limits.MODULES_BYTES_MAX:
        parts.append(("modules", modules))
    if not parts:
        return bounds.object(event.extra, limits.EXTRA_BYTES_MAX, "extra_data")
    return bounds.raw(Raw(_joined(event.extra, parts)), limits.EXTRA_BYTES_MAX, "extra_data")


def _joined(extra: Raw | UnsetType, parts: list[tuple[str, bytes]]) -> bytes:
    """Put parts into a JSON object without taking it apart. The client's own keys stay: ours get a "_" behind."""
    base = b"{}" if extra is UNSET else bytes(extra)
    if base in _EMPTY:
        inside = b""
    elif base[:1] == b"{":
        inside = base[1:-1].strip()
    else:
        inside = b'"value":' + base
    pieces = [inside] if inside else []
    for name, part in parts:
        key = name
        while b'"%s"' % key.encode() in inside:
            key += "_"
        pieces.append(b'"%s":%s' % (key.encode(), part))
    return b"{" + b",".join(pieces) + b"}"
