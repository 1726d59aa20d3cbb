"""Who may do what: ONE function decides, and a view that names no action is refused.

Pages declare their action with `@needs(Action.READ)`; the `Gate` middleware asks `may` before the view runs. The JSON
API asks the same function (api/access.py). Roles will refine `may`, nothing else.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from catchall.web.people.models import ApiToken, User

Actor = User | ApiToken | AnonymousUser
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class Action(StrEnum):
    """What somebody wants to do."""

    PUBLIC = "public"  # log in, health: before anybody is known
    READ = "read"  # look at projects, issues, events, the ledger
    TRIAGE = "triage"  # resolve, ignore, reopen issues
    CONFIGURE = "configure"  # projects, keys, limits
    OPERATE = "operate"  # dead letters: their bytes are unscrubbed
    ACCOUNT = "account"  # one's own password and tokens


def may(actor: Actor, action: Action, project_id: int | None = None) -> bool:
    """Whether `actor` may do `action` (in a project, or on the installation).

    Today everybody who is logged in may do everything, and a token everything but manage an account.
    """
    if action is Action.PUBLIC:
        return True
    if isinstance(actor, ApiToken):
        return action is not Action.ACCOUNT
    return actor.is_authenticated and actor.is_active


def needs(action: Action) -> Callable[[View], View]:
    """Declare what a page's view does; without it the `Gate` refuses everybody."""

    def mark(view: View) -> View:
        view.catchall_action = action  # type: ignore[attr-defined]
        return view

    return mark


def check(request: HttpRequest, project_id: int) -> None:
    """Ask again once a view knows the project. Raises PermissionDenied."""
    action = request.META["catchall.action"]
    if not may(request.user, action, project_id):
        raise PermissionDenied


class Gate:
    """Middleware: asks `may` for each view before it runs. The API's views ask for themselves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: object, kwargs: object
    ) -> HttpResponseBase | None:
        """Refuse, send to the login page, or let pass (None)."""
        if request.resolver_match is not None and "api" in request.resolver_match.namespaces:
            return None
        action = getattr(view, "catchall_action", None)
        if action is None:
            raise PermissionDenied(f"{view!r} declares no action")
        request.META["catchall.action"] = action
        if may(request.user, action):
            return None
        if request.user.is_authenticated:
            raise PermissionDenied
        return _to_login(request)


def _to_login(request: HttpRequest) -> HttpResponse:
    address = reverse("login")
    if request.method == "GET" and request.headers.get("HX-Request") != "true":
        return HttpResponseRedirect(f"{address}?{urlencode({'next': request.get_full_path()})}")
    # A script asked: a redirect would put the login page into the middle of the page. htmx follows this header.
    return HttpResponse(status=401, headers={"HX-Redirect": address})
