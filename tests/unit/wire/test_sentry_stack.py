"""Stacks that were read before are not read again: what comes out must not depend on that."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from catchall.core.codec import decode_frames
from catchall.core.event import EventDraft, StackPart
from catchall.wire.bounded import Bounds
from catchall.wire.sentry_stack import stack_part
from catchall.wire.sentry_types import SentryStack
from tests.support.sentry_drafts import draft
from tests.support.stacks import frames_of

TRAPS = st.sampled_from(["f", "Object.f", '"vars":{}', '{"vars":{"a":1}}', '\\"vars\\":{"a":1}', "\0", "é"])
LOCALS = st.one_of(
    st.none(),
    st.sampled_from([[], "", 7, {"vars": {"a": 1}}]),
    st.dictionaries(TRAPS, st.one_of(TRAPS, st.integers(0, 3)), max_size=2),
)
FRAMES = st.lists(
    st.fixed_dictionaries(
        {"function": TRAPS},
        optional={
            "lineno": st.integers(1, 3),
            "context_line": TRAPS,
            "pre_context": st.lists(TRAPS, max_size=2),
            "unknown": st.one_of(TRAPS, st.fixed_dictionaries({"vars": LOCALS})),
            "vars": LOCALS,
        },
    ),
    min_size=1,
    max_size=3,
)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")])


def part_of(frames: list[dict[str, Any]], separators: tuple[str, str] = (",", ":"), *, v8: bool = False) -> StackPart:
    data = json.dumps(frames, separators=separators).encode()
    bounds = Bounds(EventDraft(event_id="", project_id=1, received_at=0, protocol=""))
    part = stack_part(SentryStack(Raw(data)), 0, bounds, "exceptions", 0, "stack_trace", v8=v8)
    assert part is not None
    return part


@given(FRAMES, FRAMES, SEPARATORS, st.booleans())
def test_frames_and_locals_are_those_that_were_sent(before, frames, separators, v8):
    """Whatever stack, much like this one, was read before."""
    part_of(before, separators, v8=v8)
    part_of([{**one, "vars": {"x": 1}} for one in frames], separators, v8=v8)
    part = part_of(frames, separators, v8=v8)
    assert [
        (one.function, one.lineno, one.context.line if one.context else "", one.context.pre if one.context else [])
        for one in decode_frames(part.frames)
    ] == [
        (
            one["function"].removeprefix("Object.") if v8 else one["function"],
            one.get("lineno"),
            one.get("context_line", ""),
            one.get("pre_context", []),
        )
        for one in frames
    ]
    assert {index: json.loads(bytes(raw)) for index, raw in part.locals.items()} == {
        index: one["vars"] if isinstance(one["vars"], dict) else {"value": one["vars"]}
        for index, one in enumerate(frames)
        if one.get("vars") not in (None, {}, [], "")
    }


def test_the_same_frames_are_one_stack_whatever_their_locals_are():
    first = part_of([{"function": "f", "vars": {"a": 1}}, {"function": "g"}])
    second = part_of([{"function": "f", "vars": {"a": "another"}}, {"function": "g"}])
    assert first.digest == second.digest
    assert first.frames is second.frames
    assert first.locals != second.locals
    assert part_of([{"function": "f"}, {"function": "h"}]).digest != first.digest


def test_odd_frames_in_an_otherwise_usual_event_are_read_leniently():
    found = draft(
        exception={"values": [{"type": "E", "stacktrace": {"frames": [{"function": 7, "lineno": "12"}, None, "g"]}}]}
    )
    assert [(one.function, one.lineno) for one in frames_of(found, 0)] == [("7", 12), ("g", None)]


def test_a_stack_that_is_nothing_is_no_stack():
    for frames in (None, [], [None], "x", 7):
        found = draft(exception={"values": [{"type": "E", "stacktrace": {"frames": frames}}]})
        assert found.stacks == []
