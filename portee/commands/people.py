"""`portee people`: where inhabitants are counted; load a population grid, tell it, remove it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from geo.people.grid import LoadedPeople, read_people
from geo.people.model import AT_TOWN_HALL, Findings
from geo.settings import Settings
from geo.sites.model import Issue, Severity
from geo.store import people as stored_people
from geo.store import snapshots, territories
from geo.store.people import StoredPopulation
from geo.territory.model import Territory
from portee.console import REFUSED, plain, print_json, print_text, progress, report_errors
from portee.database import transaction

app = typer.Typer(help="Where inhabitants are counted: population grids.", no_args_is_help=True)

LINES_SHOWN = 3
"""Lines told for each kind of issue; `--json` holds more of them."""

COMMUNES_SHOWN = 10

_JSON = typer.Option("--json", help="Print the result as JSON.")


@app.command()
def load(
    file: Annotated[
        Path, typer.Argument(help="Grid of Eurostat (1 km, CSV) or Insee (200 m, GeoPackage or CSV).")
    ],
    column: Annotated[
        str | None,
        typer.Option(help="Column of inhabitants; by default the source's total, of its latest year."),
    ] = None,
    vintage: Annotated[str, typer.Option(help="Year or date of the figures, shown with every result.")] = "",
    producer: Annotated[str, typer.Option(help="Who made the grid, shown likewise.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the file, shown likewise.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be; store nothing.")] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Load a population grid in place of the one there: its cells are cut along the communes."""
    settings = Settings()
    with report_errors():
        with transaction(settings) as connection:
            territory = territories.load(connection)
        with progress() as bars:
            task = bars.add_task(plain(file.name), total=None)
            loaded = read_people(
                file,
                territory,
                column=column,
                vintage=vintage,
                producer=producer,
                licence=licence,
                progress=lambda rows: bars.update(task, completed=rows),
            )
        version = None
        if not dry_run:
            with transaction(settings) as connection:
                stored_people.save(connection, loaded)
                version = snapshots.publish(connection)
    if as_json:
        print_json(_as_json(loaded, territory, version))
    else:
        _print_result(loaded, territory, version)


@app.command()
def status(as_json: Annotated[bool, _JSON] = False) -> None:
    """Tell where inhabitants are counted, and what became of the rows of the grid."""
    with report_errors(), transaction(Settings()) as connection:
        stored = stored_people.described(connection)
    if as_json:
        print_json(
            {"label": stored.label if stored else AT_TOWN_HALL, "grid": asdict(stored) if stored else None}
        )
    elif stored:
        _print_stored(stored)
    else:
        print_text(
            f"Aucune grille de population : {AT_TOWN_HALL}. Pour en charger une : portee people load FICHIER"
        )


