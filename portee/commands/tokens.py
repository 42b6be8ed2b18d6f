"""`portee token`: secrets that let a program or a person change stored data through the API."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from geo.settings import Settings
from geo.store import tokens
from portee.console import print_json, print_text, report_errors, short_day
from portee.database import transaction
from portee.language import _, many
from portee.options import AsJson

app = typer.Typer(help="Créer, lister et révoquer les jetons de l'API.", no_args_is_help=True)

DAYS_MAX = 3_650


@app.command(
    help="Crée un jeton et affiche son secret, cette seule fois : seule son empreinte est enregistrée."
)
def create(
    name: Annotated[str, typer.Argument(help="Qui ou quoi l'utilise, par exemple « Service aménagement ».")],
    scope: Annotated[list[tokens.Scope], typer.Option(help="Ce qu'il permet ; à répéter pour plusieurs.")],
    days: Annotated[int, typer.Option(min=1, max=DAYS_MAX, help="Nombre de jours de validité.")] = 365,
    as_json: AsJson = False,
) -> None:
    """Create a token and print its secret, only once: only a digest of it is stored."""
    with report_errors(), transaction(Settings()) as connection:
        token, secret = tokens.create(connection, name, scope, days=days)
    if as_json:
        print_json({**asdict(token), "secret": secret})
        return
    print_text(secret)
    print_text(
        _(
            "Le jeton %(id)s « %(name)s » permet %(scopes)s jusqu'au %(day)s. Copiez son secret maintenant : "
            "il ne sera plus affiché.",
            id=token.id,
            name=token.name,
            scopes=", ".join(token.scopes),
            day=short_day(token.expires_at) if token.expires_at else "",
        )
    )


@app.command("list", help="Liste les jetons, jamais leur secret.")
def list_tokens(
    as_json: AsJson = False,
) -> None:
    """List the tokens, never their secrets."""
    with report_errors(), transaction(Settings()) as connection:
        found = tokens.list_(connection)
    if as_json:
        print_json([asdict(token) for token in found])
        return
    for token in found:
        print_text(f"{token.id}  {token.name}  {', '.join(token.scopes)}  {_standing(token)}")
    print_text(many("%(num)s jeton.", "%(num)s jetons.", len(found)))


def _standing(token: tokens.Token) -> str:
    if token.revoked_at:
        return _("révoqué le %(day)s", day=short_day(token.revoked_at))
    if token.expires_at is None:
        return _("valide")
    day = short_day(token.expires_at)
    if token.expires_at <= datetime.now(UTC):
        return _("expiré le %(day)s", day=day)
    return _("valide jusqu'au %(day)s", day=day)


@app.command(help="Révoque un jeton immédiatement et définitivement.")
def revoke(
    number: Annotated[int, typer.Argument(metavar="ID", min=1, max=2**31 - 1, help="Numéro du jeton.")],
) -> None:
    """Revoke a token immediately and permanently."""
    with report_errors(), transaction(Settings()) as connection:
        token = tokens.revoke(connection, number)
    print_text(_("Le jeton %(id)s « %(name)s » est révoqué.", id=token.id, name=token.name))
