"""Maps for paper: communes, sites and figures as SVG, in points (1/72 inch), without a base map.

Pure functions from frozen results to text. Everything that comes from data is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import floor, isfinite, log10, sqrt
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Geometry

from geo.crs import WGS84, reproject
from geo.territory.model import Commune, Territory, TerritoryKind
from geo.territory.simplify import simplified
from geo.wording import figures
from static_maps.page_shell import TOKENS
from static_maps.style import CIRCLE_COLOUR, PAPER_GREY, SUPPLY_RAMP, TIME_RAMP, UNKNOWN_COLOUR

FONT: Final = "Libertinus Serif"
"""Embedded in Typst, so that a bare machine has it."""
INK: Final = TOKENS["ink"]
SITE_COLOUR: Final = TOKENS["deep"]

TOLERANCE_M: Final = 150
"""Side of the details that are dropped: less than a hair on paper."""
LARGEST_CIRCLE: Final = 0.06
"""Radius of the largest circle, as a share of the map's width."""

_EDGE: Final = TOKENS["paper"]
_MARGIN: Final = 8.0
_LABELS: Final = 12
_LABEL_SIZE: Final = 7.5
_EM: Final = 0.5
"""Mean width of a letter, as a share of its size."""
_NOT_PRINTED: Final = re.compile("[^\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class SvgLegendEntry:
    """One line of a legend: a colour, or a circle of a radius in points, and what it stands for."""

    label: str
    colour: str
    radius: float = 0.0


@dataclass(frozen=True)
class Ground:
    """What maps of a territory are drawn on, in its metric CRS.

    Attributes
    ----------
    communes
        The territory's own, in the order of `shapes`.
    shapes
        Their boundaries, lightened, shape (n,).
    lines
        Borders drawn over them: of the groupings looked at, and of the whole.
    """

    communes: tuple[Commune, ...]
    shapes: NDArray[np.object_]
    lines: tuple[Geometry, Geometry]
    epsg: int


def ground(territory: Territory, kind: TerritoryKind = TerritoryKind.DEPARTEMENT) -> Ground:
    """Prepare a territory's maps; borders of the groupings of `kind` are drawn too."""
    communes = territory.communes
    light = simplified([c.boundary for c in communes], epsg=territory.metric_crs, tolerance_m=TOLERANCE_M)
    shapes = reproject(light, source=WGS84, target=territory.metric_crs)
    row = {c.code: r for r, c in enumerate(communes)}
    groups = [
        shapely.coverage_union_all(shapes[[row[code] for code in group.communes]]).boundary
        for group in territory.groupings_of(kind)
        if kind is not TerritoryKind.COMMUNE
    ]
    whole = shapely.coverage_union_all(shapes).boundary
    return Ground(communes, shapes, (shapely.union_all(groups), whole), territory.metric_crs)


@dataclass(frozen=True)
class SvgFrame:
    """How metres become points on a map of a size: y grows downwards."""

    width: float
    height: float
    scale: float
    west: float
    north: float

    def points(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Metric coordinates, shape (n, 2), in points."""
        return np.column_stack([(xy[:, 0] - self.west) * self.scale, (self.north - xy[:, 1]) * self.scale])


def svg_frame(area: Ground, width: float, height_max: float) -> SvgFrame:
    """A frame as wide as asked, or less high, that holds the whole territory."""
    west, south, east, north = shapely.total_bounds(area.shapes)
    scale = min((width - 2 * _MARGIN) / (east - west), (height_max - 2 * _MARGIN) / (north - south))
    height = (north - south) * scale + 2 * _MARGIN
    aside = (width / scale - (east - west)) / 2
    return SvgFrame(width, height, scale, west - aside, north + _MARGIN / scale)


def choropleth(
    area: Ground,
    frame: SvgFrame,
    colours: Mapping[str, str],
    *,
    sites: NDArray[np.float64] | None = None,
    labels: int = _LABELS,
) -> str:
    """Communes, each in its colour, with sites as dots, names of towns, and a scale.

    Parameters
    ----------
    colours
        By INSEE code; a commune without one is grey.
    sites
        Shape (n, 2), metric CRS; NaN where not located.
    labels
        How many towns are named at most, the most populated first, where there is room.
    """
    parts = [
        *_communes(area, frame, lambda code: colours.get(code, UNKNOWN_COLOUR)),
        *_lines(area, frame),
        *(_dots(frame, sites) if sites is not None else ()),
        *_names(area, frame, labels),
        *_scale(frame),
    ]
    return svg(frame.width, frame.height, parts)


def circles(area: Ground, frame: SvgFrame, values: Mapping[str, float]) -> tuple[str, list[SvgLegendEntry]]:
    """A circle on each commune whose area is proportional to its value, and the legend's circles."""
    largest = max((v for v in values.values() if isfinite(v)), default=0.0)
    parts = [*_communes(area, frame, lambda _: PAPER_GREY, edge=TOKENS["map-edge"]), *_lines(area, frame)]
    if largest <= 0:
        return svg(frame.width, frame.height, [*parts, *_names(area, frame, _LABELS), *_scale(frame)]), []
    unit = frame.width * LARGEST_CIRCLE / sqrt(largest)
    halls = shapely.point_on_surface(area.shapes)
    centres = frame.points(shapely.get_coordinates(halls))
    # Large ones first, so that none hides a smaller one.
    for value, (x, y) in sorted(
        ((values.get(c.code, 0.0), tuple(xy)) for c, xy in zip(area.communes, centres, strict=True)),
        key=lambda each: -each[0],
    ):
        if value > 0:
            parts.append(
                f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{max(unit * sqrt(value), 0.4):.2f}" '
                f'fill="{CIRCLE_COLOUR}" fill-opacity=".62" stroke="{_EDGE}" stroke-width=".5"/>'
            )
    keys = [
        SvgLegendEntry(figures.count(value), CIRCLE_COLOUR, round(unit * sqrt(value), 2))
        for value in dict.fromkeys((_round(largest), _round(largest / 4), _round(largest / 20)))
    ]
    return svg(frame.width, frame.height, [*parts, *_names(area, frame, _LABELS), *_scale(frame)]), keys


def time_keys(minutes: Sequence[int]) -> list[SvgLegendEntry]:
    """Classes of travel time: up to each of the minutes, beyond the last, and out of reach."""
    edges = [0, *minutes]
    ramp = stepped(TIME_RAMP[:-1], len(edges))
    within = [
        SvgLegendEntry(
            figures.minutes_range(low, high) if low else f"{figures.minutes(high)} au plus", ramp[i]
        )
        for i, (low, high) in enumerate(pairwise(edges))
    ]
    return [
        *within,
        SvgLegendEntry(f"plus de {figures.minutes(edges[-1])}", ramp[-1]),
        SvgLegendEntry(figures.OUT_OF_REACH, TIME_RAMP[-1]),
    ]


def time_colour(minutes: float | None, edges: Sequence[int]) -> str:
    """Colour of a travel time (None: out of reach) among `time_keys(edges)`."""
    ramp = stepped(TIME_RAMP[:-1], len(edges) + 1)
    # A hair less: times are kept as float32 seconds.
    return TIME_RAMP[-1] if minutes is None else ramp[int(np.searchsorted(edges, minutes - 1e-6))]


def supply_edges(mean: float) -> tuple[float, ...]:
    """Upper bounds of the classes of accessible supply: none, then around the mean."""
    return (0.0, *(mean * part for part in (0.5, 0.8, 1.2, 1.5)))


def supply_keys(mean: float) -> list[SvgLegendEntry]:
    """Classes of accessible supply around its mean."""
    edges = supply_edges(mean)
    labels = [figures.decimal(edge) for edge in edges]
    return [
        SvgLegendEntry("aucune", SUPPLY_RAMP[0]),
        SvgLegendEntry(f"moins de {labels[1]}", SUPPLY_RAMP[1]),
        *(SvgLegendEntry(f"{labels[i]} à {labels[i + 1]}", SUPPLY_RAMP[i + 1]) for i in range(1, 4)),
        SvgLegendEntry(f"plus de {labels[4]}", SUPPLY_RAMP[5]),
    ]


def supply_colour(value: float, mean: float) -> str:
    """Colour of an accessible supply among `supply_keys(mean)`."""
    return SUPPLY_RAMP[int(np.searchsorted(supply_edges(mean), value))]


def stepped(ramp: Sequence[str], count: int) -> list[str]:
    """So many colours from the first of a ramp to its last, as far apart as can be."""
    channels = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in ramp])
    places = np.linspace(0, len(ramp) - 1, count)
    mixed = [np.interp(places, np.arange(len(ramp)), channel).round().astype(int) for channel in channels.T]
    return ["#{:02x}{:02x}{:02x}".format(*each) for each in zip(*mixed, strict=True)]


