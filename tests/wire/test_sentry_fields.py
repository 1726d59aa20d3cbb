"""Every field that the corpus expects of an error, checked where the wire hands it over.

What the whole line makes of the same requests is checked through the API; here are also the fields that only the wire
knows, and that no cut or loss hides behind a later step.
"""

import json
from typing import Any

import pytest
from msgspec import Raw

from catchall.core import limits
from catchall.core.event import EventDraft, Frame
from catchall.core.record import RawRecord
from catchall.wire import sentry
from catchall.wire.base import EventItem
from catchall.wire.encoding import inflate
from tests.support.corpus import Recorded, recordings
from tests.support.stacks import breadcrumbs_of, frames_of

ERRORS = [recorded for recorded in recordings() if recorded.method == "POST" and recorded.expect["events"]]
CUT = {
    "sentry-python/recursion": [("exceptions.0.stack_trace", "frames")],  # 999 frames
    "sentry-python/large-event": [("exceptions.0.stack_trace.0.locals", "bytes")],  # 30 KB
}


def draft_of(recorded: Recorded) -> EventDraft:
    record = RawRecord(protocol="sentry.envelope", project_id=42, key_id=1, received_at=1_795_465_000_000_000)
    body = inflate(recorded.body, recorded.headers.get("content-encoding", ""), limits.REQUEST_INFLATED_BYTES_MAX)
    (draft,) = [item.draft for item in sentry.parse(record, body, lambda _: "") if isinstance(item, EventItem)]
    return draft


def named(name: str) -> tuple[EventDraft, dict[str, Any]]:
    recorded = next(one for one in ERRORS if one.name == name)
    return draft_of(recorded), recorded.expect["events"][0]


def deciding_frames(draft: EventDraft) -> list[Frame]:
    return frames_of(draft, len(draft.exceptions) - 1)


def read(raw: Any) -> Any:
    assert isinstance(raw, Raw)
    return json.loads(bytes(raw))


corpus = pytest.mark.parametrize("recorded", ERRORS, ids=lambda recorded: recorded.name)


@corpus
def test_what_happened(recorded):
    (expected,) = recorded.expect["events"]
    draft = draft_of(recorded)
    assert draft.error_type == (expected["error_type"] or "")
    assert draft.message == expected["message"]
    assert draft.level == expected["level"]
    if expected.get("handled") is not None:
        assert draft.handled is expected["handled"]
    chain = [(one.error_type, one.message) for one in draft.exceptions]
    if "chain" in expected:
        assert chain == [tuple(pair) for pair in expected["chain"]]
    assert {tuple(pair) for pair in expected.get("chain_contains", [])} <= set(chain)


@corpus
def test_where_it_happened(recorded):
    (expected,) = recorded.expect["events"]
    frames = deciding_frames(draft_of(recorded))
    if expected.get("frames") is not None:
        assert len(frames) == expected["frames"]
    top = expected.get("top_frame")
    if not top:
        return
    last = frames[-1]
    assert last.filename.endswith(top.get("filename", ""))
    assert last.function == top.get("function", last.function)
    assert last.lineno == top.get("lineno", last.lineno)
    assert last.abs_path == top.get("abs_path", last.abs_path)


@corpus
def test_what_surrounds_it(recorded):
    (expected,) = recorded.expect["events"]
    draft = draft_of(recorded)
    for ours, theirs in (
        ("platform", "platform"),
        ("environment", "environment"),
        ("release_version", "release"),
        ("logger", "logger"),
        ("transaction", "transaction"),
        ("dist", "dist"),
        ("host_name", "server_name"),
        ("client_fingerprint", "fingerprint"),
    ):
        if theirs in expected:
            assert getattr(draft, ours) == expected[theirs], ours
    assert expected.get("tags", {}).items() <= draft.tags.items()
    assert draft.user_raw.get("id") == expected.get("user_id", draft.user_raw.get("id"))
    breadcrumbs = breadcrumbs_of(draft)
    assert len(breadcrumbs) >= expected.get("breadcrumbs_min", 0)
    assert all(crumb.timestamp.startswith("2026-11-23T") for crumb in breadcrumbs)
    assert draft.timestamp and 1_795_400_000_000_000 < draft.timestamp < 1_795_500_000_000_000
    assert draft.client and draft.client.name.startswith("sentry.")
    if expected.get("has_trace"):
        assert len(draft.trace_id) == 32 and len(draft.span_id) == 16


