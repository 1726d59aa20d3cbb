"""The parts of a Sentry event that we take apart, with the types that its SDKs send nearly always.

Decoding straight into these costs a tenth of decoding everything. What has other types goes through `sentry_lenient`
first. Source: https://develop.sentry.dev/sdk/data-model/event-payloads/
"""

import msgspec
from msgspec import UNSET, Raw, UnsetType


class SentryFrame(msgspec.Struct, gc=False):
    """https://develop.sentry.dev/sdk/data-model/event-payloads/stacktrace/"""

    function: str | None = None
    module: str | None = None
    filename: str | None = None
    abs_path: str | None = None
    lineno: int | None = None
    colno: int | None = None
    in_app: bool | None = None
    pre_context: list[str] | None = None
    context_line: str | None = None
    post_context: list[str] | None = None
    vars: Raw | UnsetType = UNSET


class SentryStack(msgspec.Struct, gc=False):
    """Frames, outermost call first."""

    frames: list[SentryFrame] | None = None


class SentryMechanism(msgspec.Struct, gc=False):
    """How the SDK got the exception."""

    type: str | None = None
    handled: bool | None = None
    synthetic: bool | None = None
    source: str | None = None
    exception_id: int | None = None
    parent_id: int | None = None
    is_exception_group: bool | None = None


class SentryException(msgspec.Struct, gc=False):
    """https://develop.sentry.dev/sdk/data-model/event-payloads/exception/"""

    type: str | None = None
    value: str | None = None
    module: str | None = None
    stacktrace: SentryStack | None = None
    mechanism: SentryMechanism | None = None


class SentryExceptions(msgspec.Struct, gc=False):
    """Root cause first, the one that arrived at the top last."""

    values: list[SentryException] | None = None


class SentryThread(msgspec.Struct, gc=False):
    """https://develop.sentry.dev/sdk/data-model/event-payloads/threads/"""

    name: str | None = None
    crashed: bool | None = None
    current: bool | None = None
    stacktrace: SentryStack | None = None


class SentryThreads(msgspec.Struct, gc=False):
    """Threads."""

    values: list[SentryThread] | None = None


class SentryLogEntry(msgspec.Struct, gc=False):
    """A message with or without its parameters filled in."""

    formatted: str | None = None
    message: str | None = None


class SentryBreadcrumb(msgspec.Struct, gc=False):
    """https://develop.sentry.dev/sdk/data-model/event-payloads/breadcrumbs/"""

    timestamp: float | str | None = None
    type: str | None = None
    category: str | None = None
    level: str | None = None
    message: str | None = None
    data: Raw | UnsetType = UNSET


class SentryBreadcrumbs(msgspec.Struct, gc=False):
    """Oldest first."""

    values: list[SentryBreadcrumb] | None = None


class SentryRequest(msgspec.Struct, gc=False):
    """https://develop.sentry.dev/sdk/data-model/event-payloads/request/"""

    url: str | None = None
    method: str | None = None
    query_string: str | None = None
    headers: dict[str, str] | None = None
    cookies: Raw | UnsetType = UNSET
    data: Raw | UnsetType = UNSET
    env: dict[str, Raw] | None = None


class SentrySdk(msgspec.Struct, gc=False):
    """What sent it."""

    name: str | None = None
    version: str | None = None


class SentryEvent(msgspec.Struct, gc=False):
    """An event as SDKs send it."""

    event_id: str | None = None
    timestamp: float | str | None = None
    platform: str | None = None
    level: str | None = None
    logger: str | None = None
    transaction: str | None = None
    server_name: str | None = None
    release: str | None = None
    dist: str | None = None
    environment: str | None = None
    exception: SentryExceptions | None = None
    threads: SentryThreads | None = None
    stacktrace: SentryStack | None = None
    logentry: SentryLogEntry | None = None
    message: str | SentryLogEntry | None = None
    breadcrumbs: SentryBreadcrumbs | None = None
    request: SentryRequest | None = None
    user: dict[str, Raw] | None = None
    tags: dict[str, str] | None = None
    contexts: dict[str, Raw] | None = None
    extra: Raw | UnsetType = UNSET
    modules: dict[str, str] | None = None
    sdk: SentrySdk | None = None
    fingerprint: list[str] | None = None
    debug_meta: Raw | UnsetType = UNSET
