"""Step 6: which issue it belongs to, and why."""

from catchall.core import limits
from catchall.core.codec import decode_frames
from catchall.core.event import EventDraft, Fingerprint, StackPart
from catchall.core.fingerprint import CURRENT, NO_STACK, VERSIONS, Facts, StackKey, needs_message, stack_key
from catchall.core.identity import issue_id_of
from catchall.core.memo import Memo
from catchall.pipeline.context import BatchContext

_compute = VERSIONS[CURRENT]
_stack_keys: Memo[tuple[bytes, str], StackKey] = Memo(limits.STACKS_REMEMBERED_MAX)
_answers: Memo[tuple[object, ...], tuple[Fingerprint, int]] = Memo(limits.STACKS_REMEMBERED_MAX)


def fingerprint(draft: EventDraft, context: BatchContext) -> None:
    """Set fingerprint and issue id.

    Frames of a fault are the same each time: what follows from types and frames alone is remembered by the stack's
    digest. The remembered `Fingerprint` is shared by events; nobody changes it.
    """
    types = tuple([one.error_type for one in draft.exceptions])
    part = draft.deciding_stack
    if part is None or draft.client_fingerprint:
        draft.fingerprint, draft.issue_id = _answer(draft, _facts(draft, types, part))
        return
    name = (draft.project_id, part.digest, draft.platform, types)
    known = _answers.get(name)
    if known is None:
        facts = _facts(draft, types, part)
        known = _answer(draft, facts)
        if not needs_message(facts):
            _answers.put(name, known)
    draft.fingerprint, draft.issue_id = known


def _facts(draft: EventDraft, types: tuple[str, ...], part: StackPart | None) -> Facts:
    return Facts(
        types=types,
        stack=_stack_key(draft, part),
        message=draft.message_template or draft.message,
        transaction=draft.transaction,
        client=draft.client_fingerprint,
    )


def _answer(draft: EventDraft, facts: Facts) -> tuple[Fingerprint, int]:
    found = _compute(facts)
    return found, issue_id_of(draft.project_id, found.value)


def _stack_key(draft: EventDraft, part: StackPart | None) -> StackKey:
    if part is None:
        return NO_STACK
    name = (part.digest, draft.platform)
    known = _stack_keys.get(name)
    if known is None:
        known = stack_key(decode_frames(part.frames), draft.platform)
        _stack_keys.put(name, known)
    return known
