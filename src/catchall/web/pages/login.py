"""Logging in and out."""

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from catchall.core.limits import PASSWORD_CHARS_MAX
from catchall.web.drawing.rendering import draw
from catchall.web.people import throttle
from catchall.web.people.links import find_link, moment, spend
from catchall.web.people.models import EMAIL_CHARS_MAX, User, normal_email
from catchall.web.permissions import Action, needs
from catchall.web.services import current

WRONG = "The e-mail address or the password is not right."
BACKEND = "django.contrib.auth.backends.ModelBackend"


@needs(Action.PUBLIC)
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """The login page. Guessing is bounded for each account and each address (`throttle`)."""
    target = _safe_target(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(target)
    context = {"next": target, "email": "", "error": "", "nobody": not User.objects.exists()}
    if request.method == "GET":
        return draw(request, "people/login.html", context)
    email = normal_email(request.POST.get("email", ""))[:EMAIL_CHARS_MAX]
    context["email"] = email
    keys = throttle.keys_of(email, request.META.get("REMOTE_ADDR", ""))
    wait = throttle.begin_attempt(keys, moment(current().clock()))
    if wait:
        context["error"] = f"Too many attempts. Try again in {wait // 60 + 1} min."
        answer = draw(request, "people/login.html", context, status=429)
        answer.headers["Retry-After"] = str(wait)
        return answer
    user = authenticate(request, username=email, password=request.POST.get("password", "")[:PASSWORD_CHARS_MAX])
    if user is None:
        return draw(request, "people/login.html", {**context, "error": WRONG}, status=422)
    throttle.succeeded(keys)
    login(request, user)
    call_command("clearsessions")
    return HttpResponseRedirect(target)


@needs(Action.PUBLIC)
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End this session."""
    logout(request)
    return HttpResponseRedirect(reverse("login"))


@needs(Action.PUBLIC)
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def use_link(request: HttpRequest, token: str) -> HttpResponse:
    """A one-time link: choose an e-mail address and a password, and be in. Only sending the form spends it."""
    link = find_link(token, moment(current().clock()))
    if link is None:
        return draw(request, "people/link_spent.html", {}, status=410)
    context = {"email": "", "errors": {}, "first": not User.objects.exists()}
    if request.method == "GET":
        return draw(request, "people/link.html", context)
    email = normal_email(request.POST.get("email", ""))
    password = request.POST.get("password", "")
    errors = _faults(email, password)
    if errors:
        return draw(request, "people/link.html", {**context, "email": email, "errors": errors}, status=422)
    with transaction.atomic():  # the link is spent if and only if the account is there
        if not spend(link, moment(current().clock())):
            return draw(request, "people/link_spent.html", {}, status=410)
        user = _account(email, password)
    login(request, user, backend=BACKEND)
    return HttpResponseRedirect(reverse("home"))


def _account(email: str, password: str) -> User:
    """A new account, or the one of this address with a new password: who runs the server may do both."""
    user = User.objects.filter(email=email).first()
    if user is None:
        return User.objects.create_user(email, password)
    user.set_password(password)
    user.is_active = True
    user.save()
    return user


def _faults(email: str, password: str) -> dict[str, str]:
    faults = {}
    try:
        validate_email(email)
        if len(email) > EMAIL_CHARS_MAX:
            raise ValidationError("too long")
    except ValidationError:
        faults["email"] = "This is not an e-mail address."
    fault = password_fault(password, User(email=email))
    if fault:
        faults["password"] = fault
    return faults


def password_fault(password: str, user: User) -> str:
    """Why a password is not good enough, or nothing."""
    if len(password) > PASSWORD_CHARS_MAX:
        return f"This password is longer than {PASSWORD_CHARS_MAX:,} characters."
    try:
        validate_password(password, user)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def _safe_target(request: HttpRequest) -> str:
    """Where to go after the login: only to a page of our own."""
    target = request.POST.get("next", "") or request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return target
    return reverse("home")
