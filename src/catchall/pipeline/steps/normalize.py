"""Step 2: the same thing said in one way: time, level, names, the chain of exceptions, whose code a frame is."""

from operator import attrgetter
from typing import NamedTuple

from catchall.core import limits
from catchall.core.codec import SplitStack, decode_frames, stack_of
from catchall.core.event import OWN_STACK, Breadcrumb, Cut, EventDraft, ExceptionInfo, Handling, StackPart
from catchall.core.memo import Memo
from catchall.core.normalize import decide_in_app, place_of
from catchall.core.releases import service_of
from catchall.core.severity import severity_of_word
from catchall.core.times import DAY_SECONDS, MICROSECONDS, rfc3339
from catchall.pipeline.context import BatchContext, ProjectSettings

DEFAULT_ENVIRONMENT = "production"
LOG_CRUMB = "log"  # the type of the breadcrumb that holds the line logged together with an exception

_NAMES = (
    "service_name",
    "environment",
    "release_version",
    "host_name",
    "logger",
    "transaction",
    "request_id",
    "culprit",
)


_names_of = attrgetter(*_NAMES)


class _Settled(NamedTuple):
    """A stack of which it is decided whose code each frame is, and where it says that it happened."""

    stack: SplitStack
    place: str


_settled: Memo[tuple[object, ...], _Settled] = Memo(limits.STACKS_REMEMBERED_MAX)


def normalize(draft: EventDraft, context: BatchContext) -> None:
    """Bring a draft into the one form. Doing it twice changes nothing more."""
    project = context.projects[draft.project_id]
    draft.platform = draft.platform.strip().lower()
    for name, value in zip(_NAMES, _names_of(draft), strict=True):
        if value.strip() != value or len(value) > limits.NAME_CHARS_MAX:
            _trim(draft, name, value)
    _settle_time(draft, project.retention_days)
    draft.level = severity_of_word(draft.level, platform=draft.platform, protocol=draft.protocol) or ""
    place = _settle_stacks(draft, project)
    _settle_chain(draft)
    _settle_handling(draft)
    draft.environment = draft.environment or DEFAULT_ENVIRONMENT
    draft.culprit = draft.culprit or place or draft.transaction
    draft.service_name = draft.service_name or service_of(draft.release_version) or project.slug


def _trim(draft: EventDraft, name: str, value: str) -> None:
    """Cut a name to the limit, and mark it as cut."""
    trimmed = value.strip()
    if len(trimmed) > limits.NAME_CHARS_MAX:
        draft.cut.append(Cut(path=name, original=len(trimmed), kept=limits.NAME_CHARS_MAX))
        trimmed = trimmed[: limits.NAME_CHARS_MAX].rstrip()
    setattr(draft, name, trimmed)


def _settle_time(draft: EventDraft, retention_days: int) -> None:
    """A time that cannot be right (ahead of its arrival, or older than what is kept) becomes the arrival's."""
    if draft.timestamp is None:
        draft.timestamp = draft.received_at
        return
    newest = draft.received_at + limits.EVENT_FUTURE_SECONDS_MAX * MICROSECONDS
    oldest = draft.received_at - retention_days * DAY_SECONDS * MICROSECONDS
    if oldest <= draft.timestamp <= newest:
        return
    draft.timestamp_text = draft.timestamp_text or _printed(draft.timestamp)
    draft.timestamp = draft.received_at


def _printed(microseconds: int) -> str:
    try:
        return rfc3339(microseconds)
    except (ValueError, OverflowError, OSError):  # a year that no calendar has
        return str(microseconds)


def _settle_stacks(draft: EventDraft, project: ProjectSettings) -> str:
    """Settle the stacks; returns where it happened, as they say.

    The event's own stack is there only when no exception has it: it would be stored twice.
    """
    stacks = draft.stacks
    if not stacks:
        return ""
    if stacks[-1].owner == OWN_STACK and draft.exceptions:
        primary = len(draft.exceptions) - 1
        if any(one.owner == primary for one in stacks):
            stacks.pop()
        else:
            stacks[-1].owner = primary
    place = ""
    for part in stacks:  # the last one decides: the primary exception's, else its nearest cause's, else the own
        settled = _settled_stack(part, draft.platform, project)
        part.digest, part.frames = settled.stack
        place = settled.place
    return place


def _settled_stack(part: StackPart, platform: str, project: ProjectSettings) -> _Settled:
    """Remembered by what it follows from."""
    name = (part.digest, platform, project.in_app_include, project.in_app_exclude)
    known = _settled.get(name)
    if known is None:
        frames = decode_frames(part.frames)
        before = [frame.in_app for frame in frames]
        decide_in_app(frames, platform, project.in_app_include, project.in_app_exclude)
        same = before == [frame.in_app for frame in frames]
        stack = SplitStack(part.digest, part.frames) if same else stack_of(frames)
        known = _Settled(stack, place_of(frames))
        _settled.put(name, known)
    return known


def _settle_chain(draft: EventDraft) -> None:
    """Type and message are the primary exception's; a line logged with it becomes the last breadcrumb."""
    for exception in draft.exceptions:
        exception.error_type = exception.error_type.strip()
    primary = draft.primary
    if primary is None:
        return
    draft.error_type = primary.error_type
    if not primary.message or draft.message == primary.message:
        return
    if draft.message.strip():
        _keep_logged_line(draft)
        draft.message_template = ""
    draft.message = primary.message


def _keep_logged_line(draft: EventDraft) -> None:
    draft.ends_in_logged_line = True
    if len(draft.breadcrumbs) >= limits.BREADCRUMBS_MAX:
        del draft.breadcrumbs[0]
    draft.breadcrumbs.append(
        Breadcrumb(
            timestamp=_printed(draft.timestamp or draft.received_at),
            type=LOG_CRUMB,
            category=draft.logger,
            level=draft.level,
            message=draft.message,
        )
    )


def _settle_handling(draft: EventDraft) -> None:
    """Whether the program handled it: what the primary exception says, else the nearest of the chain that says it."""
    if draft.handled is None:
        draft.handled = next(
            (handled for one in reversed(draft.exceptions) if (handled := _handled(one)) is not None), None
        )
    if draft.handling is None and draft.handled is not None:
        draft.handling = Handling(kind="caught" if draft.handled else "unhandled")


def _handled(exception: ExceptionInfo) -> bool | None:
    if exception.handled is None and exception.mechanism is not None:
        return exception.mechanism.handled
    return exception.handled
