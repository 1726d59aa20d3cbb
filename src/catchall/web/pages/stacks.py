"""A stack as people read it: the newest call first, the fault's own frame open, runs of library frames folded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
from msgspec import UNSET

from catchall.core.event import Event, ExceptionInfo, Frame
from catchall.core.limits import PAGE_FRAMES_MAX, PAGE_LOCALS_BYTES_MAX
from catchall.web.pages.values import Value, fields_of

RUN_FOLDED_FROM = 2  # a single library frame between two of ours is shorter shown than folded
ORIGINS = {
    "__cause__": "Caused by",
    "__context__": "While handling",
}


@dataclass(slots=True)
class Line:
    """One source line."""

    number: int | None
    text: str
    is_fault: bool = False


@dataclass(slots=True)
class FrameView:
    """One frame as the page draws it."""

    frame: Frame
    is_open: bool
    lines: list[Line]
    locals: list[Value]

    @property
    def where(self) -> str:
        """The file, as short as it is still clear."""
        return self.frame.filename or self.frame.abs_path or self.frame.module or "unknown file"

    @property
    def has_details(self) -> bool:
        """Whether opening the frame shows anything."""
        return bool(self.lines or self.locals)


@dataclass(slots=True)
class Run:
    """Neighbouring frames that are drawn alike; a folded one is drawn as one line."""

    frames: list[FrameView]
    folded: bool


@dataclass(slots=True)
class ExceptionView:
    """One exception of the chain with its stack."""

    error_type: str
    message: str
    relation: str  # to the one above it; empty for the one that arrived at the top
    module: str
    mechanism: str
    handled: bool | None
    anchor: str
    runs: list[Run]
    frames_total: int
    frames_shown: int


@dataclass(slots=True)
class Budget:
    """What one page may still draw: an event can hold 12,500 frames."""

    frames: int = PAGE_FRAMES_MAX
    locals_bytes: int = PAGE_LOCALS_BYTES_MAX
    cut: list[str] = field(default_factory=list)


def exception_views(event: Event, budget: Budget) -> list[ExceptionView]:
    """The chain as drawn: the exception that arrived at the top first, its root cause last."""
    if not event.exceptions:
        if not event.stack_trace:
            return []
        return [_view(ExceptionInfo(stack_trace=event.stack_trace), "", 0, budget)]
    shown = []
    for index, exception in enumerate(reversed(event.exceptions)):
        shown.append(_view(exception, _relation(exception) if index else "", index, budget))
    return shown


def _relation(exception: ExceptionInfo) -> str:
    mechanism = exception.mechanism
    if mechanism is None:
        return "Caused by"
    if mechanism.source.startswith(("exceptions[", "errors[")):
        return "Member of the group"
    return ORIGINS.get(mechanism.source, "Caused by")


def _view(exception: ExceptionInfo, relation: str, index: int, budget: Budget) -> ExceptionView:
    frames = list(reversed(exception.stack_trace))
    shown = frames[: max(0, budget.frames)]
    budget.frames -= len(shown)
    fault = fault_index(shown)
    drawn = [_frame(frame, budget, is_fault=number == fault) for number, frame in enumerate(shown)]
    return ExceptionView(
        error_type=exception.error_type,
        message=exception.message,
        relation=relation,
        module=exception.module,
        mechanism=exception.mechanism.type if exception.mechanism else "",
        handled=exception.handled,
        anchor=f"exception-{index}",
        runs=list(_runs(drawn)),
        frames_total=len(frames),
        frames_shown=len(shown),
    )


def fault_index(frames: Sequence[Frame]) -> int:
    """Which frame (newest first) is the fault's own: the newest of the program itself, else the newest of all."""
    return next((index for index, frame in enumerate(frames) if frame.in_app), 0)


def _runs(frames: Sequence[FrameView]) -> Iterator[Run]:
    """Group neighbours: ours are drawn one by one, library frames in folded runs (but never the open one)."""
    start = 0
    while start < len(frames):
        end = start + 1
        folds = _folds(frames[start])
        while end < len(frames) and _folds(frames[end]) == folds:
            end += 1
        run = list(frames[start:end])
        yield Run(run, folded=folds and len(run) >= RUN_FOLDED_FROM)
        start = end


def _folds(view: FrameView) -> bool:
    return not view.frame.in_app and not view.is_open


def _frame(frame: Frame, budget: Budget, *, is_fault: bool) -> FrameView:
    return FrameView(frame=frame, is_open=is_fault, lines=_lines(frame), locals=_locals(frame, budget))


def _lines(frame: Frame) -> list[Line]:
    context = frame.context
    if context is None or not (context.line or context.pre or context.post):
        return []
    at = frame.lineno
    lines = []
    for index, text in enumerate(context.pre):
        lines.append(Line(None if at is None else at - len(context.pre) + index, text))
    lines.append(Line(at, context.line, is_fault=True))
    for index, text in enumerate(context.post):
        lines.append(Line(None if at is None else at + 1 + index, text))
    return lines


def _locals(frame: Frame, budget: Budget) -> list[Value]:
    if frame.locals is UNSET:
        return []
    raw = bytes(frame.locals)
    if len(raw) > budget.locals_bytes:
        budget.cut.append("locals")
        return []
    budget.locals_bytes -= len(raw)
    try:
        return fields_of(raw)
    except (msgspec.DecodeError, RecursionError):
        return [Value("locals", raw.decode("utf-8", "replace"), "text")]
