"""Step 1: is there anything in it, and are its ids what they must be?"""

from catchall.core.errors import Drop, Invalid, Reason
from catchall.core.event import EventDraft
from catchall.pipeline.context import BatchContext

_HEX = "0123456789abcdef"
_EVENT_ID_CHARS = 32
_TRACE_ID_CHARS = 32
_SPAN_ID_CHARS = 16


def validate(draft: EventDraft, context: BatchContext) -> None:
    """Raise Drop for an event without exception, message or stack, or whose project is gone; Invalid for a wrong id.

    Trace and span ids are brought to lower-case hex without dashes (W3C Trace Context); what is none is left out.
    """
    if draft.project_id not in context.projects:
        raise Drop(Reason.PROJECT_DELETED)
    if len(draft.event_id) != _EVENT_ID_CHARS or draft.event_id.strip(_HEX):
        raise Invalid(Reason.WRONG_TYPE, "an event id is 32 lower-case hex digits")
    if not draft.message.strip() and not draft.stacks and not _says_something(draft):
        raise Drop(Reason.EVENT_EMPTY)
    if draft.trace_id:
        draft.trace_id = hex_id(draft.trace_id, _TRACE_ID_CHARS)
    if draft.span_id:
        draft.span_id = hex_id(draft.span_id, _SPAN_ID_CHARS)


def _says_something(draft: EventDraft) -> bool:
    return any(one.error_type or one.message for one in draft.exceptions)


def hex_id(text: str, length: int) -> str:
    """An id as lower-case hex digits; empty when it is none, or all zeros, which stands for "no trace"."""
    if len(text) != length or not text.islower():
        text = text.strip().replace("-", "").lower()
    return text if len(text) == length and not text.strip(_HEX) and text.strip("0") else ""
