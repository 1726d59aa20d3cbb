"""`catchall deadletters`: what was accepted and could not be understood."""

import sys
from typing import Annotated

import typer

from catchall.bootstrap import Parts
from catchall.cli.output import print_json, print_table, wants_json
from catchall.cli.projects import Json
from catchall.core.errors import ConfigError
from catchall.core.times import rfc3339

dead_letters = typer.Typer(help="What was accepted and could not be understood.", no_args_is_help=True)


@dead_letters.command("list")
def list_letters(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000)] = 100,
    state: str = "waiting",
    json: Json = False,
) -> None:
    """List dead letters, newest first."""
    with Parts(context.obj) as parts:
        found = parts.hot.dead_letters(state=state, limit=limit)
    if wants_json(json):
        for letter in found:
            print_json({"id": letter.dead_letter_id, "project_id": letter.project_id, "category": letter.category,
                        "reason": letter.reason, "detail": letter.detail, "received_at": rfc3339(letter.received_at),
                        "protocol": letter.protocol, "state": letter.state})  # fmt: skip
    else:
        rows = [
            (one.dead_letter_id, one.project_id, one.category, one.reason, one.detail, rfc3339(one.received_at))
            for one in found
        ]
        columns = ("id", "project", "category", "reason", "detail", "received")
        print_table("Dead letters", columns, rows, empty="None: everything accepted was understood.")


@dead_letters.command("show")
def show(context: typer.Context, dead_letter_id: int) -> None:
    """Print the bytes of a dead letter as they came."""
    with Parts(context.obj) as parts:
        letter = parts.hot.dead_letter(dead_letter_id)
    if letter is None:
        raise ConfigError(f"there is no dead letter {dead_letter_id}")
    print(f"{letter.reason}: {letter.detail}", file=sys.stderr)
    sys.stdout.buffer.write(letter.data)


@dead_letters.command("replay")
def replay(
    context: typer.Context,
    dead_letter_id: Annotated[int | None, typer.Argument(help="Which one.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that wait.")] = False,
) -> None:
    """Try dead letters again, after the fix; the workers do it as soon as they run."""
    with Parts(context.obj) as parts:
        if dead_letter_id is None and not every:
            raise ConfigError("name a dead letter, or say --all")
        wanted = [dead_letter_id] if dead_letter_id is not None else _waiting(parts)
        done = sum(parts.hot.request_replay(one) for one in wanted)
    if dead_letter_id is not None and not done:
        raise ConfigError(f"dead letter {dead_letter_id} does not wait: it was replayed or discarded, or never was")
    typer.echo(f"{done} to be replayed")


def _waiting(parts: Parts) -> list[int]:
    found: list[int] = []
    before = 0
    while page := parts.hot.dead_letters(limit=1000, before=before):
        found += [letter.dead_letter_id for letter in page]
        before = found[-1]
    return found


@dead_letters.command("discard")
def discard(context: typer.Context, dead_letter_id: int) -> None:
    """Forget a dead letter's bytes; the ledger keeps that it was."""
    with Parts(context.obj) as parts:
        if not parts.hot.discard_dead_letter(dead_letter_id):
            raise ConfigError(f"dead letter {dead_letter_id} does not wait")
    typer.echo(f"Dead letter {dead_letter_id} is discarded.")
