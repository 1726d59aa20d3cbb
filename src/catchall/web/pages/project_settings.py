"""A project's settings: its name and limits, and its keys (create, rotate, disable, restrict)."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from catchall.core.errors import StoreError
from catchall.core.limits import (
    KEYS_PER_PROJECT_MAX,
    NAME_CHARS_MAX,
    ORIGINS_PER_KEY_MAX,
    RATE_PER_MINUTE_MAX,
    RETENTION_DAYS_MAX,
)
from catchall.store.base import Project, ProjectKey
from catchall.web.drawing.rendering import draw
from catchall.web.making import PLATFORMS, dsn, is_origin, new_key
from catchall.web.pages.lookup import find_project, sentence
from catchall.web.permissions import Action, needs
from catchall.web.services import current

UNFINISHED = "unfinished copy of another key, without its restrictions: disable it and rotate again"


class Wrong(ValueError):
    """A field of a form is wrong; the message is for people."""


@needs(Action.CONFIGURE)
@require_GET
def show(request: HttpRequest, slug: str) -> HttpResponse:
    """The page."""
    return _page(request, find_project(request, slug))


def _page(request: HttpRequest, project: Project, error: str = "") -> HttpResponse:
    keys = current().hot.keys(project.project_id)
    context = {
        "project": project,
        "keys": [(key, dsn(key)) for key in keys],
        "keys_max": KEYS_PER_PROJECT_MAX,
        "platforms": PLATFORMS,
        "error": error,
        "messages": list(messages.get_messages(request)),
    }
    return draw(request, "projects/settings.html", context, status=422 if error else 200)


@needs(Action.CONFIGURE)
@require_POST
def change(request: HttpRequest, slug: str) -> HttpResponse:
    """Change the project's own fields."""
    project = find_project(request, slug)
    try:
        changes: dict[str, Any] = {
            "name": read_name(request.POST.get("name", ""), "The project"),
            "platform": request.POST.get("platform", "") if request.POST.get("platform") in PLATFORMS else "",
            "rate_limit_per_minute": read_number(
                request, "rate_limit_per_minute", "The rate limit", RATE_PER_MINUTE_MAX
            ),
            "retention_days": read_number(request, "retention_days", "The retention", RETENTION_DAYS_MAX),
            "keep_user_ids": "keep_user_ids" in request.POST,
            "keep_addresses": "keep_addresses" in request.POST,
        }
        current().hot.update_project(project.project_id, changes)
    except (Wrong, StoreError) as error:
        return _page(request, project, _words(error))
    return _done(request, project, "Settings saved.")


@needs(Action.CONFIGURE)
@require_POST
def create_key(request: HttpRequest, slug: str) -> HttpResponse:
    """A further key, for one more client or to rotate by hand."""
    project = find_project(request, slug)
    try:
        label = read_label(request.POST.get("label", ""))
        current().hot.create_key(project.project_id, key=new_key(), label=label, now=current().clock())
    except (Wrong, StoreError) as error:
        return _page(request, project, _words(error))
    return _done(request, project, "Key created. Clients may use it at once.")


@needs(Action.CONFIGURE)
@require_POST
def change_key(request: HttpRequest, slug: str, key_id: int) -> HttpResponse:
    """Change a key's label, origins, limit, or whether it works."""
    project = find_project(request, slug)
    key = find_key(project, key_id)
    try:
        changes = {
            "label": read_label(request.POST.get("label", "")),
            "origins": read_origins(request.POST.get("origins", "")),
            "rate_limit_per_minute": read_number(
                request, "rate_limit_per_minute", "The rate limit", RATE_PER_MINUTE_MAX
            ),
            "urgent": "urgent" in request.POST,
            "disabled": "enabled" not in request.POST,
        }
        current().hot.update_key(key.key_id, changes)
    except (Wrong, StoreError) as error:
        return _page(request, project, _words(error))
    return _done(request, project, "Key saved. Intake follows within a second.")


@needs(Action.CONFIGURE)
@require_POST
def rotate_key(request: HttpRequest, slug: str, key_id: int) -> HttpResponse:
    """A new key with the same restrictions. The old one goes on working until somebody disables it: clients first."""
    project = find_project(request, slug)
    old = find_key(project, key_id)
    hot = current().hot
    try:
        # Two transactions: if we die between them, the label says that the copy has no restrictions yet.
        made = hot.create_key(project.project_id, key=new_key(), label=UNFINISHED, now=current().clock())
        hot.update_key(made.key_id, {"label": old.label, **_restrictions(old)})
    except StoreError as error:
        return _page(request, project, _words(error))
    words = "New key made with the same restrictions. Move the clients to it, then disable the old one."
    return _done(request, project, words)


def _restrictions(key: ProjectKey) -> dict[str, Any]:
    return {"origins": key.origins, "rate_limit_per_minute": key.rate_limit_per_minute, "urgent": key.urgent}


def find_key(project: Project, key_id: int) -> ProjectKey:
    """The key of this project. Raises Http404."""
    for key in current().hot.keys(project.project_id):
        if key.key_id == key_id:
            return key
    raise Http404("there is no such key in this project")


def read_name(text: str, what: str) -> str:
    """A name in one line. Raises Wrong."""
    name = " ".join(text.replace("\0", "").split())
    if not 0 < len(name) <= NAME_CHARS_MAX:
        raise Wrong(f"{what} needs a name of 1 to {NAME_CHARS_MAX} characters.")
    return name


def read_label(text: str) -> str:
    """A label, possibly none. Raises Wrong."""
    label = " ".join(text.replace("\0", "").split())
    if len(label) > NAME_CHARS_MAX:
        raise Wrong(f"A label has at most {NAME_CHARS_MAX} characters.")
    return label


def read_number(request: HttpRequest, name: str, what: str, most: int) -> int:
    """A number of a form; an empty field is 0. Raises Wrong."""
    text = request.POST.get(name, "").strip()
    if text and not (text.isascii() and text.isdigit() and len(text) < 12 and int(text) <= most):
        raise Wrong(f"{what} is a whole number from 0 to {most:,}.")
    return int(text or 0)


def read_origins(text: str) -> list[str]:
    """Allowed origins, one a line: a host, a host with a star before it, or a whole origin. Raises Wrong."""
    origins = list(dict.fromkeys(text.replace(",", " ").split()))
    if len(origins) > ORIGINS_PER_KEY_MAX:
        raise Wrong(f"A key takes at most {ORIGINS_PER_KEY_MAX} origins.")
    for origin in origins:
        if not is_origin(origin):
            raise Wrong(f"“{origin[:80]}” is no origin. Write https://shop.example, shop.example or *.shop.example.")
    return origins


def _words(error: Wrong | StoreError) -> str:
    return sentence(error) if isinstance(error, StoreError) else str(error)


def _done(request: HttpRequest, project: Project, words: str) -> HttpResponse:
    messages.success(request, words)
    return HttpResponseRedirect(reverse("project-settings", args=[project.slug]))
