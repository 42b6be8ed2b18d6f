"""`portee roads`: build the road graph from a file, tell which is in service, take it away."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from geo.errors import RoadsUnavailable
from geo.reach import build as making
from geo.reach import graph_files, layer_attributes, layers, osm_segments, osm_tags
from geo.reach.graph import GraphMetadata
from geo.reach.modes import Mode
from geo.settings import Settings
from geo.store import roads as stored_roads
from geo.store import snapshots, territories
from portee.console import INSTALLATION, err, out, plain, print_json, print_text, progress, report_errors
from portee.coverage_options import load_context
from portee.database import transaction

app = typer.Typer(
    help="Roads that travel times are computed on: build, look at, remove.", no_args_is_help=True
)

_JSON = typer.Option("--json", help="Print the result as JSON.")

_REASONS = {
    making.CUT_OFF: "tronçons sans liaison avec le réseau",
    making.UNUSABLE: "tronçons fermés à tous",
    layers.NO_GEOMETRY: "objets sans ligne",
    layers.NO_LENGTH: "lignes sans longueur",
    layers.DRAWN_TWICE: "lignes dessinées sur une autre",
    layers.ELSEWHERE: "lignes hors du territoire et de sa marge",
    layer_attributes.FERRY: "bacs et liaisons maritimes",
    layer_attributes.NOT_IN_SERVICE: "routes qui ne sont pas en service",
    layer_attributes.NO_CLASS: "lignes dont la classe n'est pas dite",
    layer_attributes.UNKNOWN_CLASS: "lignes d'une classe qui n'est pas une route",
    layer_attributes.CLOSED: "routes fermées à tous",
    osm_tags.NOT_OPEN: "voies en projet, en travaux ou désaffectées",
    osm_tags.AREA: "surfaces",
    osm_tags.NO_ROAD: "voies d'aucun usage (circuits, ascenseurs, aires…)",
    osm_tags.CLOSED: "voies fermées à tous",
    osm_segments.INCOMPLETE: "voies sans deux points situés",
    osm_segments.OUTSIDE: "voies hors du territoire et de sa marge",
}
"""Why pieces of road are left out, as operators read it."""


@app.command()
def build(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="OpenStreetMap file, or layer of lines.")],
    file_format: Annotated[
        making.RoadFormat | None,
        typer.Option("--format", help="What FILE is; by default, what its name says."),
    ] = None,
    margin_km: Annotated[
        float, typer.Option(min=0, max=200, help="Kilometres of roads kept around the territory.")
    ] = making.MARGIN_KM,
    producer: Annotated[str, typer.Option(help="Who made the data, named beside results.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the data, named beside results.")] = "",
    vintage: Annotated[
        str, typer.Option(help="Date of the data; by default, the one OpenStreetMap files tell.")
    ] = "",
    as_json: Annotated[bool, _JSON] = False,
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
    print_text(f"Graphe en service, construit en {seconds:.1f} s.", style="green")


@app.command()
def status(as_json: Annotated[bool, _JSON] = False) -> None:
    """Tell which road graph is in service, and check its files byte by byte."""
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
        print_text("Aucun graphe routier : les distances sont estimées à vol d'oiseau.")
        print_text("Pour en construire un : portee roads build FICHIER")
    else:
        _print_result(about)
        if problem:
            err.print(str(problem), style="bold red", markup=False)
        else:
            print_text("Fichiers vérifiés : intacts.", style="green")
    if problem:
        raise typer.Exit(INSTALLATION)


@app.command()
def remove(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Take the road graph out of service and delete its files: distances are straight lines again."""
    if not yes:
        typer.confirm("Remove the road graph? It can be built again from its source file.", abort=True)
    with report_errors():
        settings = Settings()
        with transaction(settings) as connection:
            about = stored_roads.current(connection)
            if about:
                stored_roads.remove(connection)
                snapshots.publish(connection)
        _tidy(settings)
    print_text("Graphe routier retiré." if about else "Aucun graphe routier n'était en service.")


def _sweep(settings: Settings) -> None:
    """Compute and keep the times to the present sites, so that no reader waits for them."""
    frame = load_context(settings)
    with progress() as bars:
        task = bars.add_task("Temps de trajet", total=len(frame.travel.modes))
        for mode in frame.travel.modes:
            frame.travel.to_sites(frame.snapshot.site_xy, mode)
            bars.advance(task)


def _tidy(settings: Settings) -> None:
    """Delete the files of graphs that are not in service; only once what took their place is kept."""
    with transaction(settings) as connection:
        stored_roads.wait_for_turn(connection)
        current = stored_roads.current(connection)
        graph_files.remove_other_graphs(
            graph_files.roads_folder(settings.home), current.checksum if current else None
        )


def _print_result(about: GraphMetadata) -> None:
    """Print what a graph holds: source, counts by mode, what was left out and why, warnings."""
    summary: Mapping[str, Any] = about.summary
    print_text(f"{about.file_name} ({about.format}) : {about.producer}, {about.vintage}, {about.licence}")
    print_text(
        f"{_count(summary['nodes'])} carrefours, {_count(summary['edges'])} tronçons, {_km(summary['km'])}"
    )
    if connectors := summary.get("connectors"):
        print_text(f"Raccords ajoutés aux échangeurs d'autoroutes : {_count(connectors)}")
    table = Table("mode", "carrefours", "tronçons", "longueur", "parties", "écartés")
    for mode in Mode:
        if told := summary["modes"].get(mode.value):
            numbers = (_count(told[name]) for name in ("nodes", "edges"))
            parts = (_count(told[name]) for name in ("components", "cut_off"))
            table.add_row(mode.label, *numbers, _km(told["km"]), *parts)
    out.print(table)
    if summary["dropped"]:
        print_text("Laissés de côté :")
        for reason, count in sorted(summary["dropped"].items(), key=lambda kind: -kind[1]):
            print_text(f"    {_count(count)} × {_REASONS.get(reason, reason)}")
    for sentence in summary["warnings"]:
        print_text(sentence, style="yellow")
    print_text(f"Empreinte {about.checksum}", style="dim")


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _km(length: float) -> str:
    return f"{length:,.0f} km".replace(",", " ")
