"""The first address, and the one that tells that the pages are alive."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from catchall.web.permissions import Action, needs


@needs(Action.READ)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Issues are where people want to be."""
    return HttpResponseRedirect(reverse("issues"))


@needs(Action.PUBLIC)
@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """200 while this process answers. Says nothing of the rest: see /readyz of the front process."""
    return HttpResponse("ok\n", content_type="text/plain")
