"""Maps of measures: one by classes or circles, two side by side or crossed; frozen results in, a page out.

The interactive maps are Folium's, on our own page as in `coverage_map`: colours and words are settled
here, and `measures.js` only draws them. Beside them stand the same maps drawn for paper, shown where
there is no script and in print; and a table that says all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from math import floor, log10, sqrt
from typing import Any, Final

import orjson
from branca.element import Element, Figure
from markupsafe import Markup

from geo.snapshot import Snapshot
from geo.territory.model import Grouping, TerritoryKind
from geo.wording import figures, names
from static_maps import csp, svg_map
from static_maps.classes import Classes, ClassificationMethod, classed
from static_maps.coverage_map import TEMPLATES, Canvas, WrittenPage, own_styles
from static_maps.measure_catalogue import FORMS, MEASURES, MapMeasure, MeasureSubject, MeasureValues
from static_maps.page_data import units
from static_maps.page_shell import SHELL_STYLE, french_shell
from static_maps.settings import MapSettings
from static_maps.style import CROSSED, PAPER_GREY, UNKNOWN_COLOUR, ZERO_COLOUR
from static_maps.topology import SCALE

PATH: Final = "/mesures"
HATCHED: Final = "url(#hachures)"
"""A pattern the page declares: what is known and not published."""
VIEWS: Final = {"cote": "côte à côte", "croisee": "croisées en neuf classes"}
KINDS: Final = (TerritoryKind.COMMUNE, TerritoryKind.CANTON, TerritoryKind.EPCI, TerritoryKind.ARRONDISSEMENT)
LARGEST_PX: Final = 30
_PAPER: Final = (470.0, 520.0)
_RINGS: Final = 66.0
"""Room below a drawn map for the circles of its legend."""


@dataclass(frozen=True, slots=True)
class MeasureQuery:
    """What an address of the page asks."""

    measure: MapMeasure
    beside: MapMeasure | None
    kind: TerritoryKind
    form: str
    method: ClassificationMethod
    view: str
    year: int


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A line of a legend: a colour and its class, or a circle of a radius in pixels and its value."""

    label: str
    colour: str
    count: int = 0
    radius: float = 0.0


@dataclass(frozen=True)
class Drawn:
    """One map: colours or circles by code of territory, and its legend."""

    title: str
    unit: str
    colours: Mapping[str, str]
    keys: tuple[LegendEntry, ...]
    circles: Mapping[str, float]
    vintage: str
    notes: tuple[str, ...]


def draw_measure(shown: MeasureValues, method: ClassificationMethod, territories: int) -> Drawn:
    """A measure of so many territories as a map: circles for totals, classes for all else."""
    circles = shown.form == "total"
    colours: dict[str, str]
    notes = [shown.note] if shown.note else []
    if shown.withheld:
        notes.append("Les petits nombres de personnes, et ceux qui les trahiraient, ne sont pas publiés.")
    if circles:
        colours, keys = {}, _circle_keys(shown)
    else:
        colours, keys = _by_class(shown, method)
    colours |= dict.fromkeys(shown.withheld, HATCHED)
    keys = (*keys, *_others(len(shown.withheld), territories - len(shown.withheld) - len(shown.values)))
    return Drawn(
        title=shown.measure.label,
        unit=shown.unit,
        colours=colours,
        keys=keys,
        circles={code: value for code, value in shown.values.items() if value > 0} if circles else {},
        vintage=shown.vintage,
        notes=tuple(notes),
    )


def _by_class(
    shown: MeasureValues, method: ClassificationMethod
) -> tuple[dict[str, str], tuple[LegendEntry, ...]]:
    classes = classed(list(shown.values.values()), method, zero_apart=shown.measure.zero)
    ramp = class_colours(classes, shown.measure)
    rows = {code: classes.of(value) for code, value in shown.values.items()}
    keys = [
        LegendEntry(label, colour, count)
        for row, (label, colour) in enumerate(zip(classes.labels(), ramp, strict=True))
        if (count := sum(each == row for each in rows.values()))
    ]
    return {code: ramp[row] for code, row in rows.items()}, tuple(keys)


