"""One's own account: password and API tokens."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from catchall.core.limits import API_TOKENS_MAX, PASSWORD_CHARS_MAX
from catchall.web.drawing.rendering import draw
from catchall.web.pages.login import password_fault
from catchall.web.people import throttle
from catchall.web.people.links import moment
from catchall.web.people.models import NAME_CHARS_MAX, ApiToken, User
from catchall.web.people.tokens import make_token
from catchall.web.permissions import Action, needs
from catchall.web.services import current


def _me(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # the gate lets nobody else come here
    return request.user


@needs(Action.ACCOUNT)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The page."""
    return _page(request)


def _page(request: HttpRequest, errors: dict[str, str] | None = None, token: str = "") -> HttpResponse:
    context: dict[str, Any] = {
        "tokens": [
            (one, one.created_at.isoformat(), one.last_used_at.isoformat() if one.last_used_at else "")
            for one in ApiToken.objects.filter(user=_me(request)).order_by("-id")
        ],
        "errors": errors or {},
        "new_token": token,
        "messages": list(messages.get_messages(request)),
    }
    return draw(request, "people/account.html", context, status=422 if errors else 200)


@needs(Action.ACCOUNT)
@sensitive_post_parameters()
@require_POST
def change_password(request: HttpRequest) -> HttpResponse:
    """A new password. All other sessions of the account end: they carry the old one's hash."""
    user = _me(request)
    new = request.POST.get("new", "")
    keys = throttle.keys_of(user.email, request.META.get("REMOTE_ADDR", ""))
    if throttle.begin_attempt(keys, moment(current().clock())):
        return _page(request, {"old": "Too many attempts. Try again in a while."})
    if not user.check_password(request.POST.get("old", "")[:PASSWORD_CHARS_MAX]):
        return _page(request, {"old": "This is not your password."})
    throttle.succeeded(keys)
    fault = password_fault(new, user)
    if fault:
        return _page(request, {"new": fault})
    user.set_password(new)
    user.save()
    update_session_auth_hash(request, user)
    messages.success(request, "Password changed. All your other sessions were logged out.")
    return HttpResponseRedirect(reverse("account"))


@needs(Action.ACCOUNT)
@require_POST
def create_token(request: HttpRequest) -> HttpResponse:
    """A new API token, shown in this one answer."""
    name = " ".join(request.POST.get("name", "").split())
    if not 0 < len(name) <= NAME_CHARS_MAX:
        return _page(request, {"name": f"A token needs a name of 1 to {NAME_CHARS_MAX} characters."})
    if ApiToken.objects.filter(user=_me(request)).count() >= API_TOKENS_MAX:
        return _page(request, {"name": f"You have {API_TOKENS_MAX} tokens, the most there can be. Remove one first."})
    return _page(request, token=make_token(name, moment(current().clock()), _me(request)))


@needs(Action.ACCOUNT)
@require_POST
def remove_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """Whoever uses it is refused from now on."""
    ApiToken.objects.filter(id=token_id, user=_me(request)).delete()
    messages.success(request, "Token removed.")
    return HttpResponseRedirect(reverse("account"))
