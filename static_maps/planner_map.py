"""The planner's page: a question of coverage answered as figures, map, table and charts.

Frozen results in, a page out; it asks nothing of the database. Complete without JavaScript but for
the map and the what-ifs. As in `coverage_map`, nothing from data passes through Folium's own
templates: the page hands it over as JSON, and `planner.js` shows it as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from html import escape
from typing import Any, Final

import numpy as np
import orjson
import shapely
from branca.element import Element, Figure
from markupsafe import Markup
from numpy.typing import NDArray

from geo.coverage import equity, gaps
from geo.coverage.measure import Coverage, TerritoryCoverage
from geo.crs import WGS84, reproject
from geo.sites.text import fold
from geo.snapshot import Snapshot
from geo.territory.model import Commune, TerritoryKind
from geo.wording import dates, figures, names
from geo.wording.language import FRENCH
from static_maps import charts, csp, svg_map
from static_maps.coverage_map import TEMPLATES, Canvas, Link, WrittenPage, own_styles
from static_maps.page_data import hours, outline, units
from static_maps.page_shell import SHELL_STYLE, french_shell
from static_maps.planner_figures import SENTENCES_MAX, headline_figures
from static_maps.planner_form import PlannerForm, question_facts, slot_hours
from static_maps.settings import MapSettings
from static_maps.style import CHANGE_COLOURS, UNKNOWN_COLOUR
from static_maps.topology import SCALE

GAPS_SHOWN: Final = 20
PLACES_MAX: Final = 12_000
"""Populated places sent to the map at most, the most peopled first."""
TEMPLATES.globals.update(charts=charts)


def planner_page(
    snapshot: Snapshot,
    coverage: Coverage,
    form: PlannerForm,
    outline: bytes,
    *,
    settings: MapSettings,
    parameters: Mapping[str, object],
    downloads: Sequence[Link],
    assets_url: str = "/static",
) -> WrittenPage:
    """The planner's page for one question.

    Parameters
    ----------
    outline
        As `outline_json` writes it: the same for every question of a snapshot.
    parameters
        The question under the names the API gives its parameters; sent back with each what-if.
    downloads
        Links to the same figures as files: label and address.
    """
    page = _PlannerPage(snapshot, coverage, form, outline, settings, parameters, downloads, assets_url)
    page.add_child(_PlannerCanvas(snapshot, settings, assets_url), name="map")
    return WrittenPage(page.render(), page.security_policy())


def outline_json(snapshot: Snapshot, tolerance_m: float) -> bytes:
    """Boundaries of a snapshot's territory and neighbours, as the map's script reads them."""
    return orjson.dumps(outline(snapshot.territory, tolerance_m))


class _PlannerCanvas(Canvas):
    """The same map with the planner's script in place of the residents'."""

    def __init__(self, snapshot: Snapshot, settings: MapSettings, assets_url: str) -> None:
        super().__init__(snapshot, settings, assets_url)
        url = escape(assets_url)
        self.default_js = [
            ("leaflet", f"{url}/vendor/leaflet/leaflet.js"),
            ("map_base", f"{url}/assets/map-base.js"),
            ("figures", f"{url}/assets/figures.js"),
            ("portee", f"{url}/assets/planner.js"),
        ]
        self.default_css = [
            ("leaflet_css", f"{url}/vendor/leaflet/leaflet.css"),
            *own_styles(assets_url, "portee-map.css", "figures.css", "planner.css"),
        ]


class _PlannerPage(Figure):
    """The page around the map. Its template escapes what it writes and is compiled once."""

    _template = TEMPLATES.get_template("planner.html")

    def __init__(
        self,
        snapshot: Snapshot,
        coverage: Coverage,
        form: PlannerForm,
        outline: bytes,
        settings: MapSettings,
        parameters: Mapping[str, object],
        downloads: Sequence[Link],
        assets_url: str,
    ) -> None:
        super().__init__(title="Planifier l'aide au numérique")
        self.header = Element()  # without Folium's own meta tag
        self.header._parent = self
        self.snapshot = snapshot
        self.coverage = coverage
        self.question = coverage.question
        self.form = form
        self.kind = form.kind
        self.settings = settings
        self.shell = french_shell(snapshot, "planner", assets_url=assets_url)
        self.parameters = parameters
        self.downloads = downloads
        self.outline = outline
        self.method = coverage.frame.travel.label
        self.question_text = gaps.question_text(coverage)
        self.sentences_max = SENTENCES_MAX
        self.territories = coverage.by_territory(form.kind)
        self.gaps = gaps.gaps_of_communes(coverage)
        self.figures = headline_figures(coverage, self.gaps)
        self.hours_asked = slot_hours(self.question.slot)
        self.trend_address = form.asked("/api/v1/trend", leave=("kind",))

    @property
    def communes(self) -> list[Commune]:
        """Communes by name."""
        return sorted(self.snapshot.territory.communes, key=lambda c: (fold(c.name), c.code))

    @property
    def main_commune(self) -> str:
        """Code of the most peopled commune."""
        return max(self.snapshot.territory.communes, key=lambda c: c.population).code

    @property
    def kind_words(self) -> str:
        """The level, as a heading says it."""
        label = FRENCH.plural(self.kind.label, f"{self.kind.label}s", len(self.territories))
        return f"{label}, du plus grand écart au plus petit" if self._by_rank else label

    @property
    def _by_rank(self) -> bool:
        return self.form.order in ("rang", "ecart")

    @cached_property
    def sentences(self) -> dict[str, str]:
        """Sentence of each commune's gap, by code; none at other levels."""
        return {g.commune: g.sentence for g in self.gaps} if self.kind is TerritoryKind.COMMUNE else {}

    @cached_property
    def rows(self) -> list[tuple[TerritoryCoverage, float | None]]:
        """Territories in the order asked for, each with its share within `beyond_min`."""
        keyed = [(t, 1 - t.people_beyond / t.people if t.people > 0 else None) for t in self.territories]
        inf = float("inf")
        keys: dict[str, Callable[[TerritoryCoverage, float | None], Any]] = {
            "rang": lambda t, s: t.gap_rank or inf,
            "nom": lambda t, s: fold(t.name),
            "ecart": lambda t, s: t.gap,
            "audela": lambda t, s: t.people_beyond,
            "part": lambda t, s: 2.0 if s is None else s,
            "temps": lambda t, s: inf if t.median_min is None else t.median_min,
            "offre": lambda t, s: t.supply,
            "heures": lambda t, s: t.open_hours,
            "lieux": lambda t, s: t.site_count,
            "habitants": lambda t, s: t.people,
        }
        key = keys[self.form.sorted_by]
        keyed.sort(key=lambda r: fold(r[0].name))
        return sorted(keyed, key=lambda r: key(*r), reverse=self.form.descending)

    @property
    def histogram(self) -> str:
        """People by class of time, drawn."""
        classes = equity.by_time(self.coverage.seconds, self.coverage.people, self.question.minutes)
        return charts.histogram(
            classes,
            [key.colour for key in svg_map.time_keys(self.question.minutes)],
            identifier="histogramme",
        )

    @property
    def lorenz(self) -> str:
        """The Lorenz curve, drawn; "" where there is nothing to share."""
        curve = self.coverage.lorenz()
        return charts.lorenz_curve(curve, identifier="lorenz") if curve else ""

    def json_block(self) -> Markup:
        """The data as JSON that cannot end its `<script>` block or open a comment in it."""
        return csp.json_block(self.data())

    def data(self) -> dict[str, Any]:
        """Everything the page's script needs, as values JSON can hold.

        Coordinates are WGS 84, longitude first, in units of 1/`SCALE` degree; times are minutes.
        """
        territory = self.snapshot.territory
        row_of = {c: row for row, group in enumerate(self._groups) for c in group}
        return {
            "scale": SCALE,
            "territory": {
                "code": territory.code,
                "name": territory.name,
                "of_name": names.of_place(territory.name),
            },
            "outline": orjson.Fragment(self.outline),
            "communes": [
                {
                    "code": c.code,
                    "name": c.name,
                    "at_name": names.at_place(c.name),
                    "people": c.population,
                    "at": units(c.town_hall.x, c.town_hall.y),
                    "row": row_of.get(c.code, -1),
                }
                for c in territory.communes
            ],
            "kind": self.kind,
            "rows": [
                _row(t, self._centre(group)) for t, group in zip(self.territories, self._groups, strict=True)
            ],
            "places": self._places(),
            "gaps": [
                {"name": g.name, "at": at, "sentence": g.sentence}
                for g, at in zip(
                    self.gaps[:GAPS_SHOWN], self._degrees([g.xy for g in self.gaps[:GAPS_SHOWN]]), strict=True
                )
            ],
            "sites": self._sites(),
            "time": time_classes(self.question.minutes),
            "supply": supply_classes(self._mean_supply),
            "supply_unit": self.question.supply.label,
            "change": CHANGE_COLOURS,
            "unknown": UNKNOWN_COLOUR,
            "beyond_min": self.question.beyond_min,
            "question": dict(self.parameters),
            "suits": question_facts(self.question),
            "trend": self.trend_address,
            "source": self._source(),
        }

    def _source(self) -> str:
        """What the map was made from, and of when: a line below its legend."""
        snapshot, people = self.snapshot, self.coverage.frame.people
        roads = f" ({snapshot.roads.vintage})" if snapshot.roads and self.coverage.frame.travel.graph else ""
        counted = f" ({people.provenance.vintage})" if people.provenance else ""
        updated = (
            f"fiches jusqu'au {dates.long_date(snapshot.sites_updated)}" if snapshot.sites_updated else ""
        )
        parts = (f"{self.method}{roads}", f"{people.label}{counted}", updated)
        return f"{' · '.join(filter(None, parts))}."

    @property
    def _mean_supply(self) -> float:
        people = self.coverage.people
        return float(self.coverage.supply @ people / people.sum()) if people.sum() else 0.0

    @cached_property
    def _groups(self) -> list[tuple[str, ...]]:
        """Commune codes of each territory, in the order of `territories`."""
        find = self.snapshot.territory.find
        return [find(t.code, t.kind).communes for t in self.territories]

    def _centre(self, communes: Sequence[str]) -> list[int] | None:
        """Where a territory's circle is drawn: the town hall of its most peopled commune."""
        by_code = self.snapshot.territory.commune_by_code
        main = max((by_code[c] for c in communes), key=lambda c: c.population)
        return units(main.town_hall.x, main.town_hall.y)

    def _places(self) -> dict[str, list[int]] | None:
        """Populated cells: position, people, minutes (-1: out of reach); None for town halls."""
        people = self.coverage.frame.people
        if not people.cell_m:
            return None
        most = np.argsort(-self.coverage.people, kind="stable")[:PLACES_MAX]
        most = most[self.coverage.people[most] > 0]
        seconds = self.coverage.seconds[most]
        minutes = np.where(np.isfinite(seconds), np.ceil(seconds / 60), -1)
        return {
            "at": [v for at in self._degrees(people.xy[most]) for v in at],
            "people": np.maximum(1, np.rint(self.coverage.people[most])).astype(int).tolist(),
            "minutes": minutes.astype(int).tolist(),
        }

    def _degrees(self, xy: Sequence[tuple[float, float]] | NDArray[np.float64]) -> list[list[int]]:
        """Points of the metric CRS in units of the map."""
        if not len(xy):
            return []
        points = shapely.points(np.asarray(xy, dtype=np.float64))
        moved = reproject(points, source=self.snapshot.territory.metric_crs, target=WGS84)
        found: list[list[int]] = np.rint(shapely.get_coordinates(moved) * SCALE).astype(int).tolist()
        return found

    def _sites(self) -> list[dict[str, Any]]:
        counted = set(self.coverage.counted.tolist())
        suitable = set(self.coverage.suitable.tolist())
        return [
            {
                "id": site.id,
                "name": site.nom,
                "town": site.commune,
                "at": units(site.longitude, site.latitude) if site.located else None,
                "hours": hours(site),
                "state": 2 if row in counted else 1 if row in suitable else 0,
            }
            for row, site in enumerate(self.snapshot.sites)
        ]

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
            asks=True,
            submits=True,
        )


def time_classes(minutes: Sequence[int]) -> list[dict[str, Any]]:
    """Classes of time for the legend: upper bound (None: beyond the last), colour and words."""
    bounds = [*minutes, None, None]
    return [
        {"up_to": bound, "colour": key.colour, "label": key.label}
        for bound, key in zip(bounds, svg_map.time_keys(minutes), strict=True)
    ]


def supply_classes(mean: float) -> list[dict[str, Any]]:
    """Classes of accessible supply around its mean: upper bound, colour and words."""
    bounds = [*svg_map.supply_edges(mean), None]
    found = [
        {"up_to": bound, "colour": key.colour, "label": key.label}
        for bound, key in zip(bounds, svg_map.supply_keys(mean), strict=True)
    ]
    return found if mean else found[:1]


def _row(territory: TerritoryCoverage, centre: list[int] | None) -> dict[str, Any]:
    return {
        "code": territory.code,
        "name": territory.name,
        "at": centre,
        "people": round(territory.people),
        "minutes": None if territory.median_min is None else round(territory.median_min, 1),
        "time": figures.reach_minutes(territory.median_min),
        "beyond": round(territory.people_beyond),
        "supply": round(territory.supply, 3),
        "rank": territory.gap_rank,
    }
