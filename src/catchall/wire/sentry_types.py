"""The parts of a Sentry event that we take apart, with the types that its SDKs nearly always send, and our limits.

Decoding straight into these costs less than decoding everything, and the limits in the types cost nothing: what has
other types or is too long fails to decode and goes through `sentry_lenient`, which coerces and cuts. Fields stand in
the order in which the SDKs write them: the decoder then finds each at once.

Source: https://develop.sentry.dev/sdk/data-model/event-payloads/
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from catchall.core import limits

Name = Annotated[str, Meta(max_length=limits.NAME_CHARS_MAX)]
FrameText = Annotated[str, Meta(max_length=limits.FRAME_TEXT_CHARS_MAX)]
Line = Annotated[str, Meta(max_length=limits.CONTEXT_LINE_CHARS_MAX)]
Lines = Annotated[list[Line], Meta(max_length=limits.CONTEXT_LINES_MAX)]
Message = Annotated[str, Meta(max_length=limits.MESSAGE_CHARS_MAX)]
Number = Annotated[int, Meta(ge=0, le=limits.LINE_NUMBER_MAX)]
TagKey = Annotated[str, Meta(min_length=1, max_length=limits.TAG_KEY_CHARS_MAX)]
TagValue = Annotated[str, Meta(max_length=limits.TAG_VALUE_CHARS_MAX)]
HeaderValue = Annotated[str, Meta(max_length=limits.HTTP_VALUE_CHARS_MAX)]
Url = Annotated[str, Meta(max_length=limits.URL_CHARS_MAX)]
ErrorType = Annotated[str, Meta(max_length=limits.ERROR_TYPE_CHARS_MAX)]
CrumbText = Annotated[str, Meta(max_length=limits.BREADCRUMB_MESSAGE_CHARS_MAX)]


class SentryFrame(msgspec.Struct, omit_defaults=True, gc=False):
    """https://develop.sentry.dev/sdk/data-model/event-payloads/stacktrace/"""

    filename: FrameText | None = None
    abs_path: FrameText | None = None
    function: FrameText | None = None
    module: FrameText | None = None
    lineno: Number | None = None
    colno: Number | None = None
    pre_context: Lines | None = None
    context_line: Line | None = None
    post_context: Lines | None = None
    vars: Raw | UnsetType = UNSET  # read apart: sentry_stack
    in_app: bool | None = None
    package: FrameText | None = None
    instruction_addr: FrameText | None = None


SentryFrames = Annotated[list[SentryFrame], Meta(max_length=limits.FRAMES_MAX)] | None
"""Outermost call first."""


class SentryStack(msgspec.Struct, gc=False):
    """`frames`: `SentryFrames`, left alone until it is known that the stack is wanted."""

    frames: Raw | UnsetType = UNSET


class SentryMechanism(msgspec.Struct, gc=False):
    """How the SDK got the exception."""

    type: Name | None = None
    handled: bool | None = None
    synthetic: bool | None = None
    source: Name | None = None
    exception_id: Number | None = None
    parent_id: Number | None = None
    is_exception_group: bool | None = None


class SentryException(msgspec.Struct, gc=False):
    """https://develop.sentry.dev/sdk/data-model/event-payloads/exception/"""

    mechanism: SentryMechanism | None = None
    module: Name | None = None
    type: ErrorType | None = None
    value: Message | None = None
    stacktrace: SentryStack | None = None
    thread_id: int | Name | None = None


class SentryExceptions(msgspec.Struct, gc=False):
    """Root cause first, the one that arrived at the top last. An object without `values` is an exception itself."""

    values: Annotated[list[SentryException], Meta(max_length=limits.EXCEPTIONS_MAX)] | None


class SentryThread(msgspec.Struct, gc=False):
    """https://develop.sentry.dev/sdk/data-model/event-payloads/threads/"""

    id: int | Name | None = None
    name: Name | None = None
    crashed: bool | None = None
    current: bool | None = None
    stacktrace: SentryStack | None = None


class SentryThreads(msgspec.Struct, gc=False):
    """Threads."""

    values: Annotated[list[SentryThread], Meta(max_length=limits.THREADS_MAX)] | None


class SentryLogEntry(msgspec.Struct, gc=False):
    """https://develop.sentry.dev/sdk/data-model/event-payloads/message/: `message` before its `params` are put in."""

    message: Message | None = None
    formatted: Message | None = None
    params: Raw | UnsetType = UNSET


class SentryBreadcrumb(msgspec.Struct, gc=False):
    """https://develop.sentry.dev/sdk/data-model/event-payloads/breadcrumbs/"""

    timestamp: float | Name | None = None
    type: Name | None = None
    category: Name | None = None
    level: Name | None = None
    message: CrumbText | None = None
    data: Raw | UnsetType = UNSET


SentryBreadcrumbList = Annotated[list[SentryBreadcrumb], Meta(max_length=limits.BREADCRUMBS_MAX)] | None
"""Oldest first."""


class SentryBreadcrumbs(msgspec.Struct, gc=False):
    """`values`: `SentryBreadcrumbList`, kept as it is where it can be."""

    values: Raw


class SentryRequest(msgspec.Struct, gc=False):
    """https://develop.sentry.dev/sdk/data-model/event-payloads/request/"""

    url: Url | None = None
    method: Name | None = None
    query_string: Url | None = None
    headers: Annotated[dict[Name, HeaderValue], Meta(max_length=limits.HTTP_HEADERS_MAX)] | None = None
    env: dict[str, Any] | None = None
    cookies: Raw | UnsetType = UNSET
    data: Raw | UnsetType = UNSET


class SentrySdk(msgspec.Struct, gc=False):
    """What sent it."""

    name: Name | None = None
    version: Name | None = None


class SentryEvent(msgspec.Struct, gc=False):
    """An event as SDKs send it."""

    event_id: Name | None = None
    timestamp: float | Name | None = None
    type: Name | None = None
    platform: Name | None = None
    level: Name | None = None
    logger: Name | None = None
    transaction: Name | None = None
    culprit: Name | None = None
    release: Name | None = None
    dist: Name | None = None
    environment: Name | None = None
    server_name: Name | None = None
    exception: SentryExceptions | None = None
    threads: SentryThreads | None = None
    stacktrace: SentryStack | None = None
    logentry: SentryLogEntry | None = None
    message: Message | SentryLogEntry | None = None
    breadcrumbs: SentryBreadcrumbs | None = None
    request: SentryRequest | None = None
    user: Annotated[dict[str, Any], Meta(max_length=limits.USER_FIELDS_MAX)] | None = None
    tags: Annotated[dict[TagKey, TagValue | int | float | bool | None], Meta(max_length=limits.TAGS_MAX)] | None = None
    contexts: Annotated[dict[Name, Raw], Meta(max_length=limits.CONTEXTS_MAX)] | None = None
    extra: Raw | UnsetType = UNSET
    modules: Raw | UnsetType = UNSET
    sdk: SentrySdk | None = None
    fingerprint: Annotated[list[Name], Meta(max_length=limits.CLIENT_FINGERPRINT_PARTS_MAX)] | None = None
    debug_meta: Raw | UnsetType = UNSET
