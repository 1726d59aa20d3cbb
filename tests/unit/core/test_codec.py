"""An event taken apart for storing comes together as it was."""

import msgspec
from msgspec import Raw

from catchall.core import limits
from catchall.core.codec import encode_body, event_json, join
from catchall.core.event import Breadcrumb, Event, ExceptionInfo, Frame, SourceContext
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


def _no_frames(digest: bytes) -> bytes:
    raise KeyError(digest)


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


def test_breadcrumbs_take_the_models_form_when_they_are_looked_at() -> None:
    event = _event("one")
    event.breadcrumbs = [Breadcrumb(message="own")]
    sent = Raw(b'[{"timestamp":1795462558.5,"message":"m","level":null,"x":1,"data":{"a":1}},{"data":null}]')
    found = join(encode_body(event, [], sent), _no_frames).breadcrumbs
    assert found == [
        Breadcrumb(timestamp="2026-11-23T19:35:58.500000Z", message="m", data=Raw(b'{"a":1}')),
        Breadcrumb(),
        Breadcrumb(message="own"),
    ]


def test_no_more_breadcrumbs_than_the_limit_are_shown() -> None:
    event = _event("one")
    event.breadcrumbs = [Breadcrumb(message="own")]
    sent = Raw(msgspec.json.encode([{"message": str(number)} for number in range(limits.BREADCRUMBS_MAX)]))
    found = join(encode_body(event, [], sent), _no_frames).breadcrumbs
    assert (len(found), found[0].message, found[-1].message) == (limits.BREADCRUMBS_MAX, "1", "own")


def test_a_body_from_before_breadcrumbs_were_kept_as_sent_is_read() -> None:
    event = _event("one")
    event.exceptions = []
    body = msgspec.json.encode([event, []])
    assert join(body, _no_frames) == event
