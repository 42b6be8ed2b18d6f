"""Sites as a Folium map: what a list says, on a map; plain facts in, a page out.

The page stands alone or in a frame. Folium writes the map and its base layer from constants and
settings; sites go as JSON to `sites-map.js`, which shows them as text (see `coverage_map`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Final

import jinja2
import orjson
from branca.element import Element, Figure
from folium import FitBounds
from markupsafe import Markup

from geo.snapshot import Snapshot
from geo.territory.model import Territory
from geo.territory.simplify import simplified
from static_maps import csp
from static_maps.assets import OWN, VENDOR
from static_maps.coverage_map import TEMPLATES, Canvas, WrittenPage, own_styles
from static_maps.page_data import units
from static_maps.page_shell import SHELL_STYLE, PageShell
from static_maps.settings import MapSettings
from static_maps.topology import SCALE, topology

TOLERANCE_M: Final = 500.0
"""How far drawn boundaries may stray, in metres: they only say where one is."""

Point = tuple[float, float]
"""Longitude and latitude, degrees WGS 84."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A site on the map, as readers see it.

    Attributes
    ----------
    at
        Longitude and latitude, degrees WGS 84.
    dial
        What a `tel:` link dials; "" without a number.
    why
        Why this one, in one line.
    hours
        Opening hours, a line each, where `why` does not give them.
    notes
        What to know before going there.
    page
        Address of its page; "" for none.
    way
        Address that shows the way there.
    rank
        Its place in the list; None for a site that the list does not show.
    sure
        Whether it is known to fit.
    """

    id: str
    name: str
    at: Point
    phone: str = ""
    dial: str = ""
    why: str = ""
    hours: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    address: str = ""
    page: str = ""
    way: str = ""
    rank: int | None = None
    sure: bool = True


@dataclass(frozen=True, slots=True)
class MapTexts:
    """Sentences of the page in the language of its reader. `%s` stands for a name, `%n` for a number."""

    language: str
    title: str
    lead: str
    back: str
    map_label: str
    no_script: str
    demonstration: str
    listed: str
    fits: str
    place: str
    maybe: str
    several: str
    origin: str
    zoom_in: str
    zoom_out: str
    close: str
    call: str
    no_phone: str
    details: str
    directions: str
    wheel: str
    fingers: str


@dataclass(frozen=True, slots=True)
class MapView:
    """Where a map first looks.

    Attributes
    ----------
    zoom
        Of the Web Mercator pyramid.
    """

    at: Point
    zoom: float


@dataclass(frozen=True, slots=True)
class MapOrigin:
    """Where somebody is, and the name of that place."""

    at: Point
    name: str


def sites_map(
    snapshot: Snapshot,
    pins: Sequence[Pin],
    *,
    words: MapTexts,
    settings: MapSettings,
    outline: bytes,
    origin: MapOrigin | None = None,
    view: MapView | None = None,
    back: str = "",
    accent: str = "",
    assets_url: str = "/static",
    sealed: bool = False,
    shell: PageShell | None = None,
    templates: jinja2.Environment = TEMPLATES,
) -> WrittenPage:
    """Draw sites on a page.

    Parameters
    ----------
    outline
        Boundaries, as `outline_json` writes them: the same for every question of a snapshot.
    origin
        Where somebody is; the map first shows it and the sites of the list.
    view
        Where the map first looks instead.
    back
        Address of the list; "" for none.
    accent
        Colour of what can be pressed, as « #123f83 »; "" for the usual one.
    assets_url
        Where the page finds `vendor/` and `assets/`.
    sealed
        Write scripts and styles into the page: one file, which asks for nothing but tiles.
    shell
        What surrounds the map on a page of its own; None for the file that other sites embed.
    templates
        Environment with the translations of the shell.

    Returns
    -------
    The page and the Content-Security-Policy under which it works.
    """
    page = _SitesMapPage(snapshot, pins, words, settings, outline, origin, view, back, accent, sealed, shell)
    page._template = templates.get_template("sites_map.html")
    page.add_child(_SitesCanvas(snapshot, settings, assets_url, sealed), name="map")
    html = page.render()
    return WrittenPage(html, page.security_policy())


def outline_json(territory: Territory) -> bytes:
    """Boundaries as the map draws them: arcs between two communes, then those around the territory."""
    shapes = simplified(
        [c.boundary for c in territory.communes], epsg=territory.metric_crs, tolerance_m=TOLERANCE_M
    )
    shared = topology(shapes)
    sides = Counter(
        ref if ref >= 0 else ~ref for s in shared.shapes for polygon in s for ring in polygon for ref in ring
    )
    arcs: dict[bool, list[list[int]]] = {True: [], False: []}
    for at, arc in enumerate(shared.arcs):
        arcs[sides[at] > 1].append(arc)
    return orjson.dumps({"inner": arcs[True], "outer": arcs[False]})


OWN_SCRIPTS: Final = ("map-base.js", "sites-map.js")
SCRIPTS: Final = ("leaflet/leaflet.js", "leaflet.markercluster/leaflet.markercluster.js")
OWN_STYLES: Final = ("leaflet-theme.css", "sites-map.css")
STYLES: Final = ("leaflet/leaflet.css", "leaflet.markercluster/MarkerCluster.css")


class _SitesCanvas(Canvas):
    """The same map with the script of sites, which sets the first view once it has drawn."""

    def __init__(self, snapshot: Snapshot, settings: MapSettings, assets_url: str, sealed: bool) -> None:
        super().__init__(snapshot, settings, assets_url)
        url = escape(assets_url)
        self.default_js = [(name, f"{url}/vendor/{name}") for name in SCRIPTS]
        self.default_js += [(name, f"{url}/assets/{name}") for name in OWN_SCRIPTS]
        self.default_css = [(name, f"{url}/vendor/{name}") for name in STYLES]
        self.default_css += own_styles(assets_url, "sites-map.css")
        if sealed:
            self.default_js, self.default_css = [], []
        for name, child in list(self._children.items()):
            if isinstance(child, FitBounds):
                del self._children[name]


class _SitesMapPage(Figure):
    """The page around the map. Its template escapes what it writes and is compiled once."""

    def __init__(
        self,
        snapshot: Snapshot,
        pins: Sequence[Pin],
        words: MapTexts,
        settings: MapSettings,
        outline: bytes,
        origin: MapOrigin | None,
        view: MapView | None,
        back: str,
        accent: str,
        sealed: bool,
        shell: PageShell | None,
    ) -> None:
        super().__init__(title=words.title)
        self.header = Element()  # without Folium's own meta tag
        self.header._parent = self
        self.snapshot = snapshot
        self.pins = pins
        self.words = words
        self.settings = settings
        self.outline = Markup(outline.decode())  # noqa: S704 - numbers only
        self.origin = origin
        self.view = view
        self.back = back
        self.sealed = sealed
        self.shell = shell
        self.shell_style = SHELL_STYLE
        self.accent = Markup(f":root{{--deep:{escape(accent)}}}") if accent else Markup("")  # noqa: S704
        self.styles = [_file(VENDOR, name) for name in STYLES] if sealed else []
        self.scripts = [_file(VENDOR, name) for name in SCRIPTS] if sealed else []
        if sealed:
            self.styles += [_file(OWN, name) for name in OWN_STYLES]
            self.scripts.append(Markup("").join(_file(OWN, name) for name in OWN_SCRIPTS))

    def kinds(self) -> Mapping[str, bool]:
        """Which signs the legend explains."""
        return {
            "listed": any(pin.rank for pin in self.pins),
            "fits": any(pin.sure and not pin.rank for pin in self.pins),
            "maybe": any(not pin.sure for pin in self.pins),
        }

    def json_block(self) -> Markup:
        """The data as JSON that cannot end its `<script>` block or open a comment in it."""
        return csp.json_block(
            {
                "scale": SCALE,
                "words": asdict(self.words),
                "sites": [_pin_to_dict(pin) for pin in self.pins],
                "origin": {"at": units(*self.origin.at), "name": self.origin.name} if self.origin else None,
                "view": {"at": units(*self.view.at), "zoom": self.view.zoom} if self.view else None,
                "sealed": self.sealed,
            }
        )

    def inline_script(self) -> Markup:
        """Folium's own script: constants and settings only."""
        return Markup(self.script.render())  # noqa: S704

    def security_policy(self) -> str:
        """What the page may load: its own scripts and styles, Folium's one script, the tiles."""
        return csp.content_security_policy(
            scripts=[*self.scripts, self.inline_script()],
            styles=[SHELL_STYLE, *self.styles, *([self.accent] if self.accent else [])],
            tiles_origin=self.settings.tiles_origin,
            own_scripts=not self.sealed,
            own_styles=not self.sealed,
        )


def _file(folder: Any, name: str) -> Markup:
    """A file of ours, to be written in a page."""
    text: str = (folder / name).read_text("utf-8")
    return Markup(text)  # noqa: S704 - tested to hold no end of its element


def _pin_to_dict(pin: Pin) -> dict[str, Any]:
    """A site for JSON; what is not known is left out."""
    facts = {**asdict(pin), "at": units(*pin.at)}
    return {name: value for name, value in facts.items() if value not in ("", (), None)}
