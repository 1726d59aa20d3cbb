"""The ledger, dead letters and the event's schema."""

from typing import Annotated, Literal

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Path, Query, Router

from catchall.core.event import Event
from catchall.core.limits import LIST_LIMIT_MAX
from catchall.core.times import rfc3339
from catchall.store.base import DeadLetter
from catchall.web.api.access import allow, needs
from catchall.web.api.answers import answer, answers, answers_bytes, problem
from catchall.web.api.models import DeadLetterBody, DeadLetterPage, Ledger
from catchall.web.api.parameters import ID_MAX
from catchall.web.permissions import Action
from catchall.web.services import current

router = Router(tags=["operations"])
SCHEMA_ID = "/api/v1/schemas/event.json"
LetterId = Annotated[int, Path(ge=1, le=ID_MAX)]


@router.get("/ledger", auth=needs(Action.READ), **answers(Ledger))
def get_ledger(request: HttpRequest) -> HttpResponse:
    """Where everything went, in one snapshot."""
    return answer(msgspec.convert(current().status()["ledger"], Ledger))


@router.get("/schemas/event.json", auth=needs(Action.READ), openapi_extra={"responses": {200: {"description": "OK"}}})
def get_event_schema(request: HttpRequest) -> HttpResponse:
    """The JSON Schema (2020-12) of an event."""
    schema = msgspec.json.schema(Event)
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": current().base_url + SCHEMA_ID}
    return HttpResponse(msgspec.json.encode({**document, **schema}), content_type="application/schema+json")


@router.get("/dead-letters", auth=needs(Action.OPERATE), **answers(DeadLetterPage))
def list_dead_letters(
    request: HttpRequest,
    project_id: Annotated[int | None, Query(ge=0, le=ID_MAX)] = None,
    state: Literal["waiting", "replaying", "replayed", "discarded"] = "waiting",
    limit: Annotated[int, Query(ge=1, le=LIST_LIMIT_MAX)] = 50,
    before: Annotated[int, Query(ge=0, le=ID_MAX, description="`next` of the page before.")] = 0,
) -> HttpResponse:
    """What could not be understood, newest first."""
    allow(request, project_id)
    found = current().hot.dead_letters(project_id=project_id, state=state, limit=limit, before=before)
    following = found[-1].dead_letter_id if len(found) == limit else 0
    return answer(DeadLetterPage(dead_letters=[_body(letter) for letter in found], next=following))


@router.get("/dead-letters/{dead_letter_id}", auth=needs(Action.OPERATE), **answers(DeadLetterBody, 404))
def get_dead_letter(request: HttpRequest, dead_letter_id: LetterId) -> HttpResponse:
    """One of them."""
    letter = _letter(request, dead_letter_id)
    return answer(_body(letter, replayable=bool(letter.record)))


@router.get("/dead-letters/{dead_letter_id}/data", auth=needs(Action.OPERATE), **answers_bytes(404))
def get_dead_letter_data(request: HttpRequest, dead_letter_id: LetterId) -> HttpResponse:
    """Its bytes as they came: not scrubbed."""
    letter = _letter(request, dead_letter_id)
    response = HttpResponse(letter.data, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="dead-letter-{letter.dead_letter_id}"'
    return response


@router.post("/dead-letters/{dead_letter_id}/replay", auth=needs(Action.OPERATE), **answers(DeadLetterBody, 404, 409))
def replay_dead_letter(request: HttpRequest, dead_letter_id: LetterId) -> HttpResponse:
    """Ask the workers to try it again; they do within seconds."""
    _letter(request, dead_letter_id)
    if not current().hot.request_replay(dead_letter_id):
        return problem(request, 409, "This dead letter does not wait any more, or has no record to replay.")
    return answer(_body(_letter(request, dead_letter_id)))


@router.post("/dead-letters/{dead_letter_id}/discard", auth=needs(Action.OPERATE), **answers(DeadLetterBody, 404, 409))
def discard_dead_letter(request: HttpRequest, dead_letter_id: LetterId) -> HttpResponse:
    """Give it up: its bytes are removed, the ledger goes on counting it."""
    _letter(request, dead_letter_id)
    if not current().hot.discard_dead_letter(dead_letter_id):
        return problem(request, 409, "This dead letter does not wait any more.")
    return answer(_body(_letter(request, dead_letter_id)))


def _letter(request: HttpRequest, dead_letter_id: int) -> DeadLetter:
    letter = current().hot.dead_letter(dead_letter_id)
    if letter is None:
        raise Http404(f"There is no dead letter {dead_letter_id}, or its retention is over.")
    allow(request, letter.project_id)
    return letter


def _body(letter: DeadLetter, *, replayable: bool | None = None) -> DeadLetterBody:
    return DeadLetterBody(
        dead_letter_id=letter.dead_letter_id,
        project_id=letter.project_id,
        category=letter.category,
        reason=letter.reason,
        detail=letter.detail,
        received_at=rfc3339(letter.received_at),
        protocol=letter.protocol,
        state=letter.state,
        replayable=replayable,
    )
