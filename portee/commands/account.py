"""`portee account`: what a territory is given and has, in figures and in sentences."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from geo.funding.account import YEARS
from geo.funding.account_model import TerritoryAccount, account_to_dict
from geo.funding.action_kinds import load_kinds
from geo.services.accounts import read_account_data
from geo.settings import Settings
from geo.territory.model import TerritoryKind
from portee.console import print_json, print_table, print_text, report_errors, short_day
from portee.coverage_options import load_context
from portee.database import transaction
from portee.language import _
from portee.options import AsJson


def account(
    code: Annotated[
        str,
        typer.Argument(
            help="Code d'une commune, d'un canton, d'un EPCI, d'un arrondissement ou du département."
        ),
    ],
    kind: Annotated[
        TerritoryKind | None, typer.Option(help="Niveau du territoire, si plusieurs ont ce code.")
    ] = None,
    year: Annotated[
        int | None,
        typer.Option(
            min=YEARS[0],
            max=YEARS[1],
            help="Année de l'argent, des pass et des actions ; l'année en cours par défaut.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the account of a territory: who helps there, how far, money, passes, actions.

    Small counts of persons are withheld, as wherever the account is public.
    """
    settings = Settings()
    asked = year or datetime.now(UTC).year
    with report_errors():
        frame = load_context(settings)
        with transaction(settings) as connection:
            books = read_account_data(connection, frame, asked, load_kinds(settings.action_kinds))
        found = books.account(code, kind, year=asked)
    if as_json:
        print_json(account_to_dict(found))
    else:
        _print_result(found)


def _print_result(found: TerritoryAccount) -> None:
    print_text(f"{found.name} ({found.kind.label} {found.code}), {found.year}", style="bold")
    for sentence in found.summary:
        print_text(sentence)
    for section in found.sections:
        rows = []
        for figure in section.figures:
            mean = figure.departement is not None or "departement" in figure.withheld
            cells = (
                figure.label,
                figure.text(),
                figure.text("departement") if mean else "",
                figure.text("before"),
            )
            rows.append((*cells, short_day(figure.day)))
        if rows:
            headings = ("", str(found.year), _("département"), str(found.year - 1), _("date"))
            print_table(headings, rows, title=section.title, numbers=4)
    sources = {figure.source for section in found.sections for figure in section.figures}
    for note in (*found.notes, *(f"Source : {source}." for source in sorted(sources))):
        print_text(note, style="dim")
