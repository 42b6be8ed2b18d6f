"""Coverage as a Folium map: frozen results in, a map out; writes and opens nothing.

The map is a `folium.Map` whose page is our own: its only scripts are Leaflet, the marker
clusters and `portee-map.js`, all served beside it. Folium writes the map, its base layer and its
first view; the page hands the data to our script as JSON, and the script shows it as text.
Nothing that comes from data passes through Folium's own templates, which are compiled a second
time when rendered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import folium
import shapely
from branca.element import Element, Figure, MacroElement
from folium.template import Template
from markupsafe import Markup

from geo.coverage.measure import Coverage, TerritoryCoverage
from geo.sites.model import Site
from geo.sites.text import fold
from geo.snapshot import Snapshot
from geo.territory.model import Commune, TerritoryKind
from geo.wording import dates, figures, names, site_phrases
from geo.wording.language import french_count
from static_maps import csp, style
from static_maps.page_data import flags, hours, page_data
from static_maps.page_shell import SHELL_STYLE, STATIC_PAGES, french_shell, template_environment
from static_maps.settings import MapSettings

Link = tuple[str, str]
"""What a link says, and where it leads."""

TEMPLATES: Final = template_environment()
TEMPLATES.globals.update(
    style=style,
    dates=dates,
    figures=figures,
    names=names,
    french_count=french_count,
    site_phrases=site_phrases,
    site_flags=flags,
    site_hours=hours,
)


def coverage_map(
    coverage: Coverage,
    *,
    settings: MapSettings,
    assets_url: str = "static",
    downloads: Sequence[Link] = (),
    links: Mapping[str, str] = STATIC_PAGES,
) -> folium.Map:
    """Draw communes coloured by the median time to their nearest site, and the sites.

    Parameters
    ----------
    assets_url
        Where the page finds `vendor/` and `assets/`: relative for a folder of files,
        "/static" behind the API.
    downloads
        Links offered under the map: label and address.
    links
        Pages of the menu: key → address.

    Returns
    -------
    The map; `render_page` gives its whole page. The same arguments give the same bytes.
    """
    canvas = Canvas(coverage.frame.snapshot, settings, assets_url)
    page = _CoverageMapPage(coverage, settings, assets_url, downloads, links)
    page.add_child(canvas, name="map")
    return canvas


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """A page as text, and the Content-Security-Policy under which it works.

    The page states the policy itself, for hosts that send no headers; a server sends it as well.
    """

    html: str
    security_policy: str


def render_page(canvas: folium.Map) -> WrittenPage:
    """The page of a map that `coverage_map` drew."""
    page = canvas.get_root()
    if not isinstance(page, _CoverageMapPage):
        raise TypeError("This map was not drawn by `coverage_map`.")
    return WrittenPage(page.render(), page.security_policy())


class Canvas(folium.Map):
    """A Folium map with our assets only, and names that do not change from run to run."""

    _template = Template(
        """
        {% macro html(this, kwargs) %}
            <div class="folium-map" id="{{ this.get_name() }}"></div>
        {% endmacro %}
        {% macro script(this, kwargs) %}
            var {{ this.get_name() }} = L.map("{{ this.get_name() }}", {{ this.options|tojavascript }});
        {% endmacro %}
        """
    )

    def __init__(self, snapshot: Snapshot, settings: MapSettings, assets_url: str) -> None:
        super().__init__(tiles=None, zoom_control=False)
        self._id = "portee"
        # Folium gives its zoom bounds to the base layer alone; without one, clusters need them here.
        self.options = {
            "zoom_control": False,
            "zoom_snap": 0.5,
            "min_zoom": 6,
            "max_zoom": settings.tiles_max_zoom,
        }
        vendor = f"{escape(assets_url)}/vendor"
        self.default_js = [
            ("leaflet", f"{vendor}/leaflet/leaflet.js"),
            ("markercluster", f"{vendor}/leaflet.markercluster/leaflet.markercluster.js"),
            ("map_base", f"{escape(assets_url)}/assets/map-base.js"),
            ("figures", f"{escape(assets_url)}/assets/figures.js"),
            ("portee", f"{escape(assets_url)}/assets/portee-map.js"),
        ]
        self.default_css = [
            ("leaflet_css", f"{vendor}/leaflet/leaflet.css"),
            ("markercluster_css", f"{vendor}/leaflet.markercluster/MarkerCluster.css"),
            *own_styles(assets_url, "portee-map.css"),
        ]
        if settings.tiles_url:
            base = folium.TileLayer(
                settings.tiles_url,
                name="base",
                attr=_as_html(settings.tiles_attribution),
                max_zoom=settings.tiles_max_zoom,
                max_native_zoom=settings.tiles_max_zoom,
            )
            base._id = "base"
            self.add_child(base)
        west, south, east, north = _bounds(snapshot)
        self.fit_bounds([[south, west], [north, east]], padding=[8, 8])  # Leaflet wants latitude first
        self.add_child(_Layers())  # type: ignore[no-untyped-call]


def own_styles(assets_url: str, *names: str) -> list[tuple[str, str]]:
    """Style sheets of ours that a page with a map loads, in order, as Folium lists them."""
    names = ("leaflet-theme.css", *names)
    return [(name, f"{escape(assets_url)}/assets/{name}") for name in names]


class _Layers(MacroElement):
    """Hands the map and its base layer to our script, which draws what the page's data holds."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            portee.draw({{ this._parent.get_name() }});
        {% endmacro %}
        """
    )


class _CoverageMapPage(Figure):
    """The page around the map. Its template escapes what it writes and is compiled once."""

    _template = TEMPLATES.get_template("page.html")

    def __init__(
        self,
        coverage: Coverage,
        settings: MapSettings,
        assets_url: str,
        downloads: Sequence[Link],
        links: Mapping[str, str],
    ) -> None:
        snapshot = coverage.frame.snapshot
        super().__init__(title=settings.title)
        self.header = Element()  # without Folium's own meta tag
        self.header._parent = self
        self.snapshot = snapshot
        self.settings = settings
        self.shell = french_shell(snapshot, "map", links=links, assets_url=assets_url)
        self.downloads = downloads
        self.coverage = coverage
        [self.summary] = coverage.by_territory(TerritoryKind.DEPARTEMENT)
        self.by_commune = coverage.by_territory(TerritoryKind.COMMUNE)
        self.method = method_text(coverage)
        self.data = page_data(coverage, tolerance_m=settings.tolerance_m)
        self.unlocated = sum(not site.located for site in snapshot.sites)
        self.beyond = any("beyond" in site for site in self.data["sites"])

    def commune_rows(self) -> list[tuple[Commune, str, TerritoryCoverage]]:
        """Communes by name, each with the name of its nearest site and its coverage."""
        by_code = {r.code: r for r in self.by_commune}
        rows = []
        for commune in sorted(self.snapshot.territory.communes, key=lambda c: (fold(c.name), c.code)):
            row = by_code[commune.code]
            nearest = row.nearest_site_id
            rows.append((commune, self.snapshot.site(nearest).nom if nearest else "", row))
        return rows

    def site_rows(self) -> list[Site]:
        """Sites by commune, then name."""
        return sorted(self.snapshot.sites, key=lambda s: (fold(s.commune), fold(s.nom), s.id))

    def json_block(self) -> Markup:
        """The data as JSON that cannot end its `<script>` block or open a comment in it."""
        return csp.json_block(self.data)

    def inline_script(self) -> Markup:
        """Folium's own script: constants and settings only."""
        return Markup(self.script.render())  # noqa: S704

    def security_policy(self) -> str:
        """What the page may load: itself, its own folder, Folium's one script, the tiles."""
        return csp.content_security_policy(
            scripts=[self.inline_script()],
            styles=[SHELL_STYLE],
            tiles_origin=self.settings.tiles_origin,
            own_scripts=True,
        )


def method_text(coverage: Coverage) -> str:
    """How times are computed: « par la route (2026) », « à vol d'oiseau × 1,3 »."""
    travel = coverage.frame.travel
    if travel.graph is None:
        return f"{travel.label} × {figures.exact(travel.detour_factor)}"
    return f"par la route ({travel.graph.about.vintage})"


def _as_html(text: str) -> str:
    """Text for a place that Folium compiles as a template and Leaflet writes as HTML."""
    return escape(text).replace("{", "&#123;")


def _bounds(snapshot: Snapshot) -> tuple[float, float, float, float]:
    """West, south, east and north of the territory, degrees."""
    west, south, east, north = shapely.total_bounds([c.boundary for c in snapshot.territory.communes])
    return float(west), float(south), float(east), float(north)
