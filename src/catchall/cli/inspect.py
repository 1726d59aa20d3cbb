"""`catchall status`, `drain` and `ledger`: how the line is doing."""

import sys
import time
from typing import Annotated

import typer

from catchall.bootstrap import Parts
from catchall.cli.output import print_json, print_table, wants_json
from catchall.cli.projects import Json
from catchall.worker.standing import Standing, standing

DRAIN_LOOK_SECONDS = 0.1


def status(context: typer.Context, json: Json = False) -> None:
    """Say which roles run, what waits in the log, and what keeps errors from being accepted."""
    with Parts(context.obj) as parts:
        found = parts.status()
    del found["ledger"]  # has a command of its own
    report = {"running": bool(found["roles"]), **found}
    if wants_json(json):
        print_json(report)
    else:
        rows = list(report.items())
        print_table("catchall", ("what", "value"), rows, empty="")


def drain(
    context: typer.Context,
    timeout: Annotated[float, typer.Option("--timeout", min=0, help="Seconds to wait at the most.")] = 60.0,
) -> None:
    """Wait until nothing waits in the log. Exit code 3 when it is not done in time."""
    deadline = time.monotonic() + timeout
    with Parts(context.obj) as parts:
        while True:
            now = standing(parts.reader, parts.hot)
            if now.waiting == 0:
                return
            if time.monotonic() >= deadline:
                typer.echo(f"catchall: {now.waiting} requests still wait after {timeout:g} s", err=True)
                raise typer.Exit(3)
            _show_progress(now)
            time.sleep(DRAIN_LOOK_SECONDS)


def _show_progress(now: Standing) -> None:
    if sys.stderr.isatty():
        print(f"\r{now.waiting} requests wait ", end="", file=sys.stderr, flush=True)


def ledger(context: typer.Context, json: Json = False) -> None:
    """Print where every request and item went, and whether it adds up (exit code 1 when it does not)."""
    with Parts(context.obj) as parts:
        now = standing(parts.reader, parts.hot)
    if wants_json(json):
        print_json(now.ledger())
    else:
        rows = [
            (key.project_id, key.category, key.outcome, key.reason, count) for key, count in sorted(now.rows.items())
        ]
        print_table(
            "Ledger", ("project", "category", "outcome", "reason", "count"), rows, empty="Nothing was sent yet."
        )
        typer.echo(f"Requests: {now.accepted} accepted = {now.committed} committed + {now.waiting} waiting")
        typer.echo("It balances." if now.balanced else "It does NOT balance.")
    if not now.balanced:
        raise typer.Exit(1)