def _others(withheld: int, unknown: int) -> tuple[LegendEntry, ...]:
    """Lines for what no class holds, where there is some."""
    both = (
        LegendEntry("non publié", HATCHED, withheld),
        LegendEntry(figures.UNKNOWN, UNKNOWN_COLOUR, unknown),
    )
    return tuple(key for key in both if key.count)


def class_colours(classes: Classes, measure: MapMeasure) -> list[str]:
    """A colour for each class: zero apart, then from light to dark."""
    ramp = measure.subject.ramp
    wanted = classes.count - classes.zero
    return [*([ZERO_COLOUR] if classes.zero else []), *svg_map.stepped(ramp, wanted)]


def _circle_keys(shown: MeasureValues) -> tuple[LegendEntry, ...]:
    largest = max(shown.values.values(), default=0.0)
    if largest <= 0:
        return ()
    colour = shown.measure.subject.ramp[-2]
    steps = dict.fromkeys(round_number(largest / part) for part in (1, 4, 20))
    return tuple(
        LegendEntry(f"{figures.exact(v)} {shown.unit}", colour, radius=LARGEST_PX * sqrt(v / largest))
        for v in steps
    )


@dataclass(frozen=True)
class Crossing:
    """Two measures on one map: nine classes, and how to read them."""

    drawn: Drawn
    across: tuple[str, ...]
    up: tuple[str, ...]
    count: tuple[tuple[int, ...], ...]


def crossed(first: MeasureValues, second: MeasureValues, territories: int) -> Crossing:
    """Two measures of the same territories, each in three classes of equal sizes (zero is one of them)."""
    sides = [_thirds(shown) for shown in (first, second)]
    both = first.values.keys() & second.values.keys()
    place = {c: tuple(s.of(x.values[c]) for s, x in zip(sides, (first, second), strict=True)) for c in both}
    colours = {code: CROSSED[up][across] for code, (across, up) in place.items()}
    hidden = first.withheld | second.withheld
    colours |= dict.fromkeys(hidden, HATCHED)
    notes = [x.note for x in (first, second) if x.note]
    keys = _others(len(hidden), territories - len(place.keys() | hidden))
    return Crossing(
        drawn=Drawn(
            title=f"{first.measure.label} × {second.measure.label}",
            unit=f"{first.unit} × {second.unit}",
            colours=colours,
            keys=keys,
            circles={},
            vintage=" ; ".join(dict.fromkeys((first.vintage, second.vintage))),
            notes=tuple(notes),
        ),
        across=tuple(sides[0].labels()),
        up=tuple(sides[1].labels()),
        count=tuple(
            tuple(sum(at == (across, up) for at in place.values()) for across in range(sides[0].count))
            for up in range(sides[1].count)
        ),
    )


def _thirds(shown: MeasureValues) -> Classes:
    values = list(shown.values.values())
    apart = shown.measure.zero and 0 in values
    return classed(values, ClassificationMethod.QUANTILES, 2 if apart else 3, zero_apart=apart)


def measures_page(
    snapshot: Snapshot,
    asked: MeasureQuery,
    shown: Sequence[MeasureValues],
    *,
    area: svg_map.Ground,
    outline: bytes,
    settings: MapSettings,
    years: Sequence[int],
    fictif: bool,
    assets_url: str = "/static",
) -> WrittenPage:
    """The page of one measure, or of two.

    Parameters
    ----------
    shown
        The measures asked for, in order.
    area, outline
        As `svg_map.ground` and `outline_json` make them: the same for every question of a snapshot.
    years
        Those a reader may choose.
    fictif
        Whether some of what is shown is invented.
    """
    page = _MeasuresPage(snapshot, asked, shown, area, outline, settings, years, fictif, assets_url)
    for rank in range(len(page.maps)):
        page.add_child(_MeasureCanvas(snapshot, settings, assets_url, rank), name=f"map{rank}")
    return WrittenPage(page.render(), page.security_policy())


