"""`catchall run` and `catchall settings`."""

import os
import secrets
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from catchall.bootstrap import Parts, prepare_log, roles
from catchall.cli.output import print_json, print_table, wants_json
from catchall.cli.projects import Json, dsn
from catchall.config import Settings, load, variable
from catchall.core.errors import ConfigError
from catchall.installation import Installation

FIRST_PROJECT = "My first project"


def run(
    context: typer.Context,
    bind: Annotated[str, typer.Option("--bind", help="HOST:PORT to listen on.")] = "",
    role: Annotated[str, typer.Option("--role", help="Only this role: front, worker-0, scheduler, web.")] = "",
) -> None:
    """Start catchall: all roles, or one of them. SIGTERM finishes what was begun, a second one stops now."""
    from catchall.own_log import configure_log  # at use: no other command runs processes
    from catchall.supervisor import Supervisor
    from catchall.worker.commit import CommitLock

    installation = Installation(context.obj)
    installation.create()
    settings = load(installation.data, os.environ, {"bind": bind} if bind else {})
    configure_log(settings.log_level, settings.log_format)
    specs = roles(installation.data, settings, _announce)
    if role:
        known = [spec.name for spec in specs]
        specs = [spec for spec in specs if spec.name == role]
        if not specs:
            raise ConfigError(f"--role {role}: it must be one of {', '.join(known)}")
    else:
        installation.lock_supervisor()  # held as long as this process lives
    if role in ("", "front"):
        with Parts(installation.data, settings) as parts:
            prepare_log(parts)
    _welcome(installation.data, settings)
    status_file = installation.status_file if not role else installation.run / f"status-{role}.json"
    supervisor = Supervisor(
        specs, lock_holder=lambda: CommitLock.holder(installation.commit_lock), status_file=status_file
    )
    sys.exit(supervisor.run())


def _announce(text: str) -> None:
    print(text, flush=True)


def _welcome(data: Path, settings: Settings) -> None:
    """Bring the store to this version's shape, make the first project, and say where everything is."""
    with Parts(data, settings) as parts:
        projects = parts.hot.projects()
        if not projects:
            parts.hot.create_project(
                FIRST_PROJECT, slug="my-first-project", key=secrets.token_hex(16), now=time.time_ns() // 1000
            )
            projects = parts.hot.projects()
        key = next(iter(parts.hot.keys(projects[0].project_id)), None)
    url = settings.public_url
    print(f"\n  catchall   {url}\n  data       {data}")
    if key:
        address = dsn(url, key)
        print(f"  project    {projects[0].name}\n  DSN        {address}\n")
        print("  Send a first error:  pip install sentry-sdk")
        print(f"""  python3 -c 'import sentry_sdk; sentry_sdk.init("{address}"); 1/0'\n""", flush=True)


def settings(context: typer.Context, json: Json = False) -> None:
    """Print every setting with its value and meaning."""
    installation = Installation(context.obj)
    found = load(installation.data, os.environ)
    rows = [
        (entry.name, getattr(found, entry.name), variable(entry.name), entry.metadata["about"])
        for entry in fields(Settings)
    ]
    if wants_json(json):
        for name, value, environment, about in rows:
            print_json({"name": name, "value": value, "variable": environment, "about": about})
    else:
        print_table("Settings", ("name", "value", "variable", "about"), rows, empty="")
