"""A Sentry event's JSON made into a draft.

Source: https://develop.sentry.dev/sdk/data-model/event-payloads/. Exceptions come root cause first and frames outermost
first, which is our order too.
"""

import msgspec
from msgspec import UNSET, Raw

from catchall.core import limits
from catchall.core.client_times import microseconds, timestamp_text
from catchall.core.errors import Reason, WireError
from catchall.core.event import OWN_STACK, Breadcrumb, Client, EventDraft, ExceptionInfo, Mechanism, Process
from catchall.wire.bounded import Bounds
from catchall.wire.coerce import text
from catchall.wire.json_text import loads, plain
from catchall.wire.sentry_context import fill_contexts, http_context
from catchall.wire.sentry_lenient import usual_breadcrumbs, usual_event
from catchall.wire.sentry_message import logged
from catchall.wire.sentry_stack import stack_part
from catchall.wire.sentry_types import (
    SentryBreadcrumb,
    SentryBreadcrumbList,
    SentryEvent,
    SentryException,
    SentryMechanism,
    SentryStack,
    SentryThread,
)

_decode = msgspec.json.Decoder(SentryEvent).decode
_decode_breadcrumbs = msgspec.json.Decoder(SentryBreadcrumbList).decode
_SMALL_BYTES = 2 * limits.JSON_DEPTH_MAX  # a raw part that is no larger needs no look at its depth or size
_EMPTY_BYTES = 4  # null is the longest without content
_TEXT = frozenset({str})
_V8_PLATFORMS = frozenset({"node", "javascript"})
_LEVELS = {10: "debug", 20: "info", 30: "warning", 40: "error", 50: "fatal"}  # of Python's logging; old SDKs send them


def read_event(data: bytes, bounds: Bounds) -> SentryEvent:
    """Decode an event, straight when types and sizes are the usual ones, leniently when not.

    Raises WireError: JSON_MALFORMED, JSON_TOO_DEEP, WRONG_TYPE (not an object).
    """
    data = plain(data)
    try:
        return _decode(data)
    except (msgspec.DecodeError, RecursionError):
        found = loads(data)
    if not isinstance(found, dict):
        raise WireError(Reason.WRONG_TYPE, "an event is a JSON object")
    return usual_event(found, bounds)


def fill(draft: EventDraft, event: SentryEvent, bounds: Bounds) -> None:
    """Fill a draft with what an event says. Raises WireError JSON_TOO_DEEP for a part that nests too deep."""
    _fill_names(draft, event)
    _fill_error(draft, event, bounds)
    if event.breadcrumbs:
        _add_breadcrumbs(draft, event.breadcrumbs.values, bounds)
    if event.request:
        draft.http_context = http_context(event.request, bounds)
    if event.user:
        draft.user_raw = _user(event.user)
    fill_contexts(draft, event, bounds)
    draft.debug_meta = bounds.raw(event.debug_meta, limits.DEBUG_META_BYTES_MAX, "debug_meta")


def _fill_names(draft: EventDraft, event: SentryEvent) -> None:
    draft.timestamp = microseconds(event.timestamp)
    if draft.timestamp is None and event.timestamp is not None:
        draft.timestamp_text = str(event.timestamp)
    draft.level = _level(event.level or "")
    draft.platform = event.platform or ""
    draft.logger = event.logger or ""
    draft.transaction = event.transaction or ""
    draft.culprit = event.culprit or ""
    draft.host_name = event.server_name or ""
    draft.release_version = event.release or ""
    draft.dist = event.dist or ""
    draft.environment = event.environment or ""
    if event.tags:
        draft.tags = _tags(event.tags)
    if event.sdk and event.sdk.name:
        draft.client = Client(name=event.sdk.name, version=event.sdk.version or "")
    if event.fingerprint:
        draft.client_fingerprint = event.fingerprint


def _tags(sent: dict[str, str | int | float | bool | None]) -> dict[str, str]:
    """Those that have a value, as text."""
    values = sent.values()
    if _TEXT.issuperset(map(type, values)) and "" not in values:  # nearly always
        return sent  # type: ignore[return-value]
    return {key: text(value) for key, value in sent.items() if value is not None and value != ""}


def _level(level: str) -> str:
    return _LEVELS.get(int(level), level) if level.isascii() and level.isdigit() else level


def _user(user: dict[str, object]) -> dict[str, object]:
    """The plain fields. Nothing of it is stored as it is, so that nothing needs to be marked as cut."""
    return {
        key: value[: limits.NAME_CHARS_MAX] if isinstance(value, str) else value
        for key, value in user.items()
        if isinstance(value, str | int | float) and len(key) <= limits.NAME_CHARS_MAX
    }


