"""An event taken apart for storing comes together as it was."""

import msgspec
from msgspec import Raw

from catchall.core.codec import event_json, join
from catchall.core.event import Event, ExceptionInfo, Frame, SourceContext
from tests.support.stacks import split


def _event(value: str, line: int = 7) -> Event:
    frames = [
        Frame(function="main", module="app", lineno=line, in_app=True, locals=Raw(msgspec.json.encode({"a": value}))),
        Frame(function="inner", filename="app.py", context=SourceContext(pre=["x"], line="y", post=["z"])),
    ]
    return Event(
        event_id="a" * 32,
        project_id=1,
        timestamp="2026-11-23T10:00:00.000000Z",
        received_at="2026-11-23T10:00:00.000000Z",
        exceptions=[
            ExceptionInfo(error_type="KeyError", message=value),
            ExceptionInfo(error_type="E", stack_trace=frames),
        ],
    )


def _round_trip(event: Event) -> Event:
    body, stacks = split(event)
    return join(body, {stack.digest: stack.frames for stack in stacks}.__getitem__)


def test_frames_locals_and_chain_come_back() -> None:
    event = _round_trip(_event("one"))
    assert event.exceptions[0].message == "one"
    frames = event.exceptions[-1].stack_trace
    assert [frame.function for frame in frames] == ["main", "inner"]
    assert msgspec.json.decode(frames[0].locals) == {"a": "one"}  # type: ignore[arg-type]
    assert event.stack_trace is frames


def test_events_of_one_fault_share_their_stack() -> None:
    (first,) = split(_event("one"))[1]
    (second,) = split(_event("two"))[1]
    assert first == second
    (moved,) = split(_event("one", line=8))[1]
    assert moved.digest != first.digest


def test_the_printed_event_is_one_line() -> None:
    printed = event_json(_round_trip(_event("a\nb")))
    assert b"\n" not in printed
    assert msgspec.json.decode(printed)["stack_trace"][0]["locals"] == {"a": "a\nb"}
