"""Write the reference pages that follow from the code: `make docs`.

Settings, commands, reasons and addresses are described where they are defined; here these words become pages. A test
fails when a page is not what this writes.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer.main
from typer.core import TyperGroup, TyperOption

from catchall.cli.main import app
from catchall.config import CONFIG_FILE, Settings, variable
from catchall.core.errors import Reason
from catchall.core.ledger import Outcome
from catchall.web.pages.reasons import OUTCOMES, REASONS
from tools.addresses import addresses_page

FOLDER = Path(__file__).resolve().parent.parent / "docs/reference"
MADE = "<!-- Made from the code by `make docs`. Change the words there. -->\n"


def settings_page() -> str:
    """All settings with their variables, kinds, defaults and meanings."""
    rows = []
    defaults = Settings()
    for entry in fields(Settings):
        default = getattr(defaults, entry.name)
        kind = getattr(entry.type, "__name__", str(entry.type))
        kind = str(entry.type) if "[" in str(entry.type) else kind
        shown = json.dumps(default)  # as TOML writes it
        rows.append(f"| `{entry.name}` | `{variable(entry.name)}` | {kind} | `{shown}` | {entry.metadata['about']} |")
    return f"""# Settings
{MADE}
A setting is read from, each overriding the one before: its default; the file `{CONFIG_FILE}` in the data folder (or the
file that `CATCHALL_CONFIG` names); its variable; the file that its variable with `_FILE` at the end names, for secrets.
Everything is checked before anything starts: a wrong value ends the start with its name, its source and the legal
values. `catchall settings` prints what is in force.

| setting | variable | kind | default | meaning |
|---|---|---|---|---|
{chr(10).join(rows)}

`CATCHALL_DATA` names the data folder, as the option `--data` does.
"""


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with its full name, as `catchall project create`."""

    def walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(command, TyperGroup):
            for child in sorted(command.commands):
                yield from walk(f"{name} {child}", command.commands[child])
        else:
            yield name, command

    yield from walk("catchall", typer.main.get_command(app))


def _parameter(parameter: Any) -> str:
    if isinstance(parameter, TyperOption):
        names = ", ".join([*parameter.opts, *parameter.secondary_opts])
        return f"- `{names}` {parameter.help or ''}".rstrip()
    return f"- `{(parameter.name or '').upper()}` {getattr(parameter, 'help', None) or ''}".rstrip()


def commands_page() -> str:
    """All commands with their arguments and options."""
    parts = [
        "# Commands",
        MADE,
        "`catchall --data FOLDER COMMAND`: the folder of the installation; `./data`, or what `CATCHALL_DATA` names.",
        "Every command answers `--help`, and `catchall --version` says which this is. Exit codes: 0 done, 1 it failed",
        "(the message says why), 2 wrong use or setting, 3 not finished in time.",
        "",
    ]
    for name, command in commands():
        text = " ".join((command.help or "").split())
        parameters = [_parameter(parameter) for parameter in command.params if parameter.name != "help"]
        parts += [f"## `{name}`", "", text, "", *parameters, *([""] if parameters else [])]
    return "\n".join(parts).rstrip() + "\n"


def reasons_page() -> str:
    """All outcomes of the ledger and all reasons, with what they mean."""
    outcomes = "\n".join(f"| `{outcome.value}` | {OUTCOMES[outcome]} |" for outcome in Outcome if outcome in OUTCOMES)
    reasons = "\n".join(f"| `{reason.value}` | {REASONS[reason]} |" for reason in Reason)
    return f"""# Outcomes and reasons
{MADE}
The ledger counts every item that comes in under exactly one outcome. Where something was not simply stored, the reason
says why: in the ledger, in the answer to the client, on dead letters and in the metrics.

| outcome | meaning |
|---|---|
| `seen` | taken out of a request: the other side of the balance |
{outcomes}

| reason | meaning |
|---|---|
{reasons}
"""


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "reasons.md": reasons_page,
    "addresses.md": lambda: addresses_page(MADE),
}


def main(arguments: list[str]) -> int:
    """Write all pages; with `--check` only say which ones are not what would be written."""
    check = arguments == ["--check"]
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale = []
    for name, page in PAGES.items():
        file, text = FOLDER / name, page()
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                file.write_text(text, encoding="utf-8")
    print("\n".join(stale))
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
