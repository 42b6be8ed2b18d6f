"""`portee people`: load a population grid, describe it, remove it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from geo.people.grid import LoadedPeople, read_people
from geo.people.indicators import UNKNOWN_COMMUNE
from geo.people.model import AT_TOWN_HALL, Findings
from geo.settings import Settings
from geo.sites.model import Issue, Severity
from geo.store import people as stored_people
from geo.store import snapshots, territories
from geo.store.people import StoredPopulation
from geo.territory.model import Territory
from portee.console import (
    REFUSED,
    and_others,
    confirm,
    count,
    decimal,
    print_json,
    print_text,
    reading,
    report_errors,
    short_day,
)
from portee.database import transaction
from portee.language import _
from portee.options import AsJson, DryRun, Yes

app = typer.Typer(help="Grilles de population : où les habitants sont comptés.", no_args_is_help=True)

LINES_SHOWN = 3
"""Lines printed for each kind of issue; `--json` holds more of them."""

COMMUNES_SHOWN = 10


@app.command(
    help="Charge une grille de population à la place de la précédente ; ses carreaux sont découpés "
    "par commune."
)
def load(
    file: Annotated[
        Path,
        typer.Argument(help="Grille d'Eurostat (1 km) ou de l'Insee (200 m) : CSV, GeoPackage ou Parquet."),
    ],
    column: Annotated[
        str | None,
        typer.Option(help="Colonne d'habitants ; par défaut, le total de l'année la plus récente."),
    ] = None,
    vintage: Annotated[
        str, typer.Option(help="Année ou date des chiffres, affichée avec les résultats.")
    ] = "",
    producer: Annotated[str, typer.Option(help="Producteur de la grille, affiché avec les résultats.")] = "",
    licence: Annotated[str, typer.Option(help="Licence du fichier, affichée avec les résultats.")] = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Load a population grid in place of the previous one; its cells are cut along the communes."""
    settings = Settings()
    with report_errors():
        with transaction(settings) as connection:
            territory = territories.load(connection)
        with reading(file.name) as advance:
            loaded = read_people(
                file,
                territory,
                column=column,
                vintage=vintage,
                producer=producer,
                licence=licence,
                progress=advance,
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


@app.command(help="Dit où les habitants sont comptés et ce que sont devenues les lignes de la grille.")
def status(as_json: AsJson = False) -> None:
    """Describe where inhabitants are counted and what became of the rows of the grid."""
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
            _(
                "Aucune grille de population : %(default)s. Pour en charger une : portee people load FICHIER",
                default=AT_TOWN_HALL,
            )
        )


@app.command(help="Retire la grille de population : les habitants sont de nouveau comptés à leur mairie.")
def remove(
    yes: Yes = False,
) -> None:
    """Remove the population grid: inhabitants are counted at town halls again."""
    confirm(_("Retirer la grille de population ?"), yes=yes)
    with report_errors(), transaction(Settings()) as connection:
        removed = stored_people.remove(connection)
        if removed:
            snapshots.publish(connection)
    print_text(
        _("Grille retirée : %(default)s.", default=AT_TOWN_HALL)
        if removed
        else _("Aucune grille de population n'était chargée.")
    )
    if not removed:
        raise typer.Exit(REFUSED)


def print_findings(findings: Findings) -> None:
    """Print the issues of a source by kind: how many, why, what to do, the first lines."""
    by_code: dict[str, list[Issue]] = defaultdict(list)
    for issue in findings.first:
        by_code[issue.code].append(issue)
    for code, issues in by_code.items():
        first, total = issues[0], findings.count[code]
        rejected = first.severity is Severity.REJECTED
        word, style = (_("Rejet"), "red") if rejected else (_("Signalement"), "yellow")
        shown = len(issues) if code == UNKNOWN_COMMUNE else LINES_SHOWN
        lines = [quoted_line(issue) for issue in issues[:shown]]
        lines += [and_others(total - shown)] if total > shown else []
        field = f" ({first.field})" if first.field else ""
        print_text(f"{word}, {count(total)} × {code}{field}", style=style)
        print_text(f"    {first.reason} {first.advice}".rstrip())
        print_text(f"    {', '.join(lines)}", style="dim")