def _fill_error(draft: EventDraft, event: SentryEvent, bounds: Bounds) -> None:
    """Exceptions, message and stack, and which thread it was."""
    found = (event.exception.values if event.exception else None) or []
    said = logged(event, draft)
    if len(found) == 1 and not found[0].type:
        # a message with a stack: the JavaScript SDKs send it as an exception that has no type
        lone = found[0]
        draft.message = lone.value or said
        draft.handled = lone.mechanism.handled if lone.mechanism else None
        _add_stack(draft, lone.stacktrace, OWN_STACK, bounds)
    else:
        draft.exceptions = [_exception(one) for one in found]
        draft.message = said
        for index, one in enumerate(found):
            _add_stack(draft, one.stacktrace, index, bounds)
    if draft.exceptions:
        primary = draft.exceptions[-1]
        draft.error_type = primary.error_type
        draft.message = primary.message or said
        draft.handled = next((one.handled for one in reversed(draft.exceptions) if one.handled is not None), None)
        draft.message_template = ""
    thread = _failed_thread(event, found)
    if thread and (thread.name or thread.id is not None):
        draft.process = Process(thread=thread.name or str(thread.id))
    if not draft.stacks:  # one beside the exceptions, of which none has its own, is that of the primary one
        stack = event.stacktrace or (thread.stacktrace if thread else None)
        _add_stack(draft, stack, len(draft.exceptions) - 1 if draft.exceptions else OWN_STACK, bounds)


def _add_stack(draft: EventDraft, stack: SentryStack | None, owner: int, bounds: Bounds) -> None:
    where = ("stack_trace",) if owner == OWN_STACK else ("exceptions", owner, "stack_trace")
    part = stack_part(stack, owner, bounds, *where, v8=draft.platform in _V8_PLATFORMS)
    if part:
        draft.stacks.append(part)


def _failed_thread(event: SentryEvent, exceptions: list[SentryException]) -> SentryThread | None:
    """The thread of the primary exception; else the one that crashed, the current one, the only one."""
    threads = (event.threads.values if event.threads else None) or []
    if not threads:
        return None
    wanted = exceptions[-1].thread_id if exceptions else None
    if wanted is not None:
        for one in threads:
            if one.id is not None and str(one.id) == str(wanted):
                return one
    for one in threads:
        if one.crashed:
            return one
    for one in threads:
        if one.current:
            return one
    return threads[0] if len(threads) == 1 else None


def _exception(one: SentryException) -> ExceptionInfo:
    mechanism = one.mechanism
    return ExceptionInfo(
        error_type=one.type or "",
        message=one.value or "",
        module=one.module or "",
        handled=mechanism.handled if mechanism else None,
        mechanism=_mechanism(mechanism) if mechanism else None,
    )


def _mechanism(one: SentryMechanism) -> Mechanism:
    return Mechanism(
        type=one.type or "",
        handled=one.handled,
        synthetic=bool(one.synthetic),
        source=one.source or "",
        exception_id=one.exception_id,
        parent_id=one.parent_id,
        is_exception_group=bool(one.is_exception_group),
    )


def _add_breadcrumbs(draft: EventDraft, sent: Raw, bounds: Bounds) -> None:
    """Keep them as they are when types and sizes are the usual ones."""
    try:
        values = _decode_breadcrumbs(sent)
    except (msgspec.DecodeError, RecursionError):
        draft.breadcrumbs = _breadcrumbs(usual_breadcrumbs(loads(bytes(sent)), bounds), bounds)
        return
    if not values:
        return
    if max(len(one.data) if one.data is not UNSET else 0 for one in values) > _SMALL_BYTES:
        draft.breadcrumbs = _breadcrumbs(values, bounds)
    else:
        draft.sent_breadcrumbs = sent


def _breadcrumbs(values: list[SentryBreadcrumb], bounds: Bounds) -> list[Breadcrumb]:
    found = []
    for index, one in enumerate(values):
        data = one.data
        if data is not UNSET and not _EMPTY_BYTES < len(data) <= _SMALL_BYTES:
            data = bounds.raw(data, limits.BREADCRUMB_BYTES_MAX, "breadcrumbs", index, "data")
        found.append(
            Breadcrumb(
                timestamp=timestamp_text(one.timestamp),
                type=one.type or "",
                category=one.category or "",
                level=one.level or "",
                message=one.message or "",
                data=data,
            )
        )
    return found
