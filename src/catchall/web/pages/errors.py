"""Error pages: what happened, what to do, and the id to quote. The API gets the same as problem+json (RFC 9457)."""

import logging
import sys
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string

from catchall.core.errors import CursorUnknown, StoreError
from catchall.web.middleware import request_id

log = logging.getLogger("catchall.web")

API_PREFIX = "/api/v1/"
PROBLEM = "application/problem+json"
RETRY_AFTER_SECONDS = "1"
TITLES = {
    400: "That request cannot be understood",
    403: "You may not do this",
    404: "There is nothing here",
    500: "Something broke on our side",
    503: "The store does not answer now",
}


def answer(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    """An error answer in the form that the asker reads. It needs no database and nobody logged in."""
    title = TITLES[status]
    identity = request_id(request)
    if request.path.startswith(API_PREFIX):
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail, "request_id": identity}
        return JsonResponse(body, status=status, content_type=PROBLEM)
    context = {"status": status, "title": title, "detail": detail, "request_id": identity}
    return HttpResponse(render_to_string("error.html", context), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    return answer(request, 400, "The address or the form holds something that catchall cannot read.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    return answer(
        request, 403, "Your account may not see or change this. Ask somebody who looks after this installation."
    )


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that does not come from our own page, or from one that is too old."""
    return answer(
        request,
        403,
        "The form did not come from a page of this installation, or its page is too old. Load the page again.",
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404. What raised it may say more than the general sentence."""
    said = str(exception.args[0]) if exception.args and isinstance(exception.args[0], str) else ""
    detail = said[0].upper() + said[1:] + "." if said else "The address is wrong, or what it named was removed."
    return answer(request, 404, detail)


class StoreTrouble:
    """Middleware: a store that is busy or refuses is 503 with Retry-After, not a crash. The API answers by itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Called for what a view raises; None leaves it to others."""
        if isinstance(exception, CursorUnknown):
            return HttpResponseRedirect(request.path)  # an old link to the middle of a list: begin at its first page
        if not isinstance(exception, StoreError):
            return None
        log.warning("request %s: the store refused: %s", request_id(request), exception)
        response = answer(request, 503, "The store is busy or refuses to work. Nothing was changed; try again.")
        response.headers["Retry-After"] = RETRY_AFTER_SECONDS
        return response


def server_error(request: HttpRequest) -> HttpResponse:
    """500: logged with the id that the page shows."""
    log.error("request %s failed: %s %s", request_id(request), request.method, request.path, exc_info=sys.exc_info())
    return answer(request, 500, "It was logged with the id below. Trying again may help; if not, quote the id.")