def quoted_line(issue: Issue) -> str:
    """Return the line of an issue, and its sheet if need be, with the value it quotes."""
    line = _("ligne %(line)s", line=issue.line)
    if issue.sheet:
        line = f"{_('feuille « %(sheet)s »', sheet=issue.sheet)}, {line}"
    return f"{line} « {issue.value} »" if issue.value else line


def commune_names(codes: list[str], territory: Territory) -> str:
    """Return the first of some communes by name, and how many more there are."""
    named = [f"{territory.commune_by_code[code].name} ({code})" for code in codes[:COMMUNES_SHOWN]]
    more = len(codes) - len(named)
    return ", ".join(named) + (f" {and_others(more)}" if more else "")


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
        "issues": [asdict(issue) for issue in loaded.findings.first],
        "dry_run": version is None,
        "snapshot_version": version,
    }


def _print_result(loaded: LoadedPeople, territory: Territory, version: int | None) -> None:
    people, tally = loaded.people, loaded.tally
    column = _("colonne %(column)s", column=loaded.column)
    print_text(f"{loaded.file_name} : {people.label} ({column})", style="bold")
    if source := people.provenance:
        print_text(f"{source.producer}, {source.vintage}, {source.licence}")
    print_text(_cells_sentence(asdict(tally)))
    if loaded.withheld or loaded.estimated:
        print_text(
            _(
                "Parmi les acceptés : %(withheld)s secrets, %(estimated)s estimés",
                withheld=count(loaded.withheld),
                estimated=count(loaded.estimated),
            )
        )
    print_findings(loaded.findings)
    inside, official = float(people.inhabitants.sum()), sum(c.population for c in territory.communes)
    share = f", {decimal(100 * inside / official)} %" if official else ""
    print_text(
        _(
            "Habitants : %(inside)s dans %(parts)s parties de carreaux%(share)s de la population municipale "
            "(%(official)s) ; %(beyond)s au-delà du territoire, dans des carreaux à cheval",
            inside=count(inside),
            parts=count(len(people.inhabitants)),
            share=share,
            official=count(official),
            beyond=count(loaded.inhabitants_beyond),
        )
    )
    if np.isnan(people.aged_65).all():
        print_text(_("La source ne dit pas l'âge des habitants."))
    else:
        aged = _("Dont %(aged)s de 65 ans ou plus", aged=count(float(np.nansum(people.aged_65))))
        if loaded.age_unknown:
            aged += _(" ; âge non dit de %(unknown)s", unknown=count(loaded.age_unknown))
        print_text(aged)
    empty = _empty_communes(loaded, territory)
    print_text(
        _("Communes sans habitant dans la grille : %(count)s", count=len(empty))
        + (f" : {commune_names(empty, territory)}" if empty else "")
    )
    if version is None:
        print_text(_("Essai : rien n'a été enregistré."), style="bold")
    else:
        print_text(_("Population enregistrée."), style="green")


def _print_stored(stored: StoredPopulation) -> None:
    source, summary = stored.provenance, stored.summary
    column = _("colonne %(column)s", column=summary["column"])
    print_text(f"{stored.label} ({column})", style="bold")
    print_text(f"{source.producer}, {source.vintage}, {source.licence}")
    print_text(
        _(
            "Fichier %(file)s, chargé le %(day)s (sha256 %(digest)s…)",
            file=stored.file_name,
            day=short_day(stored.loaded_at),
            digest=stored.sha256[:12],
        )
    )
    print_text(_cells_sentence(summary))
    print_text(
        _(
            "Habitants : %(inside)s dans %(parts)s parties de carreaux",
            inside=count(summary["inhabitants"]),
            parts=count(summary["places"]),
        )
    )


def _cells_sentence(summary: Mapping[str, Any]) -> str:
    return _(
        "Carreaux lus %(read)s · acceptés %(accepted)s · hors du territoire %(outside)s · rejetés "
        "%(rejected)s",
        **{name: count(summary[name]) for name in ("read", "accepted", "outside", "rejected")},
    )
