"""Step 5: what kind of fault, and how bad."""

from catchall.core.category import category_of
from catchall.core.event import EventDraft
from catchall.core.normalize import deciding_frames
from catchall.core.severity import severity_of
from catchall.pipeline.context import BatchContext


def classify(draft: EventDraft, context: BatchContext) -> None:
    """Set category and severity."""
    primary = draft.primary
    frames = deciding_frames(draft)
    module = primary.module if primary is not None else ""
    draft.category = category_of(draft.error_type, module, draft.message, frames[-1] if frames else None)
    draft.severity = severity_of(
        draft.level,
        handled=draft.handled,
        error_type=draft.error_type,
        message=draft.message,
        has_error=primary is not None or bool(draft.stack_trace),
    )
