"""`portee isochrones`: what lies within so many minutes of a site or a point, as GeoJSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import orjson
import shapely
import typer

from geo.coverage.analysis_context import AnalysisContext
from geo.crs import WGS84, project, reproject
from geo.errors import ImpossibleQuestion
from geo.reach.isochrones import MINUTES, Isochrone
from geo.reach.isochrones import isochrones as draw
from geo.reach.modes import Mode
from geo.settings import Settings
from geo.wording import figures
from portee.console import count, misused, print_text, report_errors, wording, write_file
from portee.coverage_options import MinutesOption, ModeOption, load_context, parse_minutes
from portee.language import _

DECIMALS: Final = 5
_POINT: Final = re.compile(r"\s*(-?\d{1,3}(?:\.\d+)?)\s*,\s*(-?\d{1,2}(?:\.\d+)?)\s*", re.ASCII)


class Direction(StrEnum):
    """Which way is travelled: times differ where streets are one-way."""

    TO = "to"
    FROM = "from"


def isochrones(
    file: Annotated[
        Path, typer.Option("--out", help="Fichier GeoJSON à écrire ; s'il existe, il est remplacé.")
    ],
    site: Annotated[str | None, typer.Option(help="Identifiant d'un lieu.")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="LON,LAT", help="Un point, en degrés : --at 0.62,44.2.")
    ] = None,
    mode: ModeOption = Mode.CAR,
    minutes: MinutesOption = ",".join(map(str, MINUTES)),
    direction: Annotated[
        Direction,
        typer.Option(
            help="« to » : d'où l'on atteint le point à temps ; « from » : ce que l'on atteint "
            "depuis le point."
        ),
    ] = Direction.TO,
) -> None:
    """Draw what lies within so many minutes of a site or a point, the longest time first."""
    if (site is None) == (at is None):
        misused(_("donnez --site ou --at, l'un des deux."))
    point = _point(at) if at is not None else None
    asked = parse_minutes(minutes)
    with report_errors():
        frame = load_context(Settings())
        xy = _site_xy(frame, site) if point is None else _xy(frame, point)
        areas = draw(frame.travel, xy, mode, asked, outward=direction is Direction.FROM)
        content = _geojson(frame, areas, mode, direction)
    write_file(file, content, "--out")
    reached = ", ".join(
        f"{figures.minutes(a.minutes, wording())} : {count(a.area.area / 1e6)} km²" for a in areas
    )
    print_text(f"{file} : {frame.travel.label}, {mode.label}. {reached}.")


def _point(text: str) -> tuple[float, float]:
    read = _POINT.fullmatch(text)
    if not read or abs(float(read[1])) > 180 or abs(float(read[2])) > 90:
        misused(_("« %(text)s » n'est pas LON,LAT en degrés, par exemple --at 0.62,44.2.", text=text), "--at")
    return float(read[1]), float(read[2])


def _xy(frame: AnalysisContext, point: tuple[float, float]) -> tuple[float, float]:
    [[x, y]] = project([point[0]], [point[1]], frame.snapshot.territory.metric_crs)
    if not (isfinite(x) and isfinite(y)):
        raise ImpossibleQuestion(
            _(
                "Le point %(longitude)s, %(latitude)s est trop loin du territoire.",
                longitude=f"{point[0]:g}",
                latitude=f"{point[1]:g}",
            ),
            _("Écrivez la longitude, puis la latitude, en degrés."),
        )
    return float(x), float(y)


def _site_xy(frame: AnalysisContext, site_id: str | None) -> tuple[float, float]:
    site = frame.snapshot.site(site_id or "")
    if site.longitude is None or site.latitude is None:
        raise ImpossibleQuestion(
            _(
                "Le lieu « %(name)s » n'a pas de position : aucun trajet ne peut être calculé.",
                name=site.nom,
            ),
            _("Donnez un point : --at LON,LAT."),
        )
    return _xy(frame, (site.longitude, site.latitude))


def _geojson(frame: AnalysisContext, areas: Sequence[Isochrone], mode: Mode, direction: Direction) -> bytes:
    """Areas as RFC 7946 features, the longest time first: drawn in order, none hides a shorter one."""
    longest_first = areas[::-1]
    shapes = np.array([area.area for area in longest_first], dtype=object)
    degrees = reproject(shapes, source=frame.snapshot.territory.metric_crs, target=WGS84)
    rounded = shapely.transform(shapely.orient_polygons(degrees), lambda xy: np.round(xy, DECIMALS))
    return orjson.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {
                        "minutes": area.minutes,
                        "mode": mode,
                        "direction": direction,
                        "method": frame.travel.method,
                        "label": frame.travel.label,
                        "snapshot": frame.snapshot.version,
                    },
                    "geometry": orjson.Fragment(text),
                }
                for area, text in zip(longest_first, shapely.to_geojson(rounded), strict=True)
            ],
        }
    )
