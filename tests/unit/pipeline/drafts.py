"""Drafts for tests, as a wire parser would fill them."""

import copy
import json
from pathlib import Path
from typing import Any

from msgspec import Raw

from catchall.core.event import Event, EventDraft, ExceptionInfo, Frame, SourceContext
from catchall.core.identity import Position
from catchall.pipeline.build import freeze, refine_all
from catchall.pipeline.context import BatchContext, ProjectSettings
from catchall.pipeline.row import to_row
from catchall.store.base import EventRow
from tests.support.stacks import take_stacks_apart

DATA = Path(__file__).parents[2] / "data"
SECOND = 1_000_000
NOW = 1_795_473_712 * SECOND
KEY = b"k" * 32
PROJECT = 7


def context(**settings: Any) -> BatchContext:
    base: dict[str, Any] = {"project_id": PROJECT, "slug": "storefront", "retention_days": 90}
    project = ProjectSettings(**base | settings)
    return BatchContext(now=NOW, installation_key=KEY, projects={PROJECT: project})


CONTEXT = context()


def draft(**fields: Any) -> EventDraft:
    """A draft with an id, that arrived now; a message unless it has something else. Its frames are taken apart."""
    base: dict[str, Any] = {
        "event_id": "ab" * 16,
        "project_id": PROJECT,
        "received_at": NOW,
        "protocol": "sentry",
        "platform": "python",
    }
    own = fields.pop("stack_trace", [])
    exceptions = copy.deepcopy(fields.pop("exceptions", []))  # they lose their frames
    stacks = take_stacks_apart(exceptions, copy.deepcopy(own))
    return EventDraft(**base | fields, exceptions=exceptions, stacks=stacks)


def frame(function: str = "total", module: str = "shop.cart", *, in_app: bool | None = True, **fields: Any) -> Frame:
    base: dict[str, Any] = {
        "function": function,
        "module": module,
        "filename": module.replace(".", "/") + ".py",
        "lineno": 12,
        "in_app": in_app,
    }
    return Frame(**base | fields)


def raised(
    error_type: str = "ValueError", message: str = "bad", frames: list[Frame] | None = None, **fields: Any
) -> ExceptionInfo:
    return ExceptionInfo(
        error_type=error_type, message=message, stack_trace=[frame()] if frames is None else frames, **fields
    )


def raw(value: object) -> Raw:
    return Raw(json.dumps(value).encode())


def refine(what: EventDraft, where: BatchContext = CONTEXT) -> Event:
    """A draft taken through all steps; what ends its way is raised."""
    (end,) = refine_all([what], where)
    if end is not None:
        raise end
    return freeze(what)


def refined(what: EventDraft, where: BatchContext = CONTEXT) -> tuple[Event, EventDraft]:
    return refine(what, where), what


def row_of(what: EventDraft, where: BatchContext = CONTEXT) -> EventRow:
    return to_row(refine(what, where), what, Position(1, 2, 3))


def fault_drafts() -> list[EventDraft]:
    """The faults of tests/data/faults.json."""
    return [_of_sentry(event) for event in json.loads((DATA / "faults.json").read_text())]


def _of_sentry(event: dict[str, Any]) -> EventDraft:
    values = event["exception"]["values"]
    return draft(
        event_id=event["event_id"],
        platform=event["platform"],
        transaction=event["transaction"],
        release_version=event["release"],
        exceptions=[
            ExceptionInfo(
                error_type=value["type"],
                message=value["value"],
                module=value.get("module") or "",
                stack_trace=[_frame_of_sentry(one) for one in value["stacktrace"]["frames"]],
            )
            for value in values
        ],
    )


def _frame_of_sentry(one: dict[str, Any]) -> Frame:
    return Frame(
        function=one["function"],
        module=one.get("module", ""),
        filename=one["filename"],
        abs_path=one.get("abs_path", ""),
        lineno=one["lineno"],
        in_app=one["in_app"],
        context=SourceContext(line=one["context_line"]),
    )
