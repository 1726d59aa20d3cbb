"""Jinja2 for the pages: everything escaped, an unknown name is an error, and a few functions for facts."""

from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.urls import reverse
from jinja2 import Environment, PackageLoader, StrictUndefined

from catchall import __version__
from catchall.web.assets import asset
from catchall.web.drawing import charts, formatting, health
from catchall.web.middleware import request_id

ADDRESSES_REMEMBERED = 4096  # a list names a hundred of them; the same ones each time it is drawn


def environment(**options: Any) -> Environment:
    """The environment that Django's settings name."""
    options.update(
        loader=PackageLoader("catchall.web", "templates"),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made = Environment(**options)  # noqa: S701 - Django passes autoescape=True
    if not made.autoescape:
        raise ValueError("templates must escape")
    made.globals.update(
        asset=asset,
        url=address,
        version=__version__,
        sparkline=charts.sparkline,
        trend=charts.trend,
        axis=charts.axis,
        share=charts.share,
        number=formatting.number,
        exact=formatting.exact,
        plural=formatting.plural,
        size=formatting.size,
    )
    return made


@lru_cache(maxsize=ADDRESSES_REMEMBERED)
def address(name: str, *arguments: object) -> str:
    """The path of a named page."""
    return reverse(name, args=arguments)


def theme_of(request: HttpRequest) -> str:
    """The theme that somebody chose (a script keeps it in a cookie); empty for the system's."""
    chosen = request.COOKIES.get("catchall_theme", "")
    return chosen if chosen in ("light", "dark") else ""


def wants_part(request: HttpRequest) -> bool:
    """Whether a script asks for a part of a page; after "back" it asks for the whole one."""
    asked = request.headers.get("HX-Request") == "true"
    return asked and request.headers.get("HX-History-Restore-Request") != "true"


def draw(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render a template with what every page has: who is asking, the clock, the state of catchall itself."""
    common: dict[str, Any] = {
        "user": request.user,
        "csrf_token": get_token(request),
        "path": request.path,
        "request_id": request_id(request),
        "when": formatting.Clock(),
        "theme": theme_of(request),
    }
    if request.user.is_authenticated and not wants_part(request):
        common["health"] = health.report()
    return HttpResponse(render_to_string(template, {**common, **context}), status=status)
