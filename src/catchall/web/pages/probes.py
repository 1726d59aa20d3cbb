"""The first address, and the one that tells that the pages are alive."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from catchall.core.errors import CatchallError
from catchall.web.permissions import Action, needs
from catchall.web.services import current


@needs(Action.READ)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Issues are where people want to be."""
    return HttpResponseRedirect(reverse("issues"))


@needs(Action.PUBLIC)
@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """200 while this process answers. Says nothing of the rest: see `ready`."""
    return HttpResponse("ok\n", content_type="text/plain")


@needs(Action.PUBLIC)
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """200 when the whole way is open: the front (it brought the request here), the pages, the log and the store."""
    try:
        problems = current().status().get("problems", ())
    except CatchallError as error:
        problems = [str(error)]
    if problems:
        return HttpResponse(f"not ready: {'; '.join(problems)}\n", content_type="text/plain", status=503)
    return HttpResponse("ready\n", content_type="text/plain")
