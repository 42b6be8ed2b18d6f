"""`portee addresses`: where people say they are; load the register's files, tell them, try a search."""

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
from portee.commands.people import counted, print_findings
from portee.console import REFUSED, plain, print_json, print_text, progress, report_errors
from portee.database import transaction

app = typer.Typer(help="Addresses people are found by: load, tell, try, remove.", no_args_is_help=True)

_JSON = typer.Option("--json", help="Print the result as JSON.")


@app.command()
def load(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help="Files of the Base Adresse Nationale: CSV or .csv.gz."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be; store nothing.")] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Load addresses, and lieux-dits if their file is given too, in place of those there."""
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
        print_text(_told(file.summary()))
        print_findings(file.findings)
    print_text(_kept(counts))
    if dry_run:
        print_text("Essai : rien n'a été enregistré.", style="bold")
    else:
        print_text("Adresses enregistrées.", style="green")


@app.command()
def about(as_json: Annotated[bool, _JSON] = False) -> None:
    """Tell which files are in use, what became of their rows, and what is kept."""
    with report_errors(), transaction(Settings()) as connection:
        files = stored.about(connection)
        counts = stored.counts(connection)
    if as_json:
        print_json({"files": [asdict(file) for file in files], **counts})
        return
    for file in files:
        print_text(
            f"{file.file_name}, chargé le {file.loaded_at:%d/%m/%Y} (sha256 {file.sha256[:12]}…)", "bold"
        )
        print_text(f"{file.producer}, {file.licence}")
        print_text(_told(file.summary))
    if files:
        print_text(_kept(counts))
    else:
        print_text("Aucune adresse : on cherche par commune ou code postal. Pour en charger :")
        print_text("portee addresses load adresses-<département>.csv")


@app.command()
def find(
    words: Annotated[str, typer.Argument(metavar="TEXT", help="What somebody might type.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many places.")] = 8,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Tell the places that answer TEXT, best first, with their scores."""
    with report_errors(), transaction(Settings()) as connection:
        gazetteer = PlaceIndex(territories.load(connection))
        known = gazetteer.search(words, limit)
        kept = stored.search(
            connection,
            words,
            limit,
            communes=gazetteer.named_in(words),
            answered=bool(known) and known[0].score >= CERTAIN_SCORE,
        )
    places = best_first([*known, *kept], limit)
    if as_json:
        print_json([asdict(place) for place in places])
        return
    for place in places:
        print_text(
            f"{place.score:.2f}  {place.label} ({place.kind}, {place.context})  {place.id}".replace(
                ".", ",", 1
            )
        )
    if not places:
        print_text("Aucun endroit ne répond à ce texte.")
        raise typer.Exit(REFUSED)


@app.command()
def remove(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Forget all addresses: places are found by commune and postcode only."""
    if not yes:
        typer.confirm("Remove all addresses? They can be loaded again from their files.", abort=True)
    with report_errors(), transaction(Settings()) as connection:
        removed = stored.remove(connection)
    print_text("Adresses retirées." if removed else "Aucune adresse n'était chargée.")
    if not removed:
        raise typer.Exit(REFUSED)


def _told(summary: Any) -> str:
    return (
        f"Lignes lues {counted(summary['read'])} · acceptées {counted(summary['accepted'])} · en double "
        f"{counted(summary['doubled'])} · hors du territoire {counted(summary['outside'])} · rejetées "
        f"{counted(summary['rejected'])}"
    )


def _kept(counts: dict[str, int]) -> str:
    return (
        f"Voies {counted(counts['streets'])} · lieux-dits {counted(counts['hamlets'])} · numéros "
        f"{counted(counts['numbers'])}"
    )


def _file_json(file: AddressFile) -> dict[str, object]:
    return {
        "file_name": file.file_name,
        "sha256": file.sha256,
        **file.summary(),
        "issues": [asdict(issue) for issue in file.findings.kept],
    }
