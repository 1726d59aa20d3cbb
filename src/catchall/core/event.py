"""The event model: what catchall knows of one error, whoever sent it.

Field names are a public contract: the API, the CLI and the JSON Schema print exactly these. Absent means unknown; a
field with its default value is left out of the JSON. Values that nobody needs taken apart (locals, extra data, request
bodies) stay as raw JSON (`msgspec.Raw`), which is copied, not decoded, on its way through.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

Severity = Literal["debug", "info", "warning", "error", "critical"]
SEVERITIES: tuple[Severity, ...] = ("debug", "info", "warning", "error", "critical")  # rank = index

Category = Literal["database", "network", "validation", "timeout", "resource", "dependency", "code"]
CATEGORIES: tuple[Category, ...] = ("database", "network", "validation", "timeout", "resource", "dependency", "code")

HandlingKind = Literal["unhandled", "caught", "retried", "fallback", "circuit_open", "rolled_back"]


class _Model(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Base of the parts of an event."""


class SourceContext(_Model):
    """Source lines around a frame's line: `pre` and `post` from top to bottom, `line` the frame's own."""

    pre: list[str] = []
    line: str = ""
    post: list[str] = []


class Frame(_Model):
    """One call of a stack trace. `lineno` and `colno` count from 1; `locals` is a JSON object.

    `in_app`: whether the code is the user's own, not a library's. None, before normalizing: the client did not say.
    """

    function: str = ""
    module: str = ""
    filename: str = ""
    abs_path: str = ""
    lineno: int | None = None
    colno: int | None = None
    in_app: bool | None = None
    context: SourceContext | None = None
    locals: Raw | UnsetType = UNSET


class Mechanism(_Model):
    """How the client caught an exception: its own word (`type`) and, for groups, the tree's numbers."""

    type: str = ""
    handled: bool | None = None
    synthetic: bool = False
    source: str = ""
    exception_id: int | None = None
    parent_id: int | None = None
    is_exception_group: bool = False


class ExceptionInfo(_Model):
    """One exception of the chain. `stack_trace`: frames, outermost call first."""

    error_type: str = ""
    message: str = ""
    module: str = ""
    stack_trace: list[Frame] = []
    handled: bool | None = None
    mechanism: Mechanism | None = None


class HttpContext(_Model):
    """The request during which the error happened, sanitized. `headers` keep the client's spelling."""

    method: str = ""
    url: str = ""
    query_string: str = ""
    status_code: int | None = None
    headers: dict[str, str] = {}
    body: Raw | UnsetType = UNSET
    remote_address: str = ""  # only when the project keeps addresses


class DeviceContext(_Model):
    """The user's or server's device: names with versions, as "Firefox 130"."""

    os: str = ""
    browser: str = ""
    model: str = ""
    network: str = ""
    route: str = ""


class Process(_Model):
    """The process that failed. `environment`: allow-listed variables only."""

    pid: int | None = None
    thread: str = ""
    runtime: str = ""
    environment: dict[str, str] = {}


class Breadcrumb(_Model):
    """One thing that happened before the error. `timestamp`: RFC 3339, UTC."""

    timestamp: str = ""
    type: str = ""
    category: str = ""
    level: str = ""
    message: str = ""
    data: Raw | UnsetType = UNSET


class Handling(_Model):
    """How the program dealt with the error itself."""

    kind: HandlingKind = "unhandled"
    attempts: int | None = None
    component: str = ""


class Attachment(_Model):
    """A file sent along. `blob`: its name in the blob store; empty when it was not kept, and `dropped` says why."""

    filename: str = ""
    content_type: str = ""
    size: int = 0
    blob: str = ""
    dropped: str = ""


class Client(_Model):
    """What sent the event: SDK name and version."""

    name: str = ""
    version: str = ""


class ScrubMark(_Model):
    """Which rule masked what. `path`: dotted, as `http_context.headers.Authorization`; `count` values there."""

    rule: str
    path: str
    count: int = 1


class Fingerprint(_Model):
    """What makes the event the same as others. `value`: "v1:<hex>"; `reason`: for people; `parts`: what counted."""

    value: str = ""
    version: str = ""
    reason: str = ""
    parts: list[str] = []


class Cut(_Model):
    """What was shortened to stay within the limits. `path`: dotted; `original`: size or count before; `kept`: after."""

    path: str
    original: int
    kept: int
    unit: str = "characters"


