"""An event as the store takes it: columns, words and tags to search by, and its bytes."""

from operator import itemgetter

from catchall.core import limits
from catchall.core.codec import decode_frames, encode_body
from catchall.core.event import SEVERITIES, Event, EventDraft, StackPart
from catchall.core.identity import Position
from catchall.core.memo import Memo
from catchall.core.words import words_of
from catchall.pipeline.steps.enrich import path_of
from catchall.store.base import EventRow, Stack

_tokens: Memo[bytes, str] = Memo(limits.STACKS_REMEMBERED_MAX)
_value_of = itemgetter(1)
_HANDLED = {True: "yes", False: "no"}


def to_row(event: Event, draft: EventDraft, position: Position) -> EventRow:
    """The row of a refined event. `draft` is what it was frozen from, with the stacks."""
    assert event.fingerprint is not None
    stacks = [Stack(part.digest, part.frames, _stack_tokens(part)) for part in draft.stacks]
    url_path = path_of(event.http_context.url) if event.http_context is not None else ""
    return EventRow(
        project_id=event.project_id,
        event_id=event.event_id,
        position=position,
        timestamp=draft.received_at if draft.timestamp is None else draft.timestamp,
        received_at=draft.received_at,
        severity=SEVERITIES.index(event.severity),
        environment=event.environment,
        release_version=event.release_version,
        service_name=event.service_name,
        issue_id=draft.issue_id,
        user_id=event.user_id,
        trace_id=event.trace_id,
        error_type=event.error_type,
        message=event.message,
        transaction=event.transaction,
        culprit=event.culprit,
        platform=event.platform,
        category=event.category,
        handled=event.handled,
        fingerprint=event.fingerprint.value,
        fingerprint_reason=event.fingerprint.reason,
        text=_text_of(event, url_path, draft.breadcrumbs[-1].message if draft.ends_in_logged_line else ""),
        tags=_tags_of(event, url_path),
        body=encode_body(event, draft.stacks, draft.sent_breadcrumbs),
        stacks=stacks,
    )


def _text_of(event: Event, url_path: str, logged_line: str) -> str:
    """The words by which an event is found."""
    texts = [event.error_type, event.message, event.transaction, event.culprit, url_path, event.logger, logged_line]
    for one in event.exceptions[:-1]:
        texts += (one.error_type, one.message)
    return " ".join(words_of(" ".join(texts)))


def _tags_of(event: Event, url_path: str) -> list[tuple[str, str]]:
    """What is found by exact value: the event's tags, and its fields under their short names."""
    http, device = event.http_context, event.device_context
    pairs = [
        ("environment", event.environment),
        ("release", event.release_version),
        ("service", event.service_name),
        ("severity", event.severity),
        ("category", event.category),
        ("platform", event.platform),
        ("error_type", event.error_type),
        ("host", event.host_name),
        ("user", event.user_id),
        ("transaction", event.transaction),
        ("logger", event.logger),
        ("trace_id", event.trace_id),
        ("request_id", event.request_id),
        ("url", url_path),
    ]
    if event.handled is not None:
        pairs.append(("handled", _HANDLED[event.handled]))
    if http is not None:
        pairs.append(("method", http.method))
        if http.status_code is not None:
            pairs.append(("status_code", str(http.status_code)))
    if device is not None:
        pairs += (("browser", device.browser), ("os", device.os))
    pairs.extend(event.tags.items())
    return list(filter(_value_of, pairs))


def _stack_tokens(part: StackPart) -> str:
    """The words of a stack's functions, modules and files; remembered by its digest."""
    known = _tokens.get(part.digest)
    if known is None:
        frames = decode_frames(part.frames)
        names = dict.fromkeys(name for frame in frames for name in (frame.function, frame.module, frame.filename))
        known = " ".join(words_of(" ".join(names)))
        _tokens.put(part.digest, known)
    return known
