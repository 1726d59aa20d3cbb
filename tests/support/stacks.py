"""Frames taken apart as a parser does it, and put together again for tests to look at; breadcrumbs too."""

from msgspec import UNSET, Raw

from catchall.core.codec import SplitStack, decode_frames, encode_body, read_breadcrumbs, stack_of
from catchall.core.event import OWN_STACK, Breadcrumb, Event, EventDraft, ExceptionInfo, Frame, StackPart


def take_frames_apart(owner: int, frames: list[Frame]) -> StackPart:
    """One stack's frames as JSON and their locals, which are taken from the frames."""
    kept: dict[int, Raw] = {}
    for index, frame in enumerate(frames):
        if frame.locals is not UNSET:
            kept[index] = frame.locals
            frame.locals = UNSET
    stack = stack_of(frames)
    return StackPart(owner=owner, digest=stack.digest, frames=stack.frames, locals=kept)


def take_stacks_apart(exceptions: list[ExceptionInfo], own: list[Frame]) -> list[StackPart]:
    """The stacks of exceptions and of an event itself, one part each. They lose their frames to the parts."""
    parts = []
    for owner, exception in enumerate(exceptions):
        if exception.stack_trace:
            parts.append(take_frames_apart(owner, exception.stack_trace))
            exception.stack_trace = []
    if own:
        parts.append(take_frames_apart(OWN_STACK, own))
    return parts


def split(event: Event) -> tuple[bytes, list[SplitStack]]:
    """Take a whole event apart for storing. It loses its frames and is not to be used afterwards."""
    parts = take_stacks_apart(event.exceptions, event.stack_trace)
    event.stack_trace = []
    return encode_body(event, parts), [SplitStack(part.digest, part.frames) for part in parts]


def frames_of(draft: EventDraft, owner: int = OWN_STACK) -> list[Frame]:
    """The frames, with their locals, of an exception (by index), or of the event itself; none when it has no stack."""
    for part in draft.stacks:
        if part.owner == owner:
            frames = decode_frames(part.frames)
            for index, values in part.locals.items():
                frames[index].locals = values
            return frames
    return []


def breadcrumbs_of(draft: EventDraft) -> list[Breadcrumb]:
    """A draft's breadcrumbs, as its event will have them."""
    sent = [] if draft.sent_breadcrumbs is UNSET else read_breadcrumbs(draft.sent_breadcrumbs)
    return [*sent, *draft.breadcrumbs]
