"""`portee territory`: build a territory's files, load them into the database."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from geo.settings import Settings
from geo.store import snapshots, territories
from geo.territory.boundaries import BoundaryReport, with_boundaries
from geo.territory.build import BuiltTerritory
from geo.territory.build import build as build_territory
from geo.territory.files import read_territory, write_readme, write_territory
from geo.territory.model import Territory, TerritoryKind
from geo.territory.sources import ETALAB_DIR, find_sources
from portee.console import err, print_json, print_text, report_errors
from portee.database import transaction

app = typer.Typer(help="Communes and what groups them: build the files, load them.", no_args_is_help=True)

_BOUNDARIES = typer.Option(
    None,
    "--boundaries",
    exists=True,
    dir_okay=True,
    help="Finer official boundaries: GeoJSON, GeoPackage or Shapefile with INSEE codes.",
)
_JSON = typer.Option(False, "--json", help="Print the result as JSON.")


@app.command()
def build(
    code: str = typer.Argument(help="INSEE code of the département: 47, 2A, 974."),
    out_dir: Path | None = typer.Option(
        None, "--out", file_okay=False, help="Folder to write to; the territory folder when not given."
    ),
    etalab: Path = typer.Option(
        ETALAB_DIR, "--etalab", file_okay=False, help="Folder of the JSON files of the npm package."
    ),
    boundaries: Path | None = _BOUNDARIES,
    as_json: bool = _JSON,
) -> None:
    """Build the files of a département from the packages that publish the official registers."""
    with report_errors():
        folder = out_dir or Settings().territory_dir
        sources = find_sources(etalab)
        with err.status(f"Building {code}…"):
            built = build_territory(code, sources, boundaries=boundaries)
            files = write_territory(built.territory, folder, inputs=sources.inputs(), notes=built.notes())
            files.append(write_readme(folder))
    if as_json:
        print_json({**_counts(built.territory), "notes": built.notes(), "files": [str(f) for f in files]})
    else:
        _print_built(built, files)


@app.command()
def load(boundaries: Path | None = _BOUNDARIES, as_json: bool = _JSON) -> None:
    """Load the territory of the settings into the database, with finer boundaries if a file is given."""
    settings = Settings()
    report = None
    with report_errors():
        territory = read_territory(settings.territory_dir, settings.departement)
        if boundaries:
            with err.status(f"Reading {boundaries.name}…"):
                territory, report = with_boundaries(territory, boundaries)
        with transaction(settings) as connection:
            territories.save(connection, territory)
            version = snapshots.publish(connection)
    if as_json:
        told = {**_counts(territory), "snapshot_version": version}
        print_json({**told, "boundaries": asdict(report) if report else None})
    else:
        _print_loaded(territory, report)


def _counts(territory: Territory) -> dict[str, object]:
    return {
        "code": territory.code,
        "name": territory.name,
        "communes": len(territory.communes),
        "neighbours": len(territory.context),
        "population": sum(c.population for c in territory.communes),
        **{
            str(k): sum(1 for _ in territory.groupings_of(k))
            for k in TerritoryKind
            if k is not TerritoryKind.COMMUNE
        },
    }


def _print_territory(territory: Territory) -> None:
    people = f"{sum(c.population for c in territory.communes):,}".replace(",", " ")
    print_text(
        f"{territory.name} ({territory.code}) : {len(territory.communes)} communes, {people} habitants ; "
        f"{len(territory.context)} communes voisines"
    )


def _print_built(built: BuiltTerritory, files: list[Path]) -> None:
    _print_territory(built.territory)
    for note in built.notes():
        print_text(f"- {note}")
    for file in files:
        print_text(f"  {file} ({file.stat().st_size / 1_000:.0f} ko)")


def _print_loaded(territory: Territory, report: BoundaryReport | None) -> None:
    _print_territory(territory)
    if report:
        print_text(
            f"Limites du fichier {report.file} (couche {report.layer}, colonne {report.column}, "
            f"{report.crs}) : {report.matched} communes et {report.neighbours} voisines reprises, "
            f"{report.elsewhere} lignes d'ailleurs laissées de côté."
        )
        print_text(
            f"Formes réparées : {len(report.mended)}. Raccord : {report.overlap_m2:.0f} m² de "
            f"chevauchements et {report.gap_m2:.0f} m² de vides supprimés."
        )
    print_text("Territoire chargé.")
