"""Rows for the stores' tests: small, real (their bodies are what the codec makes of events), and easy to vary."""

from collections.abc import Sequence

import msgspec

from catchall.core.event import SEVERITIES, Event, ExceptionInfo, Frame
from catchall.core.identity import Position
from catchall.core.times import rfc3339
from catchall.store.base import EventRow, Stack
from tests.support.stacks import split

MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE
NOON = 20_000 * DAY + DAY // 2
"""Noon of 2024-10-04, in microseconds: a test's usual "now"."""


def event_id(number: int) -> str:
    """The id of a test's n-th event."""
    return f"{number:032x}"


def row(
    number: int,
    *,
    project_id: int = 1,
    position: Position | None = None,
    received_at: int = NOON,
    timestamp: int | None = None,
    severity: int = 3,
    environment: str = "production",
    release_version: str = "shop@1.2.3",
    issue_id: int = 7,
    user_id: str = "",
    trace_id: str = "",
    text: str = "cannot pay",
    tags: Sequence[tuple[str, str]] = (),
    functions: Sequence[str] = (),
    message: str = "cannot pay",
) -> EventRow:
    """A row; `functions` are the frames of its stack. `position`: by default every event has its own."""
    when = received_at if timestamp is None else timestamp
    event = Event(
        event_id=event_id(number),
        project_id=project_id,
        timestamp=rfc3339(when),
        received_at=rfc3339(received_at),
        severity=SEVERITIES[severity],
        environment=_encodable(environment),
        release_version=_encodable(release_version),
        user_id=_encodable(user_id),
        trace_id=trace_id,
        message=message,
        tags={_encodable(key): _encodable(value) for key, value in tags},
        exceptions=[ExceptionInfo(error_type="PaymentError", message=message, stack_trace=_frames(functions))],
    )
    body, stacks = split(event)
    return EventRow(
        project_id=project_id,
        event_id=event_id(number),
        position=position or Position(1, number * 100, 0),
        timestamp=when,
        received_at=received_at,
        severity=severity,
        environment=environment,
        release_version=release_version,
        service_name="shop",
        issue_id=issue_id,
        user_id=user_id,
        trace_id=trace_id,
        error_type="PaymentError",
        message=message,
        transaction="",
        culprit="",
        platform="python",
        category="code",
        handled=None,
        fingerprint=f"v1:{issue_id:x}",
        fingerprint_reason="type and stack",
        text=text,
        tags=list(tags),
        body=body,
        stacks=[Stack(stack.digest, stack.frames, " ".join(functions)) for stack in stacks],
    )


def _encodable(text: str) -> str:
    """No body holds half a surrogate pair: it cannot be encoded. The columns of a test's row may."""
    return text.encode("utf-8", "replace").decode()


def _frames(functions: Sequence[str]) -> list[Frame]:
    return [
        Frame(function=name, module="shop.pay", lineno=index, locals=msgspec.Raw(b'{"attempt":%d}' % index))
        for index, name in enumerate(functions, 1)
    ]
