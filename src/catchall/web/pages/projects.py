"""Projects: list, create, set-up with the DSN, and the wait for the first event."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from catchall.core.errors import StoreError
from catchall.core.limits import NAME_CHARS_MAX
from catchall.core.times import DAY_SECONDS, MICROSECONDS
from catchall.store.base import IssueFilter, Project, SeriesPoint
from catchall.web.drawing.rendering import draw
from catchall.web.making import PLATFORMS, dsn, make_project
from catchall.web.pages.lookup import find_project, sentence
from catchall.web.pages.snippets import snippets
from catchall.web.permissions import Action, needs
from catchall.web.services import current

LIST_DAYS = 14


@needs(Action.READ)
@require_GET
def list_projects(request: HttpRequest) -> HttpResponse:
    """All projects with what arrived in them lately."""
    hot = current().hot
    until = current().clock() // MICROSECONDS
    until += -until % DAY_SECONDS
    since = until - LIST_DAYS * DAY_SECONDS
    rows: list[tuple[Project, list[SeriesPoint], int]] = [
        (
            project,
            hot.project_series(project.project_id, since=since, until=until, step=DAY_SECONDS // 2),
            hot.count_issues(IssueFilter(project_id=project.project_id, state="unresolved")),
        )
        for project in sorted(hot.projects(), key=lambda project: project.name.lower())
    ]
    return draw(request, "projects/list.html", {"rows": rows, "days": LIST_DAYS})


@needs(Action.CONFIGURE)
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A new project with its first key; then its set-up page."""
    context: dict[str, Any] = {"name": "", "platform": "", "platforms": PLATFORMS, "error": ""}
    if request.method == "GET":
        return draw(request, "projects/new.html", context)
    name = " ".join(request.POST.get("name", "").split())
    platform = request.POST.get("platform", "")
    context.update(name=name, platform=platform)
    if not 0 < len(name) <= NAME_CHARS_MAX:
        context["error"] = f"A project needs a name of 1 to {NAME_CHARS_MAX} characters."
        return draw(request, "projects/new.html", context, status=422)
    try:
        project = make_project(name, platform if platform in PLATFORMS else "")[0]
    except StoreError as error:
        context["error"] = sentence(error)
        return draw(request, "projects/new.html", context, status=422)
    return HttpResponseRedirect(reverse("project-setup", args=[project.slug]))


@needs(Action.READ)
@require_GET
def setup(request: HttpRequest, slug: str) -> HttpResponse:
    """The DSN, how to use it in five languages, and what has arrived so far."""
    project = find_project(request, slug)
    keys = [key for key in current().hot.keys(project.project_id) if not key.disabled]
    address = dsn(keys[0]) if keys else ""
    wanted = request.GET.get("platform", "") or project.platform
    context = {
        "project": project,
        "dsn": address,
        "platforms": PLATFORMS,
        "chosen": wanted if wanted in PLATFORMS else next(iter(PLATFORMS)),
        "snippets": snippets(address),
        **arrival(project),
    }
    return draw(request, "projects/setup.html", context)


@needs(Action.READ)
@require_GET
def waiting(request: HttpRequest, slug: str) -> HttpResponse:
    """What the set-up page asks for while nothing has arrived; it answers 286 (htmx: stop asking) once it has."""
    project = find_project(request, slug)
    return draw(request, "projects/waiting.html", {"project": project, **arrival(project)})


def arrival(project: Project) -> dict[str, Any]:
    """The newest issue of a project, if anything has arrived."""
    found, _ = current().hot.issues(IssueFilter(project_id=project.project_id), sort="last_seen", limit=1)
    return {"newest": found[0] if found else None}
