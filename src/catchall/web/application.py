"""Builds the WSGI application of the pages and the API."""

import os
from collections.abc import Callable, Iterable
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command

from catchall.web.assets import with_static_files
from catchall.web.services import WebServices, install
from catchall.web.settings import configure

WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def prepare(services: WebServices) -> None:
    """Set Django up and bring people.db to this version's shape (a transaction: safe to kill at any line)."""
    install(services)
    configure(services)
    django.setup()
    services.data_dir.mkdir(parents=True, exist_ok=True)
    previous = os.umask(0o077)  # the database is for this user only
    try:
        call_command("migrate", interactive=False, verbosity=0)
    finally:
        os.umask(previous)


def build(services: WebServices) -> WSGIApplication:
    """The application, ready to serve. Raises FileNotFoundError when the pages' scripts and styles were not built."""
    prepare(services)
    return with_static_files(WSGIHandler())
