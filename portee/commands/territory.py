"""`portee territory`: build the files of a territory, load them into the database."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import typer

from geo.settings import Settings
from geo.store import snapshots, territories
from geo.territory.boundaries import BoundaryReport, with_boundaries
from geo.territory.build import BuiltTerritory
from geo.territory.build import build as build_territory
from geo.territory.files import read_former_communes, read_territory, write_readme, write_territory
from geo.territory.model import Territory, TerritoryKind
from geo.territory.sources import ETALAB_DIR, find_sources
from portee.console import count, err, file_size, print_json, print_text, report_errors
from portee.database import transaction
from portee.language import _

app = typer.Typer(
    help="Communes et regroupements : construire les fichiers, les charger.", no_args_is_help=True
)

_BOUNDARIES = typer.Option(
    None,
    "--boundaries",
    exists=True,
    dir_okay=True,
    help="Limites officielles plus fines : GeoJSON, GeoPackage ou Shapefile avec les codes INSEE.",
)
_JSON = typer.Option(False, "--json", help="Affiche le résultat en JSON.")


@app.command(
    help="Construit les fichiers d'un département à partir des paquets qui publient les registres officiels."
)
def build(
    code: str = typer.Argument(help="Code INSEE du département : 47, 2A, 974."),
    out_dir: Path | None = typer.Option(
        None, "--out", file_okay=False, help="Dossier où écrire ; celui du territoire par défaut."
    ),
    etalab: Path = typer.Option(
        ETALAB_DIR, "--etalab", file_okay=False, help="Dossier des fichiers JSON du paquet npm."
    ),
    boundaries: Path | None = _BOUNDARIES,
    as_json: bool = _JSON,
) -> None:
    """Build the files of a département from the packages that publish the official registers."""
    with report_errors():
        folder = out_dir or Settings().territory_dir
        sources = find_sources(etalab)
        with err.status(_("Construction de %(code)s…", code=code)):
            built = build_territory(code, sources, boundaries=boundaries)
            files = write_territory(
                built.territory, folder, former=built.former, inputs=sources.inputs(), notes=built.notes()
            )
            files.append(write_readme(folder))
    if as_json:
        print_json({**_counts(built.territory), "notes": built.notes(), "files": [str(f) for f in files]})
    else:
        _print_built(built, files)


@app.command(
    help="Charge le territoire des réglages dans la base, avec des limites plus fines si un "
    "fichier est donné."
)
def load(boundaries: Path | None = _BOUNDARIES, as_json: bool = _JSON) -> None:
    """Load the territory of the settings into the database, with finer boundaries if a file is given."""
    settings = Settings()
    report = None
    with report_errors():
        territory = read_territory(settings.territory_dir, settings.departement)
        if boundaries:
            with err.status(_("Lecture de %(file)s…", file=boundaries.name)):
                former = read_former_communes(settings.territory_dir, settings.departement)
                territory, report = with_boundaries(territory, boundaries, former)
        with transaction(settings) as connection:
            territories.save(connection, territory)
            version = snapshots.publish(connection)
    if as_json:
        counts = {**_counts(territory), "snapshot_version": version}
        print_json({**counts, "boundaries": asdict(report) if report else None})
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
    print_text(
        _(
            "%(name)s (%(code)s) : %(communes)s communes, %(people)s habitants ; %(context)s "
            "communes voisines",
            name=territory.name,
            code=territory.code,
            communes=count(len(territory.communes)),
            people=count(sum(c.population for c in territory.communes)),
            context=count(len(territory.context)),
        )
    )


def _print_built(built: BuiltTerritory, files: list[Path]) -> None:
    _print_territory(built.territory)
    for note in built.notes():
        print_text(f"- {note}")
    for file in files:
        print_text(f"  {file} ({file_size(file.stat().st_size)})")


def _print_loaded(territory: Territory, report: BoundaryReport | None) -> None:
    _print_territory(territory)
    if report:
        print_text(
            _(
                "Limites du fichier %(file)s (couche %(layer)s, colonne %(column)s, %(crs)s) : %(matched)s "
                "communes et %(neighbours)s voisines reprises, %(elsewhere)s lignes d'ailleurs "
                "laissées de côté.",
                **{
                    name: getattr(report, name)
                    for name in ("file", "layer", "column", "crs", "matched", "neighbours", "elsewhere")
                },
            )
        )
        print_text(
            _(
                "Formes réparées : %(mended)s. Raccord : %(overlap)s m² de chevauchements et %(gap)s m² de "
                "vides supprimés.",
                mended=len(report.mended),
                overlap=count(report.overlap_m2),
                gap=count(report.gap_m2),
            )
        )
        _print_mergers(territory, report)
    print_text(_("Territoire chargé."))


def _print_mergers(territory: Territory, report: BoundaryReport) -> None:
    if report.united:
        print_text(
            _(
                "Le fichier est plus ancien que les communes : %(count)s sont la réunion de plusieurs de ses "
                "codes.",
                count=count(len(report.united)),
            )
        )
    for commune, codes in report.united.items():
        name = territory.commune_by_code[commune].name
        print_text(f"    {name} ({commune}) ← {', '.join(codes)}")
    if report.not_replaced:
        print_text(
            _(
                "Communes voisines dont la forme a changé depuis ce fichier, laissées comme elles étaient : "
                "%(codes)s.",
                codes=", ".join(report.not_replaced),
            )
        )
