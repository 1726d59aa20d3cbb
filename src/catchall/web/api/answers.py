"""How the API answers: structs as JSON, errors as problem+json, both described in the OpenAPI document."""

from http import HTTPStatus
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse

from catchall.web.api.models import Problem
from catchall.web.middleware import request_id

JSON = "application/json"
PROBLEM = "application/problem+json"
ALWAYS = (401, 403, 422, 503)  # what any operation may answer: who, may not, wrong parameter, store busy
WHY = {
    400: "The body is not JSON.",
    401: "Nobody is logged in and no known token was sent.",
    403: "The caller may not do this.",
    404: "What the address names does not exist (any more).",
    405: "The address does not take this method.",
    409: "The state of the thing does not allow this.",
    422: "A parameter or the body is not as described.",
    503: "The store is busy; try again after Retry-After seconds.",
}

_encode = msgspec.json.Encoder().encode


def answer(body: Any, status: int = 200) -> HttpResponse:
    """A struct (or several in a struct) as JSON."""
    return HttpResponse(_encode(body), status=status, content_type=JSON)


def raw(payload: bytes) -> HttpResponse:
    """JSON that the store already has."""
    return HttpResponse(payload, content_type=JSON)


def problem(
    request: HttpRequest, status: int, detail: str, errors: list[dict[str, object]] | None = None
) -> HttpResponse:
    """An error."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        request_id=request_id(request),
        errors=errors or [],
    )
    made = HttpResponse(_encode(body), status=status, content_type=PROBLEM)
    if status == HTTPStatus.UNAUTHORIZED:
        made.headers["WWW-Authenticate"] = 'Bearer realm="catchall"'
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        made.headers["Retry-After"] = "1"
    return made


def answers(struct: type | tuple[type, ...], *fails: int, status: int = 200, kind: str = JSON) -> dict[str, Any]:
    """Keyword arguments of an operation that describe what it answers. `fails`: statuses beside those of all."""
    structs = struct if isinstance(struct, tuple) else (struct,)
    references = [{"$ref": f"#/components/schemas/{one.__name__}"} for one in structs]
    schema = references[0] if len(references) == 1 else {"anyOf": references}
    return {"openapi_extra": {"responses": {status: _content(kind, schema), **failures(*fails)}}}


def answers_bytes(*fails: int) -> dict[str, Any]:
    """The same for an operation that answers with a file."""
    schema = {"type": "string", "contentMediaType": "application/octet-stream"}
    return {"openapi_extra": {"responses": {200: _content("application/octet-stream", schema), **failures(*fails)}}}


def failures(*fails: int) -> dict[int, Any]:
    """The described errors of an operation."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": WHY[status], "content": {PROBLEM: {"schema": schema}}}
        for status in sorted({*ALWAYS, *fails})
    }


def _content(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "OK", "content": {kind: {"schema": schema}}}