@corpus
def test_the_request(recorded):
    (expected,) = recorded.expect["events"]
    context = draft_of(recorded).http_context
    if "url" in expected:
        assert context and context.url == expected["url"]
        assert context.method == expected["method"]
    if "headers" in expected:
        assert context and expected["headers"].items() <= context.headers.items()
    if "request_data" in expected:
        assert context and expected["request_data"].items() <= read(context.body).items()


@corpus
def test_nothing_is_cut_but_what_is_too_large(recorded):
    cut = [(one.path, one.unit) for one in draft_of(recorded).cut]
    assert cut == CUT.get(recorded.name, [])


@corpus
def test_the_images_of_a_bundle_are_named(recorded):
    debug_id = recorded.expect.get("debug_id")
    if debug_id:
        assert debug_id in {image["debug_id"] for image in read(draft_of(recorded).debug_meta)["images"]}


def test_local_variables():
    draft, expected = named("sentry-python/plain-locals")
    found = read(deciding_frames(draft)[-1].locals)
    for name, want in expected["locals"].items():
        assert (found[name].strip("'") if isinstance(want, str) else found[name]) == want


def test_the_same_program_in_every_encoding():
    one, br, identity = (
        named(f"sentry-python/plain-locals{suffix}")[0].exceptions for suffix in ("", "-br", "-identity")
    )
    assert one == br == identity


def test_templates_of_logged_messages():
    draft, expected = named("sentry-python/log-error")
    assert draft.message_template == expected["template"]
    assert read(draft.extra_data)["logentry"]["params"] == ["SKU-9", -3]


def test_what_was_logged_with_an_exception():
    draft, expected = named("sentry-python/log-exception")
    assert read(draft.extra_data)["logentry"]["formatted"] == expected["log_message"]


def test_the_stack_of_components_is_a_cause():
    draft, expected = named("sentry-browser/react-boundary")
    assert draft.exceptions[0].error_type == "React ErrorBoundary TypeError"
    names = [frame.function for frame in frames_of(draft, 0)]
    assert len(names) > len(expected["component_stack"])
    assert {"li", "ul"} <= set(names)


def test_what_else_a_python_event_says():
    draft, _ = named("sentry-python/rich-scope")
    assert draft.user_raw == {"id": "u-4711", "email": "jane.doe@example.com", "username": "jane"}
    assert draft.process and draft.process.runtime == "CPython 3.11.2"
    extra = read(draft.extra_data)
    assert extra["retry"] == 2
    assert extra["contexts"]["cart"]["currency"] == "EUR"
    assert [crumb.category for crumb in breadcrumbs_of(draft)] == ["auth", "httplib", "query"]


def test_groups_keep_their_tree():
    draft, _ = named("sentry-python/exception-group")
    tree = {
        one.message: (one.mechanism.exception_id, one.mechanism.parent_id) for one in draft.exceptions if one.mechanism
    }
    assert tree["3 suppliers failed"] == (0, None)
    assert tree["bad price from supplier west"] == (5, 4)


def test_a_browser_s_message_has_a_stack_and_no_exception():
    draft, _ = named("sentry-browser/message")
    assert draft.exceptions == []
    assert frames_of(draft)[-1].filename.endswith("/assets/main.min.js")
    assert draft.http_context and draft.http_context.headers["User-Agent"].startswith("Mozilla/5.0")
