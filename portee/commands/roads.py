"""`portee roads`: build the road graph from a file, describe the one in service, remove it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from geo.errors import RoadsUnavailable
from geo.reach import build as making
from geo.reach import graph_files, layer_attributes, layers, osm_segments, osm_tags
from geo.reach.graph import GraphMetadata
from geo.reach.modes import Mode
from geo.settings import Settings
from geo.store import roads as stored_roads
from geo.store import snapshots, territories
from portee.console import (
    INSTALLATION,
    confirm,
    count,
    decimal,
    err,
    plain,
    print_json,
    print_table,
    print_text,
    progress,
    report_errors,
)
from portee.coverage_options import load_context
from portee.database import transaction
from portee.language import N_, _, foreign
from portee.options import AsJson, Yes

app = typer.Typer(
    help="Réseau routier des temps de trajet : construire, examiner, retirer.", no_args_is_help=True
)

_REASONS = {
    making.CUT_OFF: N_("tronçons sans liaison avec le réseau"),
    making.UNUSABLE: N_("tronçons fermés à tous"),
    layers.NO_GEOMETRY: N_("objets sans ligne"),
    layers.NO_LENGTH: N_("lignes sans longueur"),
    layers.DRAWN_TWICE: N_("lignes dessinées sur une autre"),
    layers.ELSEWHERE: N_("lignes hors du territoire et de sa marge"),
    layer_attributes.FERRY: N_("bacs et liaisons maritimes"),
    layer_attributes.NOT_IN_SERVICE: N_("routes qui ne sont pas en service"),
    layer_attributes.NO_CLASS: N_("lignes dont la classe n'est pas dite"),
    layer_attributes.UNKNOWN_CLASS: N_("lignes d'une classe qui n'est pas une route"),
    layer_attributes.CLOSED: N_("routes fermées à tous"),
    osm_tags.NOT_OPEN: N_("voies en projet, en travaux ou désaffectées"),
    osm_tags.AREA: N_("surfaces"),
    osm_tags.NO_ROAD: N_("voies d'aucun usage (circuits, ascenseurs, aires…)"),
    osm_tags.CLOSED: N_("voies fermées à tous"),
    osm_segments.INCOMPLETE: N_("voies sans deux points situés"),
    osm_segments.OUTSIDE: N_("voies hors du territoire et de sa marge"),
}
"""Why pieces of road are left out, in French."""


@app.command(help="Construit le graphe routier du territoire à partir de FICHIER et le met en service.")
def build(
    file: Annotated[
        Path, typer.Argument(metavar="FICHIER", help="Fichier OpenStreetMap, ou couche de lignes.")
    ],
    file_format: Annotated[
        making.RoadFormat | None,
        typer.Option("--format", help="Format de FICHIER ; par défaut, d'après son nom."),
    ] = None,
    margin_km: Annotated[
        float, typer.Option(min=0, max=200, help="Kilomètres de routes gardés autour du territoire.")
    ] = making.MARGIN_KM,
    producer: Annotated[str, typer.Option(help="Producteur des données, affiché avec les résultats.")] = "",
    licence: Annotated[str, typer.Option(help="Licence des données, affichée avec les résultats.")] = "",
    vintage: Annotated[
        str, typer.Option(help="Date des données ; par défaut, celle du fichier OpenStreetMap.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Build the road graph of the territory from FILE and put it in service."""
    began = time.monotonic()
    with report_errors():
        settings = Settings()
        with transaction(settings) as connection:
            territory = territories.load(connection)
        with progress() as bars:
            task = bars.add_task(plain(file.name), total=None)
            graph = making.roads_from_file(
                file,
                territory,
                file_format=file_format,
                margin_km=margin_km,
                producer=producer,
                licence=licence,
                vintage=vintage,
                progress=lambda done, total: bars.update(task, completed=done, total=total or None),
            )
        with transaction(settings) as connection:
            stored_roads.wait_for_turn(connection)
            graph_files.write_graph(graph, graph_files.roads_folder(settings.home))
            stored_roads.record(connection, graph.about)
            version = snapshots.publish(connection)
        _tidy(settings)
        _sweep(settings)
    seconds = time.monotonic() - began
    if as_json:
        print_json({**asdict(graph.about), "seconds": round(seconds, 1), "snapshot_version": version})
        return
    _print_result(graph.about)
    print_text(_("Graphe en service, construit en %(seconds)s s.", seconds=decimal(seconds)), style="green")


