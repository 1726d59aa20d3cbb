"""`catchall token` and `catchall login-link`: what needs people's database."""

import typer

from catchall.bootstrap import Parts, web_services
from catchall.cli.output import print_json, wants_json
from catchall.cli.projects import Json

tokens = typer.Typer(help="Tokens for the JSON API.", no_args_is_help=True)


@tokens.command("create")
def create(context: typer.Context, name: str, json: Json = False) -> None:
    """Make a token for the JSON API; it is shown once."""
    from catchall.web.accounts import create_api_token  # Django: only for the commands that need it

    with Parts(context.obj) as parts:
        token = create_api_token(web_services(parts), name)
    if wants_json(json):
        print_json({"name": name, "token": token})
    else:
        typer.echo(f"Token {name}: {token}\nIt is not shown again. Send it as: Authorization: Bearer TOKEN")


def login_link(context: typer.Context) -> None:
    """Make a one-time link to log in: for the first start, and for whoever lost the password."""
    from catchall.web.accounts import create_login_link

    with Parts(context.obj) as parts:
        typer.echo(create_login_link(web_services(parts)))
