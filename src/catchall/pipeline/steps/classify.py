"""Step 5: what kind of fault, and how bad."""

from catchall.core import limits
from catchall.core.category import category_of
from catchall.core.codec import decode_frames
from catchall.core.event import EventDraft, Frame, StackPart
from catchall.core.memo import Memo
from catchall.core.severity import severity_of
from catchall.pipeline.context import BatchContext

_innermost: Memo[bytes, Frame] = Memo(limits.STACKS_REMEMBERED_MAX)


def classify(draft: EventDraft, context: BatchContext) -> None:
    """Set category and severity."""
    primary = draft.primary
    module = primary.module if primary is not None else ""
    stack = draft.deciding_stack
    draft.category = category_of(draft.error_type, module, draft.message, _innermost_of(stack) if stack else None)
    draft.severity = severity_of(
        draft.level,
        handled=draft.handled,
        error_type=draft.error_type,
        message=draft.message,
        has_error=primary is not None or bool(draft.stacks),
    )


def _innermost_of(stack: StackPart) -> Frame:
    """The frame that raised; remembered by the stack's digest."""
    known = _innermost.get(stack.digest)
    if known is None:
        known = decode_frames(stack.frames)[-1]
        known.context = None  # not asked for, and large
        _innermost.put(stack.digest, known)
    return known
