"""The API as a whole: its routes, its errors, its OpenAPI document."""

from collections.abc import Callable
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from catchall import __version__
from catchall.core.errors import CursorUnknown, StoreBusy, StoreError
from catchall.core.event import Event
from catchall.core.issue import Issue
from catchall.store.base import Project
from catchall.web.api import events, issues, models, operations, projects
from catchall.web.api.access import closed, needs
from catchall.web.api.answers import failures, problem
from catchall.web.permissions import Action

PREFIX = "/api/v1/"
STRUCTS: list[type] = [
    Event,
    Issue,
    Project,
    *(one for one in vars(models).values() if isinstance(one, type) and one.__module__ == models.__name__),
]
DESCRIPTION = """Everything that the pages show, for programs. Authenticate with `Authorization: Bearer TOKEN`
(made on the account page or by `catchall token create NAME`). Errors are problem+json (RFC 9457)."""


class Api(NinjaAPI):
    """NinjaAPI with the schemas of our own structs, from which all answers are made."""

    def get_openapi_schema(self, **options: Any) -> Any:
        """The document: ninja's, with our components and the ways to authenticate."""
        document = super().get_openapi_schema(**options)
        _, components = msgspec.json.schema_components(STRUCTS, ref_template="#/components/schemas/{name}")
        components["FullEventPage"]["properties"]["events"]["items"] = {"$ref": "#/components/schemas/Event"}
        document["components"].setdefault("schemas", {}).update(components)
        document["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": "catchall_session"},
        }
        document["security"] = [{"token": []}, {"session": []}]
        for methods in document["paths"].values():
            for operation in methods.values():
                _only_what_is_described(operation)
        return document


def _only_what_is_described(operation: dict[str, Any]) -> None:
    """Ninja adds a bare 200 to each operation, also to those that answer 201."""
    answers = operation["responses"]
    if 201 in answers:
        answers.pop(200, None)
    for status, described in failures().items():
        answers.setdefault(status, described)


def make_api() -> Api:
    """The API with all routes. An operation that names nobody in its `auth` is open to nobody."""
    api = Api(
        title="catchall",
        version=__version__,
        description=DESCRIPTION,
        urls_namespace="api",
        docs_url=None,
        openapi_url=None,
        auth=closed,
    )
    for router in (projects.router, issues.router, events.router, operations.router):
        api.add_router("", router)

    @api.get("/openapi.json", auth=needs(Action.READ), include_in_schema=False)
    def get_openapi(request: HttpRequest) -> HttpResponse:
        return JsonResponse(api.get_openapi_schema(path_prefix=PREFIX.lstrip("/")))

    _handle_errors(api)
    return api


def _handle_errors(api: Api) -> None:
    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        listed = [{"where": list(one["loc"]), "what": one["msg"]} for one in error.errors]
        return problem(request, 422, "A parameter or the body is not as described.", listed)

    @api.exception_handler(HttpError)
    def refused(request: HttpRequest, error: HttpError) -> HttpResponse:
        return problem(request, error.status_code, str(error))

    @api.exception_handler(AuthenticationError)
    def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return problem(request, 401, error.message)

    @api.exception_handler(PermissionDenied)
    def forbidden(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
        return problem(request, 403, "You may not do this.")

    @api.exception_handler(Http404)
    def missing(request: HttpRequest, error: Http404) -> HttpResponse:
        return problem(request, 404, str(error))

    @api.exception_handler(CursorUnknown)
    def no_cursor(request: HttpRequest, error: CursorUnknown) -> HttpResponse:
        return problem(request, 422, str(error))

    @api.exception_handler(StoreBusy)
    def busy(request: HttpRequest, error: StoreBusy) -> HttpResponse:
        return problem(request, 503, "The store is busy. Nothing was changed; try again.")

    @api.exception_handler(StoreError)
    def store_refused(request: HttpRequest, error: StoreError) -> HttpResponse:
        return problem(request, 409, str(error))


def problems_for_all(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a wrong method under the API's prefix is a problem+json as well (ninja answers in plain text)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code == 405 and request.path.startswith(PREFIX):
            allowed = ", ".join(sorted(response.headers.get("Allow", "").replace(",", " ").split()))
            response = problem(request, 405, f"This address takes only {allowed}.")
            response.headers["Allow"] = allowed
        return response

    return middleware