def svg(width: float, height: float, parts: Iterable[str]) -> str:
    """A drawing of so many points."""
    size = f'width="{_n(width)}" height="{_n(height)}" viewBox="0 0 {_n(width)} {_n(height)}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}">{"".join(parts)}</svg>'


def text(x: float, y: float, line: str, *, size: float, anchor: str = "start", bold: bool = False) -> str:
    """A line of text with a light halo, so that it reads on any colour."""
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{_n(x)}" y="{_n(y)}" font-size="{size:g}" text-anchor="{anchor}" fill="{INK}"{weight} '
        f'stroke="{_EDGE}" stroke-width="2" stroke-opacity=".85" stroke-linejoin="round" '
        f'paint-order="stroke">'
        f"{escape(clean(line))}</text>"
    )


def clean(line: str) -> str:
    """Text on one line: what cannot be printed, or no XML file may hold, is a space."""
    return _NOT_PRINTED.sub(" ", line)


def _communes(
    area: Ground, frame: SvgFrame, colour: Callable[[str], str], *, edge: str = _EDGE
) -> Iterable[str]:
    yield f'<g stroke="{edge}" stroke-width=".35" stroke-linejoin="round" fill-rule="evenodd">'
    for commune, shape in zip(area.communes, area.shapes, strict=True):
        yield f'<path d="{_path(shape, frame)}" fill="{colour(commune.code)}"/>'
    yield "</g>"


