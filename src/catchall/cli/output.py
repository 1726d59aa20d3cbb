"""How commands print: tables for people at a terminal, JSON lines for pipes and scripts."""

import sys
from collections.abc import Iterable, Sequence

import msgspec


def wants_json(asked: bool) -> bool:
    """JSON when asked for, and whenever nobody looks at a terminal."""
    return asked or not sys.stdout.isatty()


def print_json(value: object) -> None:
    """One line of JSON."""
    print_line(msgspec.json.encode(value))


def print_line(line: bytes) -> None:
    """Bytes and a line end, as they are."""
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.write(b"\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """A table for a person; `empty` says what to do when there are no rows."""
    from rich.console import Console  # at use: scripts that want JSON never pay for it
    from rich.table import Table
    from rich.text import Text

    console = Console()
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    if table.row_count:
        console.print(table)
    else:
        console.print(Text(empty))