class _MeasureCanvas(Canvas):
    """The same map with the script of measures; the two maps of a page have different element names."""

    def __init__(self, snapshot: Snapshot, settings: MapSettings, assets_url: str, rank: int) -> None:
        super().__init__(snapshot, settings, assets_url)
        self._id = f"portee{rank}"
        url = escape(assets_url)
        self.default_js = [
            ("leaflet", f"{url}/vendor/leaflet/leaflet.js"),
            ("map_base", f"{url}/assets/map-base.js"),
            ("portee", f"{url}/assets/measures.js"),
        ]
        self.default_css = [
            ("leaflet_css", f"{url}/vendor/leaflet/leaflet.css"),
            *own_styles(assets_url, "portee-map.css", "figures.css", "measures.css"),
        ]
        for child in self._children.values():
            if child._name == "TileLayer":
                child._id = f"base{rank}"


class _MeasuresPage(Figure):
    """The page around the maps. Its template escapes what it writes and is compiled once."""

    _template = TEMPLATES.get_template("measures.html")

    def __init__(
        self,
        snapshot: Snapshot,
        asked: MeasureQuery,
        shown: Sequence[MeasureValues],
        area: svg_map.Ground,
        outline: bytes,
        settings: MapSettings,
        years: Sequence[int],
        fictif: bool,
        assets_url: str,
    ) -> None:
        super().__init__(title="Mesures")
        self.header = Element()  # without Folium's own meta tag
        self.header._parent = self
        self.snapshot = snapshot
        self.asked = asked
        self.shown = shown
        self.outline = outline
        self.settings = settings
        self.years = years
        self.shell = french_shell(snapshot, "measures", fictitious=fictif, assets_url=assets_url)
        self.kinds = KINDS
        self.methods = tuple(ClassificationMethod)
        self.views = VIEWS
        self.subjects = {s: [m for m in MEASURES.values() if m.subject is s] for s in MeasureSubject}
        self.groups: list[Grouping] = list(snapshot.territory.groupings_of(asked.kind))
        count = len(self.groups)
        crossing = len(shown) == 2 and asked.view == "croisee"
        self.crossing = crossed(shown[0], shown[1], count) if crossing else None
        self.maps = (
            [self.crossing.drawn]
            if self.crossing
            else [draw_measure(each, asked.method, count) for each in shown]
        )
        self.papers = [Markup(self._on_paper(each, area)) for each in self.maps]  # noqa: S704 - escaped by paper

    @property
    def headline(self) -> str:
        """What the page shows, in words."""
        return " et ".join(
            each.measure.label if i == 0 else _lower(each.measure.label) for i, each in enumerate(self.shown)
        )

    @property
    def rows(self) -> list[tuple[Grouping, list[str]]]:
        """Territories and their values as read, the largest value of the first measure first."""
        first = self.shown[0].values
        ordered = sorted(self.groups, key=lambda g: (-first.get(g.code, float("-inf")), g.name, g.code))
        return [(g, [each.text(g.code) for each in self.shown]) for g in ordered]

    @property
    def has_total(self) -> bool:
        """Whether the measure alone has a form that sums."""
        return bool(self.asked.measure.total) and self.asked.beside is None

    @property
    def forms(self) -> list[tuple[str, str]]:
        """Forms of the measure, and their words."""
        return list(zip(FORMS, ("par habitant (classes)", "au total (cercles)"), strict=True))

    def _on_paper(self, one: Drawn, area: svg_map.Ground) -> str:
        frame = svg_map.svg_frame(area, *_PAPER)
        if one.circles:
            main = {g.code: self._main(g) for g in self.groups}
            frame = replace(frame, height=frame.height + _RINGS)
            svg, keys = svg_map.circles(area, frame, {main[c]: v for c, v in one.circles.items()})
            return svg.removesuffix("</svg>") + "".join(_rings(keys, frame, one.unit)) + "</svg>"
        colours = {c: one.colours[g.code] for g in self.groups if g.code in one.colours for c in g.communes}
        return svg_map.choropleth(area, frame, colours)

    def _main(self, group: Grouping) -> str:
        """Its most peopled commune, where a territory's circle stands."""
        known = self.snapshot.territory.commune_by_code
        return max(group.communes, key=lambda c: (known[c].population, c))

    def json_block(self) -> Markup:
        """The data as JSON that cannot end its `<script>` block or open a comment in it."""
        return csp.json_block(self.data())

    def data(self) -> dict[str, Any]:
        """What the script draws; coordinates are WGS 84, longitude first, in units of 1/`SCALE` degree."""
        territory = self.snapshot.territory
        row_of = {c: row for row, group in enumerate(self.groups) for c in group.communes}
        halls = territory.commune_by_code
        return {
            "scale": SCALE,
            "territory": {
                "code": territory.code,
                "name": territory.name,
                "of_name": names.of_place(territory.name),
            },
            "outline": orjson.Fragment(self.outline),
            "kind": self.asked.kind,
            "unknown": UNKNOWN_COLOUR,
            "communes": [
                {
                    "name": c.name,
                    "people": c.population,
                    "at": units(c.town_hall.x, c.town_hall.y),
                    "row": row_of.get(c.code, -1),
                }
                for c in territory.communes
            ],
            "rows": [
                {
                    "name": g.name,
                    "href": f"/territoires/{g.code}?kind={g.kind}&year={self.asked.year}",
                    "at": units(halls[self._main(g)].town_hall.x, halls[self._main(g)].town_hall.y),
                    "texts": [f"{each.measure.label} : {each.text_with_unit(g.code)}" for each in self.shown],
                }
                for g in self.groups
            ],
            "maps": [self._map(one) for one in self.maps],
        }

    def _map(self, one: Drawn) -> dict[str, Any]:
        largest = max(one.circles.values(), default=0.0)
        rest = PAPER_GREY if one.circles or not one.colours else UNKNOWN_COLOUR
        return {
            "title": one.title,
            "fills": [one.colours.get(g.code, rest) for g in self.groups],
            "radii": [
                round(LARGEST_PX * sqrt(one.circles[g.code] / largest), 2) if g.code in one.circles else 0
                for g in self.groups
            ],
        }

    def crossed_colour(self, up: int, across: int) -> str:
        """Colour of a class of the crossed map."""
        return CROSSED[up][across]

    def canvases(self) -> list[Markup]:
        """The maps' own elements, in order; Folium has them side by side."""
        return [Markup(child.render()) for child in self.html._children.values()]  # noqa: S704

    def inline_script(self) -> Markup:
        """Folium's own script: constants and settings only."""
        return Markup(self.script.render())  # noqa: S704

    def security_policy(self) -> str:
        """What the page may load and ask: itself, Folium's one script, the tiles."""
        return csp.content_security_policy(
            scripts=[self.inline_script()],
            styles=[SHELL_STYLE],
            tiles_origin=self.settings.tiles_origin,
            own_scripts=True,
            submits=True,
        )


def round_number(value: float) -> float:
    """The round number (1, 2 or 5 times a power of ten) not above a positive one."""
    power = 10.0 ** floor(log10(value))
    return max((step for step in (1, 2, 5) if step * power <= value), default=1) * power


def _rings(keys: Sequence[svg_map.SvgLegendEntry], frame: svg_map.SvgFrame, unit: str) -> Iterator[str]:
    """Circles of the legend on the drawing itself: printed at any size, they stay those of the map."""
    across, foot = frame.width - 110, frame.height - 6
    for key in keys:
        yield (
            f'<circle cx="{across:.1f}" cy="{foot - key.radius:.1f}" r="{key.radius:.2f}" fill="none" '
            f'stroke="{svg_map.INK}" stroke-width=".8"/>'
        )
        yield svg_map.text(across + 36, foot - 2 * key.radius + 4, f"{key.label} {unit}", size=9)


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:]
