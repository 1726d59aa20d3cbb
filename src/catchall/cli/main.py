"""The command's entry: global options, the list of commands, and how errors end.

Exit codes: 0 done · 1 it failed (the message says why) · 2 wrong use or setting · 3 not finished in time.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from catchall import __version__
from catchall.cli import dead_letters, find, inspect, people, projects, run
from catchall.core.errors import CatchallError, ConfigError

DATA_VARIABLE = "CATCHALL_DATA"

app = typer.Typer(
    name="catchall",
    help="Self-hosted error handling: from the line that raised it to the post-mortem.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    data: Annotated[
        Path, typer.Option("--data", envvar=DATA_VARIABLE, help="Folder of the installation.", file_okay=False)
    ] = Path("data"),
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Options that every command takes."""
    context.obj = data


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


app.command()(run.run)
app.command()(run.settings)
app.command()(inspect.status)
app.command()(inspect.drain)
app.command()(inspect.ledger)
app.command()(find.events)
app.command()(find.issues)
app.add_typer(projects.projects, name="project")
app.add_typer(projects.keys, name="key")
app.add_typer(dead_letters.dead_letters, name="deadletters")
app.add_typer(people.tokens, name="token")
app.command(name="login-link")(people.login_link)


def main() -> None:
    """Run the command line; every expected error ends in one clear line and an exit code."""
    try:
        app(standalone_mode=True)
    except ConfigError as error:
        print(f"catchall: {error}", file=sys.stderr)
        sys.exit(2)
    except CatchallError as error:
        print(f"catchall: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # the reader of a pipe has seen enough; nothing more may be written at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
