"""The reference page of all addresses: intake's, the API's from its OpenAPI document, the pages' from their views."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import django

FRONT = {
    "/api/<project>/envelope/": "POST: what Sentry SDKs send; OPTIONS: CORS pre-flight",
    "/api/<project>/store/": "POST: one event, as older Sentry SDKs send it; OPTIONS: CORS pre-flight",
    "/tunnel": "POST: an envelope that names its DSN in its own header; also `/api/tunnel`",
    "/healthz": "GET: 200 while the front process answers",
    "/metrics": "GET: Prometheus' text format, for readers on this machine and those that the settings list",
}


def addresses_page(made: str) -> str:
    """All addresses with what they answer."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tools.django_types"
    os.environ["NINJA_SKIP_REGISTRY"] = "1"  # the API is made a second time here
    django.setup()
    front = "\n".join(f"| `{address}` | {meaning} |" for address, meaning in FRONT.items())
    operations = "\n".join(f"| `{address}` | {method} | {meaning} |" for address, method, meaning in _operations())
    pages = "\n".join(f"| `{address}` | {meaning} |" for address, meaning in _pages())
    return f"""# Addresses
{made}
All of them on one port. Everything but intake, `/healthz`, `/readyz` and `/metrics` needs a login or a token.

## Intake and health

| address | answers |
|---|---|
{front}

## API

`Authorization: Bearer TOKEN`, with a token from the account page or `catchall token create`. The OpenAPI document is at
`/api/v1/openapi.json`. Errors are problem+json (RFC 9457).

| address | method | answers |
|---|---|---|
{operations}

## Pages

| address | shows or does |
|---|---|
{pages}
"""


def _operations() -> Iterator[tuple[str, str, str]]:
    from catchall.web.api.application import PREFIX, make_api

    document = make_api().get_openapi_schema(path_prefix=PREFIX)
    for address, methods in sorted(document["paths"].items()):
        for method, operation in methods.items():
            text = operation.get("description") or operation.get("summary") or ""
            yield re.sub(r"\{(\w+)\}", r"<\1>", address), method.upper(), _first_sentence(text)


def _pages() -> Iterator[tuple[str, str]]:
    from catchall.web import urls

    for address, view in _views(urls.urlpatterns, "/"):
        if not address.startswith("/api/"):
            about = view.__doc__ or ""
            # a file with one page describes it at its top
            yield address, _first_sentence(sys.modules[view.__module__].__doc__ or "" if _says_little(about) else about)


def _says_little(about: str) -> bool:
    return about.startswith("The page")


def _views(patterns: Sequence[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        here = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _views(pattern.url_patterns, here)
        else:
            yield readable(here), pattern.callback


def readable(address: str) -> str:
    """`/issues/(?P<issue_id>[0-9a-f]{16})/$` and `/issues/<number:issue_id>/` as `/issues/<issue_id>/`."""
    without_groups = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", address.replace("^", "").removesuffix("$"))
    return re.sub(r"<\w+:(\w+)>", r"<\1>", without_groups)


def _first_sentence(text: str) -> str:
    """The first sentence of a description, in one line. Raises ValueError when there is none."""
    words = " ".join(text.split())
    if not words:
        raise ValueError("an address without a description: give its view a docstring")
    return re.split(r"(?<=[.?])\s", words, maxsplit=1)[0]
