"""`portee addresses`: load the address register, describe what is loaded, try a search, remove it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from geo.places.ban import AddressFile, read_addresses
from geo.places.model import best_first
from geo.places.place_index import CERTAIN_SCORE, PlaceIndex
from geo.settings import Settings
from geo.store import addresses as stored
from geo.store import territories
from portee.commands.people import print_findings
from portee.console import (
    REFUSED,
    confirm,
    count,
    decimal,
    plain,
    print_json,
    print_text,
    progress,
    report_errors,
    short_day,
)
from portee.database import transaction
from portee.language import _
from portee.options import AsJson, DryRun, Yes

app = typer.Typer(
    help="Adresses utilisées par la recherche : charger, décrire, essayer, retirer.", no_args_is_help=True
)


@app.command(
    help="Charge les adresses, et les lieux-dits si leur fichier est donné, à la place des précédentes."
)
def load(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FICHIER…", help="Fichiers de la Base Adresse Nationale : CSV ou .csv.gz."),
    ],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Load addresses, and lieux-dits if their file is given, in place of the previous ones."""
    settings = Settings()
    with report_errors():
        with transaction(settings) as connection:
            territory = territories.load(connection)
        with progress() as bars:
            task = bars.add_task(plain(files[0].name), total=None)
            loaded = read_addresses(files, territory, progress=lambda rows: bars.update(task, completed=rows))
        if not dry_run:
            with progress() as bars, transaction(settings) as connection:
                bars.add_task("PostgreSQL", total=None)
                people = {c.code: c.population for c in territory.commune_by_code.values()}
                stored.replace(connection, loaded, people)
    hamlets = sum(street.hamlet for street in loaded.streets)
    counts = {
        "streets": len(loaded.streets) - hamlets,
        "hamlets": hamlets,
        "numbers": loaded.number_count,
    }
    if as_json:
        print_json({"files": [_file_json(file) for file in loaded.files], **counts, "dry_run": dry_run})
        return
    for file in loaded.files:
        print_text(f"{file.file_name} (sha256 {file.sha256[:12]}…)", style="bold")
        print_text(_rows_sentence(file.summary()))
        print_findings(file.findings)
    print_text(_counts_sentence(counts))
    if dry_run:
        print_text(_("Essai : rien n'a été enregistré."), style="bold")
    else:
        print_text(_("Adresses enregistrées."), style="green")


@app.command(help="Décrit les fichiers chargés, le sort de leurs lignes et ce qui est enregistré.")
def about(as_json: AsJson = False) -> None:
    """Describe the loaded files, what became of their rows, and what is stored."""
    with report_errors(), transaction(Settings()) as connection:
        files = stored.about(connection)
        counts = stored.counts(connection)
    if as_json:
        print_json({"files": [asdict(file) for file in files], **counts})
        return
    for file in files:
        print_text(
            _(
                "%(file)s, chargé le %(day)s (sha256 %(digest)s…)",
                file=file.file_name,
                day=short_day(file.loaded_at),
                digest=file.sha256[:12],
            ),
            "bold",
        )
        print_text(f"{file.producer}, {file.licence}")
        print_text(_rows_sentence(file.summary))
    if files:
        print_text(_counts_sentence(counts))
    else:
        print_text(_("Aucune adresse : on cherche par commune ou code postal. Pour en charger :"))
        print_text("portee addresses load adresses-<département>.csv")


@app.command(help="Cherche TEXTE et affiche les endroits trouvés, les meilleurs d'abord, avec leur score.")
def find(
    words: Annotated[str, typer.Argument(metavar="TEXTE", help="Ce qu'une personne pourrait taper.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="Nombre d'endroits affichés.")] = 8,
    as_json: AsJson = False,
) -> None:
    """Search for TEXT and print the places found, best first, with their scores."""
    with report_errors(), transaction(Settings()) as connection:
        index = PlaceIndex(territories.load(connection))
        known = index.search(words, limit)
        kept = stored.search(
            connection,
            words,
            limit,
            communes=index.named_in(words),
            answered=bool(known) and known[0].score >= CERTAIN_SCORE,
        )
    places = best_first([*known, *kept], limit)
    if as_json:
        print_json([asdict(place) for place in places])
        return
    for place in places:
        print_text(f"{decimal(place.score, 2)}  {place.label} ({place.kind}, {place.context})  {place.id}")
    if not places:
        print_text(_("Aucun endroit ne répond à ce texte."))
        raise typer.Exit(REFUSED)


@app.command(help="Retire toutes les adresses : la recherche ne connaît plus que communes et codes postaux.")
def remove(
    yes: Yes = False,
) -> None:
    """Remove all addresses: places are found by commune and postcode only."""
    confirm(_("Retirer toutes les adresses ? Elles se rechargent depuis leurs fichiers."), yes=yes)
    with report_errors(), transaction(Settings()) as connection:
        removed = stored.remove(connection)
    print_text(_("Adresses retirées.") if removed else _("Aucune adresse n'était chargée."))
    if not removed:
        raise typer.Exit(REFUSED)


def _rows_sentence(summary: Any) -> str:
    return _(
        "Lignes lues %(read)s · acceptées %(accepted)s · en double %(doubled)s · hors du territoire "
        "%(outside)s · rejetées %(rejected)s",
        **{name: count(summary[name]) for name in ("read", "accepted", "doubled", "outside", "rejected")},
    )


def _counts_sentence(counts: dict[str, int]) -> str:
    return _(
        "Voies %(streets)s · lieux-dits %(hamlets)s · numéros %(numbers)s",
        **{name: count(counts[name]) for name in ("streets", "hamlets", "numbers")},
    )


def _file_json(file: AddressFile) -> dict[str, object]:
    return {
        "file_name": file.file_name,
        "sha256": file.sha256,
        **file.summary(),
        "issues": [asdict(issue) for issue in file.findings.first],
    }