@app.command()
def remove(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove the population grid: inhabitants are counted at town halls again."""
    if not yes:
        typer.confirm("Remove the population grid?", abort=True)
    with report_errors(), transaction(Settings()) as connection:
        removed = stored_people.remove(connection)
        if removed:
            snapshots.publish(connection)
    print_text(
        f"Grille retirée : {AT_TOWN_HALL}." if removed else "Aucune grille de population n'était chargée."
    )
    if not removed:
        raise typer.Exit(REFUSED)


def print_findings(findings: Findings) -> None:
    """Print the issues of a source by kind: how many, why, what to do, the first lines."""
    by_code: dict[str, list[Issue]] = defaultdict(list)
    for issue in findings.kept:
        by_code[issue.code].append(issue)
    for code, issues in by_code.items():
        first, count = issues[0], findings.count[code]
        word, style = ("Rejet", "red") if first.severity is Severity.REJECTED else ("Signalement", "yellow")
        lines = [f"ligne {i.line}" + (f" « {i.value} »" if i.value else "") for i in issues[:LINES_SHOWN]]
        lines += [f"et {counted(count - LINES_SHOWN)} autres"] if count > LINES_SHOWN else []
        print_text(
            f"{word}, {counted(count)} × {code}" + (f" ({first.field})" if first.field else ""), style=style
        )
        print_text(f"    {first.reason} {first.advice}".rstrip())
        print_text(f"    {', '.join(lines)}", style="dim")


def counted(number: float) -> str:
    """A count as French readers see it, to the unit."""
    return f"{number:,.0f}".replace(",", " ")


def commune_names(codes: list[str], territory: Territory) -> str:
    """The first of some communes by name, and how many more there are."""
    named = [f"{territory.commune_by_code[code].name} ({code})" for code in codes[:COMMUNES_SHOWN]]
    more = len(codes) - len(named)
    return ", ".join(named) + (f" et {more} autres" if more else "")


def _empty_communes(loaded: LoadedPeople, territory: Territory) -> list[str]:
    return sorted(territory.own_codes - set(loaded.people.commune.tolist()))


def _as_json(loaded: LoadedPeople, territory: Territory, version: int | None) -> dict[str, object]:
    people = loaded.people
    return {
        "file": loaded.file_name,
        "label": people.label,
        "provenance": asdict(people.provenance) if people.provenance else None,
        **loaded.summary(),
        "inhabitants_read": round(loaded.inhabitants_read, 3),
        "aged_65": None if np.isnan(people.aged_65).all() else round(float(np.nansum(people.aged_65)), 3),
        "official_population": sum(c.population for c in territory.communes),
        "communes_without_people": _empty_communes(loaded, territory),
        "issues": [asdict(issue) for issue in loaded.findings.kept],
        "dry_run": version is None,
        "snapshot_version": version,
    }


def _print_result(loaded: LoadedPeople, territory: Territory, version: int | None) -> None:
    people, tally = loaded.people, loaded.tally
    print_text(f"{loaded.file_name} : {people.label} (colonne {loaded.column})", style="bold")
    if source := people.provenance:
        print_text(f"{source.producer}, {source.vintage}, {source.licence}")
    print_text(
        f"Carreaux lus {counted(tally.read)} · acceptés {counted(tally.accepted)} · hors du territoire "
        f"{counted(tally.outside)} · rejetés {counted(tally.rejected)}"
    )
    if loaded.withheld or loaded.estimated:
        print_text(
            f"Parmi les acceptés : {counted(loaded.withheld)} secrets, {counted(loaded.estimated)} estimés"
        )
    print_findings(loaded.findings)
    inside, official = float(people.inhabitants.sum()), sum(c.population for c in territory.communes)
    share = f", {inside / official:.1%}".replace(".", ",").replace("%", " %") if official else ""
    print_text(
        f"Habitants : {counted(inside)} dans {counted(len(people.inhabitants))} parties de carreaux{share} "
        f"de la population municipale ({counted(official)}) ; {counted(loaded.inhabitants_beyond)} au-delà "
        "du territoire, dans des carreaux à cheval"
    )
    if np.isnan(people.aged_65).all():
        print_text("La source ne dit pas l'âge des habitants.")
    else:
        unknown = f" ; âge non dit de {counted(loaded.age_unknown)}" if loaded.age_unknown else ""
        print_text(f"Dont {counted(float(np.nansum(people.aged_65)))} de 65 ans ou plus{unknown}")
    empty = _empty_communes(loaded, territory)
    print_text(
        f"Communes sans habitant dans la grille : {len(empty)}"
        + (f" : {commune_names(empty, territory)}" if empty else "")
    )
    if version is None:
        print_text("Essai : rien n'a été enregistré.", style="bold")
    else:
        print_text("Population enregistrée.", style="green")


def _print_stored(stored: StoredPopulation) -> None:
    source, summary = stored.provenance, stored.summary
    print_text(f"{stored.label} (colonne {summary['column']})", style="bold")
    print_text(f"{source.producer}, {source.vintage}, {source.licence}")
    print_text(
        f"Fichier {stored.file_name}, chargé le {stored.loaded_at:%d/%m/%Y} (sha256 {stored.sha256[:12]}…)"
    )
    print_text(
        f"Carreaux lus {counted(summary['read'])} · acceptés {counted(summary['accepted'])} · hors du "
        f"territoire {counted(summary['outside'])} · rejetés {counted(summary['rejected'])}"
    )
    print_text(
        f"Habitants : {counted(summary['inhabitants'])} dans {counted(summary['places'])} parties de carreaux"
    )
