"""The frames of a draft, put together again for tests to look at."""

from catchall.core.codec import decode_frames
from catchall.core.event import OWN_STACK, EventDraft, Frame


def frames_of(draft: EventDraft, owner: int = OWN_STACK) -> list[Frame]:
    """The frames, with their locals, of an exception (by index), or of the event itself; none when it has no stack."""
    for part in draft.stacks:
        if part.owner == owner:
            frames = decode_frames(part.frames)
            for index, values in part.locals.items():
                frames[index].locals = values
            return frames
    return []
