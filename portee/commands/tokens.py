"""`portee token`: secrets that let a program or a person change what is kept, through the API."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from geo.settings import Settings
from geo.store import tokens
from portee.console import print_json, print_text, report_errors
from portee.database import transaction

app = typer.Typer(help="Make, list and revoke the tokens the API asks for.", no_args_is_help=True)

DAYS_MAX = 3_650


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who or what bears it, e.g. “Planning office”.")],
    scope: Annotated[list[tokens.Scope], typer.Option(help="What it allows; repeat for several.")],
    days: Annotated[
        int, typer.Option(min=1, max=DAYS_MAX, help="Days it is valid; then another is needed.")
    ] = 365,
    as_json: Annotated[bool, typer.Option("--json", help="Print token and secret as JSON.")] = False,
) -> None:
    """Make a token and print its secret, this once: only a digest of it is kept."""
    with report_errors(), transaction(Settings()) as connection:
        token, secret = tokens.create(connection, name, scope, days=days)
    if as_json:
        print_json({**asdict(token), "secret": secret})
        return
    print_text(secret)
    print_text(
        f"Token {token.id} “{token.name}” allows {', '.join(token.scopes)} until "
        f"{token.expires_at:%Y-%m-%d}. Copy its secret now: it can't be had again."
    )


@app.command("list")
def list_tokens(
    as_json: Annotated[bool, typer.Option("--json", help="Print the tokens as JSON.")] = False,
) -> None:
    """List every token, never its secret."""
    with report_errors(), transaction(Settings()) as connection:
        found = tokens.list_(connection)
    if as_json:
        print_json([asdict(token) for token in found])
        return
    for token in found:
        print_text(f"{token.id}  {token.name}  {', '.join(token.scopes)}  {_standing(token)}")
    print_text(f"{len(found)} token{'' if len(found) == 1 else 's'}.")


def _standing(token: tokens.Token) -> str:
    if token.revoked_at:
        return f"revoked {token.revoked_at:%Y-%m-%d}"
    if token.expires_at is None:
        return "in force"
    past = token.expires_at <= datetime.now(UTC)
    return f"{'expired' if past else 'in force until'} {token.expires_at:%Y-%m-%d}"


@app.command()
def revoke(
    number: Annotated[int, typer.Argument(metavar="ID", min=1, max=2**31 - 1, help="Number of the token.")],
) -> None:
    """Put a token out of force at once and for good."""
    with report_errors(), transaction(Settings()) as connection:
        token = tokens.revoke(connection, number)
    print_text(f"Token {token.id} “{token.name}” is revoked.")