@app.command(help="Décrit le graphe routier en service et vérifie ses fichiers octet par octet.")
def status(as_json: AsJson = False) -> None:
    """Describe the road graph in service, and check its files byte by byte."""
    problem: RoadsUnavailable | None = None
    with report_errors():
        settings = Settings()
        with transaction(settings) as connection:
            about = stored_roads.current(connection)
        if about:
            try:
                graph_files.read_graph(graph_files.roads_folder(settings.home) / about.checksum, verify=True)
            except RoadsUnavailable as found:
                problem = found
    if as_json:
        print_json({"roads": asdict(about) if about else None, "problem": str(problem) if problem else None})
    elif about is None:
        print_text(_("Aucun graphe routier : les distances sont estimées à vol d'oiseau."))
        print_text(_("Pour en construire un : portee roads build FICHIER"))
    else:
        _print_result(about)
        if problem:
            err.print(foreign(problem.message), foreign(problem.advice), style="bold red", markup=False)
        else:
            print_text(_("Fichiers vérifiés : intacts."), style="green")
    if problem:
        raise typer.Exit(INSTALLATION)


@app.command(
    help="Retire le graphe routier et supprime ses fichiers : les distances redeviennent à vol d'oiseau."
)
def remove(
    yes: Yes = False,
) -> None:
    """Take the road graph out of service and delete its files: distances are straight lines again."""
    confirm(_("Retirer le graphe routier ? Il peut être reconstruit depuis son fichier source."), yes=yes)
    with report_errors():
        settings = Settings()
        with transaction(settings) as connection:
            about = stored_roads.current(connection)
            if about:
                stored_roads.remove(connection)
                snapshots.publish(connection)
        _tidy(settings)
    print_text(_("Graphe routier retiré.") if about else _("Aucun graphe routier n'était en service."))


def _sweep(settings: Settings) -> None:
    """Compute and cache the times to the present sites, so that no reader waits for them."""
    frame = load_context(settings)
    with progress() as bars:
        task = bars.add_task(_("Temps de trajet"), total=len(frame.travel.modes))
        for mode in frame.travel.modes:
            frame.travel.to_sites(frame.snapshot.site_xy, mode)
            bars.advance(task)


def _tidy(settings: Settings) -> None:
    """Delete the files of graphs that are not in service, once the new one is recorded."""
    with transaction(settings) as connection:
        stored_roads.wait_for_turn(connection)
        current = stored_roads.current(connection)
        graph_files.remove_other_graphs(
            graph_files.roads_folder(settings.home), current.checksum if current else None
        )


def _print_result(about: GraphMetadata) -> None:
    """Print the source of a graph, its counts by mode, what was left out and why, and its warnings."""
    summary: Mapping[str, Any] = about.summary
    print_text(f"{about.file_name} ({about.format}) : {about.producer}, {about.vintage}, {about.licence}")
    print_text(
        _(
            "%(nodes)s carrefours, %(edges)s tronçons, %(km)s km",
            **{name: count(summary[name]) for name in ("nodes", "edges", "km")},
        )
    )
    if connectors := summary.get("connectors"):
        print_text(_("Raccords ajoutés aux échangeurs d'autoroutes : %(count)s", count=count(connectors)))
    headings = (*(_("mode"), _("carrefours"), _("tronçons"), _("longueur (km)"), _("parties"), _("écartés")),)
    names = ("nodes", "edges", "km", "components", "cut_off")
    print_table(
        headings,
        [
            (_(mode.label), *(count(figures[name]) for name in names))
            for mode in Mode
            if (figures := summary["modes"].get(mode.value))
        ],
        numbers=len(names),
    )
    if summary["dropped"]:
        print_text(_("Laissés de côté :"))
        for reason, number in sorted(summary["dropped"].items(), key=lambda kind: -kind[1]):
            print_text(f"    {count(number)} × {_(_REASONS.get(reason, reason))}")
    for sentence in summary["warnings"]:
        print_text(sentence, style="yellow")
    print_text(_("Empreinte %(checksum)s", checksum=about.checksum), style="dim")
