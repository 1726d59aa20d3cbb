"""`catchall project` and `catchall key`."""

import secrets
import time
from pathlib import Path
from typing import Annotated

import typer

from catchall.bootstrap import Parts
from catchall.cli.output import print_json, print_table, wants_json
from catchall.core.errors import ConfigError
from catchall.core.slug import slug_of
from catchall.store.base import Project, ProjectKey

projects = typer.Typer(help="Projects: one for each service or team that sends errors.", no_args_is_help=True)
keys = typer.Typer(help="Keys (DSNs) that clients of a project send with.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON; so it is, too, when the output is a pipe.")]


def find_project(parts: Parts, text: str) -> Project:
    """The project with this id, slug or name. Raises ConfigError naming those that exist."""
    known = parts.hot.projects()
    for project in known:
        if text in (str(project.project_id), project.slug, project.name):
            return project
    names = ", ".join(project.slug for project in known) or "none yet; make one with `catchall project create NAME`"
    raise ConfigError(f"there is no project {text!r}; there are: {names}")


def dsn(base_url: str, key: ProjectKey) -> str:
    """What a client is configured with: https://KEY@HOST/PROJECT."""
    scheme, _, host = base_url.partition("://")
    return f"{scheme}://{key.key}@{host}/{key.project_id}"


@projects.command("create")
def create(context: typer.Context, name: str, platform: str = "", json: Json = False) -> None:
    """Make a project with its first key, and print the DSN for its clients."""
    with Parts(context.obj) as parts:
        taken = {project.slug for project in parts.hot.projects()}
        project, key = parts.hot.create_project(
            name,
            slug=slug_of(name, taken),
            key=secrets.token_hex(16),
            now=time.time_ns() // 1000,
            platform=platform,
        )
        address = dsn(parts.settings.public_url, key)
    if wants_json(json):
        print_json({"id": project.project_id, "key": key.key, "dsn": address})
    else:
        typer.echo(f"Project {project.name} ({project.slug}), id {project.project_id}\nDSN: {address}")


@projects.command("list")
def list_projects(context: typer.Context, json: Json = False) -> None:
    """List the projects."""
    with Parts(context.obj) as parts:
        found = parts.hot.projects()
    if wants_json(json):
        for project in found:
            print_json(project)
    else:
        rows = [(project.project_id, project.slug, project.name, project.created_at) for project in found]
        print_table(
            "Projects", ("id", "slug", "name", "created"), rows, empty="No project yet: catchall project create NAME"
        )


@keys.command("list")
def list_keys(context: typer.Context, project: str, json: Json = False) -> None:
    """List a project's keys."""
    with Parts(context.obj) as parts:
        found = parts.hot.keys(find_project(parts, project).project_id)
        url = parts.settings.public_url
    if wants_json(json):
        for key in found:
            print_json({"id": key.key_id, "key": key.key, "label": key.label, "disabled": key.disabled,
                        "origins": key.origins, "dsn": dsn(url, key)})  # fmt: skip
    else:
        rows = [(key.key_id, key.label, "disabled" if key.disabled else "in use", dsn(url, key)) for key in found]
        print_table("Keys", ("id", "label", "state", "DSN"), rows, empty="No key: catchall key create PROJECT")


@keys.command("create")
def create_key(context: typer.Context, project: str, label: str = "", json: Json = False) -> None:
    """Add a key to a project; the old ones go on working until you disable them."""
    with Parts(context.obj) as parts:
        wanted = find_project(parts, project)
        key = parts.hot.create_key(
            wanted.project_id, key=secrets.token_hex(16), label=label, now=time.time_ns() // 1000
        )
        address = dsn(parts.settings.public_url, key)
    if wants_json(json):
        print_json({"id": wanted.project_id, "key_id": key.key_id, "key": key.key, "dsn": address})
    else:
        typer.echo(f"DSN: {address}")


@keys.command("disable")
def disable_key(context: typer.Context, key_id: int) -> None:
    """Refuse a key from now on (403 to its clients)."""
    _switch(context.obj, key_id, disabled=True)


@keys.command("enable")
def enable_key(context: typer.Context, key_id: int) -> None:
    """Accept a disabled key again."""
    _switch(context.obj, key_id, disabled=False)


def _switch(data: Path, key_id: int, *, disabled: bool) -> None:
    with Parts(data) as parts:
        key = parts.hot.update_key(key_id, {"disabled": disabled})
    typer.echo(f"Key {key.key_id} of project {key.project_id} is {'disabled' if key.disabled else 'in use'}.")
