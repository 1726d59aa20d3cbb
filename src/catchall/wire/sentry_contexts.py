"""Sentry's contexts: objects under a name, each of which says one thing about what surrounded the error.

What has a place in the model is taken out; the rest goes with the extra data. Most contexts are the same for all events
of a program: what they come to is remembered by their JSON.

Source: https://develop.sentry.dev/sdk/data-model/event-payloads/contexts/
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec import Raw

from catchall.core import limits
from catchall.core.memo import Memo
from catchall.wire.coerce import integer, text
from catchall.wire.json_text import Json, encode, loads

Facts = dict[str, Json]
"""What has a place in the model: trace_id, span_id, thread, runtime, pid, os, browser, model, network, status_code,
service_name, otel_service_name."""


class _Said(NamedTuple):
    """What one context says. `rest`: what has no place in the model, as JSON; empty for nothing."""

    facts: Facts
    rest: bytes


class Surroundings(NamedTuple):
    """What all contexts say. `rest`: by name, as JSON."""

    facts: Facts
    rest: dict[str, bytes]


_CHANGING = frozenset({"trace"})  # different for each event
_known: Memo[tuple[str, bytes], _Said] = Memo(limits.CONTEXTS_REMEMBERED_MAX)


def read_contexts(contexts: Mapping[str, Raw]) -> Surroundings:
    """Understand contexts. Raises WireError JSON_TOO_DEEP, JSON_MALFORMED."""
    facts: Facts = {}
    rest: dict[str, bytes] = {}
    for name, raw in contexts.items():
        said = _read(name, bytes(raw))
        facts.update(said.facts)
        if said.rest:
            rest[name] = said.rest
    return Surroundings(facts, rest)


def _read(name: str, data: bytes) -> _Said:
    if name in _CHANGING or len(data) > limits.CONTEXT_REMEMBERED_BYTES_MAX:
        return _understood(name, data)
    said = _known.get((name, data))
    if said is None:
        said = _understood(name, data)
        _known.put((name, data), said)
    return said


def _understood(name: str, data: bytes) -> _Said:
    value = loads(data)
    facts: Facts = {}
    if isinstance(value, dict):
        take = _TAKE.get(name)
        if take is not None:
            facts = take(value)
        value = {key: one for key, one in value.items() if one is not None and key != "type"} or None
    return _Said(facts, b"" if value is None else encode(value))


def _of_trace(trace: dict[str, Json]) -> Facts:
    data = trace.get("data")
    thread = data.get("thread.name") if isinstance(data, dict) else None
    return {
        "trace_id": text(trace.pop("trace_id", None)),
        "span_id": text(trace.pop("span_id", None)),
        "thread": _name(thread),
    }


def _of_device(device: dict[str, Json]) -> Facts:
    return {
        "model": _name(device.pop("model", None)) or _name(device.pop("name", None)),
        "network": _name(device.pop("connection_type", None)),
    }


def _of_otel(otel: dict[str, Json]) -> Facts:
    resource = otel.get("resource")
    return {"otel_service_name": _name(resource.get("service.name"))} if isinstance(resource, dict) else {}


def _versioned(which: str) -> Callable[[dict[str, Json]], Facts]:
    """Name and version, as "Firefox 130", taken out of a context."""

    def take(context: dict[str, Json]) -> Facts:
        words = f"{text(context.pop('name', None))} {text(context.pop('version', None))}"
        return {which: words.strip()[: limits.NAME_CHARS_MAX]}

    return take


def _name(value: Json) -> str:
    return text(value)[: limits.NAME_CHARS_MAX]


_TAKE: dict[str, Callable[[dict[str, Json]], Facts]] = {
    "trace": _of_trace,
    "runtime": _versioned("runtime"),
    "os": _versioned("os"),
    "browser": _versioned("browser"),
    "device": _of_device,
    "process": lambda process: {"pid": integer(process.pop("pid", None))},
    "response": lambda response: {"status_code": integer(response.pop("status_code", None))},
    "service": lambda service: {"service_name": _name(service.get("name"))},
    "otel": _of_otel,
}