def _lines(area: Ground, frame: SvgFrame) -> Iterable[str]:
    for line, width in zip(area.lines, (0.8, 1.1), strict=True):
        if not line.is_empty:
            yield (
                f'<path d="{_path(line, frame)}" fill="none" stroke="{INK}" stroke-width="{width}" '
                f'stroke-opacity="{0.55 if width < 1 else 0.9}" stroke-linejoin="round"/>'
            )


def _dots(frame: SvgFrame, sites: NDArray[np.float64]) -> Iterable[str]:
    radius = max(1.5, frame.width / 220)
    inside = frame.points(sites[np.isfinite(sites).all(axis=1)])
    for x, y in inside:
        if 0 <= x <= frame.width and 0 <= y <= frame.height:
            yield (
                f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{radius:.2f}" fill="{SITE_COLOUR}" '
                f'stroke="{_EDGE}" stroke-width=".6"/>'
            )


def _names(area: Ground, frame: SvgFrame, most: int) -> Iterable[str]:
    """Names of the largest towns that do not run into another's or out of the map."""
    taken: list[tuple[float, float, float, float]] = []
    halls = shapely.get_coordinates(
        reproject([c.town_hall for c in area.communes], source=WGS84, target=area.epsg)
    )
    placed = frame.points(halls)
    for row in sorted(range(len(area.communes)), key=lambda r: (-area.communes[r].population, r)):
        commune, (x, y) = area.communes[row], placed[row]
        half = len(commune.name) * _LABEL_SIZE * _EM / 2
        box = (x - half, y - _LABEL_SIZE - 3, x + half, y)
        if len(taken) == most or not commune.population:
            return
        if box[0] < 0 or box[2] > frame.width or any(_cross(box, other) for other in taken):
            continue
        taken.append(box)
        yield text(x, y - 3, commune.name, size=_LABEL_SIZE, anchor="middle")


def _cross(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _scale(frame: SvgFrame) -> Iterable[str]:
    """A bar of a round number of kilometres, and where the north is."""
    metres = _round(frame.width / frame.scale / 5)
    length, foot = metres * frame.scale, frame.height - 5
    yield (
        f'<path d="M4,{_n(foot - 3)}V{_n(foot)}H{_n(4 + length)}V{_n(foot - 3)}" fill="none" '
        f'stroke="{INK}" stroke-width=".9"/>'
    )
    yield text(4 + length / 2, foot - 4, figures.distance(metres), size=7, anchor="middle")
    yield f'<path d="M{_n(frame.width - 10)},8l3,9l-3,-2l-3,2z" fill="{INK}"/>'
    yield text(frame.width - 10, 25, "N", size=7, anchor="middle")


def _round(number: float) -> float:
    """The round number (1, 2 or 5 times a power of ten) below; at least 1."""
    power = 10.0 ** floor(log10(number)) if number >= 1 else 1.0
    return max((step for step in (1, 2, 5) if step * power <= number), default=1) * power


def _path(shape: Geometry, frame: SvgFrame) -> str:
    lines = shapely.get_parts(shape)
    if shape.geom_type.endswith("Polygon"):
        lines = shapely.get_rings(lines)
    drawn = []
    for line in lines:
        points = frame.points(shapely.get_coordinates(line))
        drawn.append("M" + "L".join(f"{_n(x)},{_n(y)}" for x, y in points))
    return "".join(drawn)


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