class Event(_Model):
    """One error, understood. The fields and their order are section by section the public contract.

    `timestamp` and `received_at` are RFC 3339 with microseconds in UTC. `exceptions`: root cause first, the primary
    one (which arrived at the top) last. `stack_trace`: frames of the primary exception, outermost first; it is not
    stored twice: it is `exceptions[-1].stack_trace` unless the event has a stack and no exception.
    """

    event_id: str
    project_id: int
    timestamp: str
    received_at: str
    service_name: str = ""
    environment: str = ""
    severity: Severity = "error"
    category: Category = "code"
    error_type: str = ""
    message: str = ""
    culprit: str = ""
    stack_trace: list[Frame] = []
    exceptions: list[ExceptionInfo] = []
    request_id: str = ""
    trace_id: str = ""
    span_id: str = ""
    transaction: str = ""
    user_id: str = ""
    release_version: str = ""
    host_name: str = ""
    tags: dict[str, str] = {}
    extra_data: Raw | UnsetType = UNSET
    http_context: HttpContext | None = None
    device_context: DeviceContext | None = None
    process: Process | None = None
    breadcrumbs: list[Breadcrumb] = []
    platform: str = ""
    logger: str = ""
    handled: bool | None = None
    handling: Handling | None = None
    attachments: list[Attachment] = []
    protocol: str = ""
    client: Client | None = None
    debug_meta: Raw | UnsetType = UNSET
    scrubbed: list[ScrubMark] = []
    cut: list[Cut] = []
    timestamp_original: str = ""
    client_fingerprint: list[str] = []
    fingerprint: Fingerprint | None = None
    issue_id: str = ""


OWN_STACK = -1  # the owner of a stack that no exception has


class StackPart(msgspec.Struct, kw_only=True):
    """A stack taken apart. `owner`: index into `exceptions`, -1 for the event's own stack.

    `frames`: the frames without their locals, as JSON, the same bytes for all events of a fault; `digest` (16 bytes)
    names them, so that what follows from them alone is found out once; `locals`: by index of the frame.
    """

    owner: int
    digest: bytes
    frames: bytes
    locals: dict[int, Raw]


class EventDraft(msgspec.Struct, kw_only=True):
    """An event on its way through the pipeline: mutable, cheap, thrown away after `freeze`.

    The wire parser fills it, each step changes it in place. Same names as `Event` where the meaning is the same;
    times are integers (microseconds since the epoch, UTC) until the end.
    """

    event_id: str
    project_id: int
    received_at: int
    protocol: str
    timestamp: int | None = None  # None: the client gave none
    timestamp_text: str = ""  # what the client wrote, when it could not be read or was clamped
    level: str = ""  # the client's own word; the severity step decides `severity`
    service_name: str = ""
    environment: str = ""
    severity: Severity = "error"
    category: Category = "code"
    error_type: str = ""
    message: str = ""
    message_template: str = ""  # the client's own text before its parameters were put in, as "stock of %s is %d"
    culprit: str = ""
    exceptions: list[ExceptionInfo] = msgspec.field(default_factory=list)  # without frames: these are in `stacks`
    stacks: list[StackPart] = msgspec.field(default_factory=list)  # in the order of their owners, the event's own last
    request_id: str = ""
    trace_id: str = ""
    span_id: str = ""
    transaction: str = ""
    user_raw: dict[str, Any] = msgspec.field(
        default_factory=dict
    )  # id, email, username, ip_address as sent: never stored
    user_id: str = ""
    release_version: str = ""
    dist: str = ""
    host_name: str = ""
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    extra_data: Raw | UnsetType = UNSET  # JSON object
    http_context: HttpContext | None = None
    device_context: DeviceContext | None = None
    process: Process | None = None
    sent_breadcrumbs: Raw | UnsetType = UNSET  # JSON list as the client wrote it, readable by `codec.read_breadcrumbs`
    breadcrumbs: list[Breadcrumb] = msgspec.field(default_factory=list)  # those that come after
    ends_in_logged_line: bool = False  # the last breadcrumb is the line that was logged together with the exception
    platform: str = ""
    logger: str = ""
    handled: bool | None = None
    handling: Handling | None = None
    attachments: list[Attachment] = msgspec.field(default_factory=list)
    client: Client | None = None
    debug_meta: Raw | UnsetType = UNSET
    scrubbed: list[ScrubMark] = msgspec.field(default_factory=list)
    cut: list[Cut] = msgspec.field(default_factory=list)
    client_fingerprint: list[str] = msgspec.field(default_factory=list)
    fingerprint: Fingerprint | None = None
    issue_id: int = 0

    @property
    def primary(self) -> ExceptionInfo | None:
        """The exception that arrived at the top, or None for a message."""
        return self.exceptions[-1] if self.exceptions else None

    @property
    def deciding_stack(self) -> StackPart | None:
        """The stack that says where it happened: the primary exception's, else its nearest cause's, else the own."""
        own = None
        for part in reversed(self.stacks):
            if part.owner != OWN_STACK:
                return part
            own = part
        return own
