"""Projects and keys."""

from typing import Annotated

from django.http import Http404, HttpRequest, HttpResponse
from msgspec import structs
from ninja import Field, Path, Router, Schema
from pydantic import AfterValidator, StringConstraints

from catchall.core.limits import (
    NAME_CHARS_MAX,
    ORIGINS_PER_KEY_MAX,
    RATE_PER_MINUTE_MAX,
)
from catchall.store.base import Project, ProjectKey
from catchall.web.api.access import needs, project_of
from catchall.web.api.answers import answer, answers
from catchall.web.api.models import KeyPage, KeyWithDsn, ProjectCreated, ProjectPage
from catchall.web.api.parameters import ID_MAX, Name, ProjectId
from catchall.web.making import PLATFORMS, dsn, is_origin, make_project, new_key
from catchall.web.permissions import Action
from catchall.web.services import current

router = Router(tags=["projects"])


def _one_line(text: str) -> str:
    words = " ".join(text.split())
    if not words:
        raise ValueError("is empty")
    return words


def _origin(text: str) -> str:
    if not is_origin(text):
        raise ValueError("is no origin; write https://shop.example, shop.example or *.shop.example")
    return text


def _platform(text: str) -> str:
    if text and text not in PLATFORMS:
        raise ValueError("is none of " + ", ".join(PLATFORMS))
    return text


ProjectName = Annotated[
    str, StringConstraints(min_length=1, max_length=NAME_CHARS_MAX, pattern="^[^\\x00]+$"), AfterValidator(_one_line)
]
Origin = Annotated[str, StringConstraints(min_length=1, max_length=NAME_CHARS_MAX), AfterValidator(_origin)]


class NewProject(Schema, extra="forbid"):
    """A project to make. `platform`: what its set-up page shows first."""

    name: ProjectName
    platform: Annotated[str, AfterValidator(_platform)] = Field("", max_length=20)


class NewKey(Schema, extra="forbid"):
    """A key to make."""

    label: Name = ""


class KeyChanges(Schema, extra="forbid"):
    """What to change of a key; what is absent stays. `origins`: empty for all."""

    label: Name | None = None
    disabled: bool | None = None
    origins: list[Origin] | None = Field(None, max_length=ORIGINS_PER_KEY_MAX)
    rate_limit_per_minute: int | None = Field(None, ge=0, le=RATE_PER_MINUTE_MAX)
    urgent: bool | None = None


def with_dsn(key: ProjectKey) -> KeyWithDsn:
    """A key as the API shows it."""
    return KeyWithDsn(**structs.asdict(key), dsn=dsn(key))


@router.get("/projects", auth=needs(Action.READ), **answers(ProjectPage))
def list_projects(request: HttpRequest) -> HttpResponse:
    """All projects, oldest first."""
    return answer(ProjectPage(projects=current().hot.projects()))


@router.post("/projects", auth=needs(Action.CONFIGURE), **answers(ProjectCreated, 400, 409, status=201))
def create_project(request: HttpRequest, body: NewProject) -> HttpResponse:
    """Make a project with its first key."""
    project, key = make_project(body.name, body.platform)
    return answer(ProjectCreated(project=project, key=with_dsn(key)), status=201)


@router.get("/projects/{project_id}", auth=needs(Action.READ), **answers(Project, 404))
def get_project(request: HttpRequest, project_id: ProjectId) -> HttpResponse:
    """One project."""
    return answer(project_of(request, project_id))


@router.get("/projects/{project_id}/keys", auth=needs(Action.READ), **answers(KeyPage, 404))
def list_keys(request: HttpRequest, project_id: ProjectId) -> HttpResponse:
    """All keys of a project."""
    project = project_of(request, project_id)
    return answer(KeyPage(keys=[with_dsn(key) for key in current().hot.keys(project.project_id)]))


@router.post(
    "/projects/{project_id}/keys", auth=needs(Action.CONFIGURE), **answers(KeyWithDsn, 400, 404, 409, status=201)
)
def create_key(request: HttpRequest, project_id: ProjectId, body: NewKey) -> HttpResponse:
    """Make a further key."""
    project = project_of(request, project_id)
    key = current().hot.create_key(project.project_id, key=new_key(), label=body.label, now=current().clock())
    return answer(with_dsn(key), status=201)


@router.patch(
    "/projects/{project_id}/keys/{key_id}", auth=needs(Action.CONFIGURE), **answers(KeyWithDsn, 400, 404, 409)
)
def change_key(
    request: HttpRequest, project_id: ProjectId, key_id: Annotated[int, Path(ge=1, le=ID_MAX)], body: KeyChanges
) -> HttpResponse:
    """Disable, restrict or rename a key. Intake follows within a second."""
    project = project_of(request, project_id)
    if all(key.key_id != key_id for key in current().hot.keys(project.project_id)):
        raise Http404(f"There is no key {key_id} in this project.")
    changes = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    return answer(with_dsn(current().hot.update_key(key_id, changes)))
