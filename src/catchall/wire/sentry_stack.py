"""A Sentry stack taken apart: frames that are the same each time a fault occurs, and locals that are not.

Frames are most of an event, and reading them most of the work on it. So the locals are cut out of the raw JSON, and
what is left is looked up among the stacks that were read before: 40 us less for each event of a known fault.

Source: https://develop.sentry.dev/sdk/data-model/event-payloads/stacktrace/
"""

import msgspec
from msgspec import UNSET, Raw, UnsetType

from catchall.core import limits
from catchall.core.codec import SplitStack, stack_of
from catchall.core.event import Frame, SourceContext, StackPart
from catchall.core.memo import Memo
from catchall.wire.bounded import Bounds, Path
from catchall.wire.json_text import loads
from catchall.wire.sentry_lenient import usual_frames
from catchall.wire.sentry_types import SentryFrame, SentryFrames, SentryStack

_SMALL_BYTES = 2 * limits.JSON_DEPTH_MAX  # locals that are no larger need no look at their depth or size
# V8 writes the receiver's class before a method's name (https://v8.dev/docs/stack-trace-api); of plain objects it says
# nothing.
_V8_RECEIVER = "Object."
_NOTHING = frozenset({b"{}", b"null"})
_CUT = b"\0"  # stands where locals were cut out: no JSON has it


class _Vars(msgspec.Struct, gc=False):
    vars: Raw | UnsetType = UNSET


_decode_frames = msgspec.json.Decoder(SentryFrames).decode
_decode_vars = msgspec.json.Decoder(list[_Vars]).decode
_known: Memo[tuple[int, int, bool], SplitStack] = Memo(limits.STACKS_REMEMBERED_MAX)


_NO_FRAMES = SplitStack(b"", b"")


def stack_part(
    stack: SentryStack | None, owner: int, bounds: Bounds, *where: Path, v8: bool = False
) -> StackPart | None:
    """The stack as a part of a draft; None without frames. `where`: its place in the model.

    `v8`: whether the engine is V8, which writes receivers. Raises WireError JSON_TOO_DEEP, JSON_MALFORMED.
    """
    if stack is None or stack.frames is UNSET:
        return None
    data = bytes(stack.frames)
    try:
        found, values = _taken_apart(data, v8)
    except (msgspec.DecodeError, RecursionError):
        found, values = _taken_apart(usual_frames(loads(data), bounds, *where), v8)
    if found is _NO_FRAMES:
        return None
    kept = {}
    for index, value in values.items():
        raw: Raw | UnsetType = Raw(value)
        if len(value) > _SMALL_BYTES or value[:1] != b"{":
            raw = bounds.object(raw, limits.LOCALS_BYTES_MAX, *where, index, "locals")
        if raw is not UNSET:
            kept[index] = raw
    return StackPart(owner=owner, digest=found.digest, frames=found.frames, locals=kept)


def _taken_apart(data: bytes, v8: bool) -> tuple[SplitStack, dict[int, bytes]]:
    """The stack, remembered by its JSON without locals, and the locals by index of their frame."""
    skeleton, values = _without_locals(data)
    if skeleton is None:
        return _read(data, v8), values
    name = hash(skeleton), len(skeleton), v8  # SipHash with a key of this process: nobody can aim at another's stack
    found = _known.get(name)
    if found is None:
        found = _read(data, v8)
        _known.put(name, found)
    return found, values


def _without_locals(data: bytes) -> tuple[bytes | None, dict[int, bytes]]:
    """Cut the locals out; None when they cannot be found for certain.

    Only what stands behind a key `"vars"` is cut out, and frames are read without looking at that key: the same
    skeleton always means the same frames.
    """
    if b'"vars"' not in data:
        return data, {}
    found = {index: bytes(one.vars) for index, one in enumerate(_decode_vars(data)) if one.vars is not UNSET}
    values = {index: value for index, value in found.items() if value not in _NOTHING}
    pieces = data.split(b'"vars": ' if b'"vars": ' in data else b'"vars":')
    if len(pieces) != len(found) + 1:  # a local of that name
        return None, values
    skeleton = pieces[:1]
    for piece, value in zip(pieces[1:], found.values(), strict=True):
        if not piece.startswith(value):
            return None, values
        skeleton.append(piece[len(value) :])
    return _CUT.join(skeleton), values


def _read(data: bytes, v8: bool) -> SplitStack:
    """Read frames. Raises msgspec.DecodeError for what is not as usual."""
    frames = [_frame(one, v8) for one in _decode_frames(data) or ()]
    return stack_of(frames) if frames else _NO_FRAMES


def _frame(one: SentryFrame, v8: bool) -> Frame:
    filename = one.filename or ""
    context = None
    if one.context_line or one.pre_context or one.post_context:
        context = SourceContext(pre=one.pre_context or [], line=one.context_line or "", post=one.post_context or [])
    function = one.function or _nameless(one)
    return Frame(
        function=function.removeprefix(_V8_RECEIVER) if v8 else function,
        module=one.module or one.package or "",
        filename=filename,
        abs_path=one.abs_path or (filename if filename[:1] == "/" else ""),  # the SDK for Node sends only one
        lineno=one.lineno or None,
        colno=one.colno or None,
        in_app=one.in_app,
        context=context,
    )


def _nameless(frame: SentryFrame) -> str:
    """A native frame without symbols is known by its address alone."""
    return "" if frame.filename or frame.abs_path or frame.module else frame.instruction_addr or ""
