"""What an embedded page is asked besides: a promise to the sites that bear its address (docs/embed.md).

Version 1 of these names means for good what it means today. A new meaning takes a new version; an
address of a later version than this service knows is read by the rules of the latest it knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from api.parameters import MAX_PARAMETERS
from api.residents import search_state
from api.residents.find import Results
from api.residents.search_state import SearchState, UnusableValue, clean
from geo.errors import UnknownTerritory
from geo.matching.ranking import RankedSite
from geo.territory.model import Grouping, Territory
from geo.wording.language import N_

VERSION: Final = 1
NAMES: Final = ("v", "territoire", "vue", "centre", "zoom", "couleur", "logo", "titre")
"""Names of version 1, besides those of the page `/`."""

LIST, MAP, BOTH = "liste", "carte", "les-deux"
VIEWS: Final = (BOTH, LIST, MAP)
ZOOMS: Final = range(5, 20)
ZOOM: Final = 11.0
READABLE: Final = 4.5
"""Contrast that text needs with what is behind it (WCAG 1.4.3)."""

BAD_COLOUR: Final = N_(
    "La couleur « %(value)s » ne peut être lue : écrivez six chiffres hexadécimaux, par exemple 123f83."
)
PALE_COLOUR: Final = N_(
    "La couleur « %(value)s » est trop pâle pour du texte : son contraste avec le blanc doit être "
    "d'au moins 4,5. Choisissez-la plus foncée."
)
BAD_TERRITORY: Final = N_(
    "Aucun territoire ne porte le code « %(value)s » : donnez celui d'une commune, d'un canton ou "
    "d'une intercommunalité."
)
LATER: Final = N_("La version « %(value)s » n'est pas connue ici : la page suit la version 1.")
BAD_CENTRE: Final = N_("Le centre « %(value)s » ne peut être lu : écrivez latitude,longitude.")
BAD_ZOOM: Final = N_("Le zoom « %(value)s » n'est pas un nombre de 5 à 19.")


@dataclass(frozen=True)
class Embedded:
    """How the embedded page looks, and what it is about.

    Attributes
    ----------
    territory
        Commune or grouping whose sites are listed while nobody says where they are.
    view
        One of `VIEWS`; "" where the address does not say: both.
    centre
        Longitude and latitude, degrees WGS 84, of the map's first view.
    accent
        Colour of what can be pressed, as « #123f83 »; "" for the usual one.
    """

    territory: Grouping | None = None
    view: str = ""
    centre: tuple[float, float] | None = None
    zoom: float = ZOOM
    accent: str = ""
    logo: bool = True
    title: str = ""

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The state as an address bears it: the version, then what is not the default."""
        found = [
            ("v", str(VERSION)),
            ("territoire", self.territory.code if self.territory else ""),
            ("vue", self.view),
            ("centre", f"{self.centre[1]:g},{self.centre[0]:g}" if self.centre else ""),
            ("zoom", f"{self.zoom:g}" if self.centre and self.zoom != ZOOM else ""),
            ("couleur", self.accent.removeprefix("#")),
            ("logo", "" if self.logo else "non"),
            ("titre", self.title),
        ]
        return tuple((name, value) for name, value in found if value)

    def address(self, path: str, asked: SearchState) -> str:
        """The address of a page in this state."""
        return f"{path}?{urlencode([*self.pairs(), *asked.pairs()])}"

    def bounded(self, results: Results) -> Results:
        """What was found, within the territory while nobody says where they are.

        Once they do, whoever is nearest comes first, on either side of a border.
        """
        if self.territory is None or results.origin.found:
            return results
        codes = frozenset(self.territory.communes)

        def within(found: Iterable[RankedSite]) -> tuple[RankedSite, ...]:
            return tuple(each for each in found if each.site.code_insee in codes)

        answer = results.answer
        bounded = replace(
            answer,
            fits=within(answer.fits),
            maybes=within(answer.maybes),
            nearly=within(answer.nearly),
            freed=None,
        )
        return replace(results, answer=bounded)


def read(query: bytes, territory: Territory) -> tuple[SearchState, Embedded, tuple[UnusableValue, ...]]:
    """Read the query of an embedded page; what cannot be used is told, and not counted."""
    asked, unusable = search_state.read(query)
    refused = list(unusable)
    try:
        given = parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return asked, Embedded(), unusable
    values: dict[str, str] = {}
    for name, value in given:
        if name in NAMES and (value := clean(value)):
            values.setdefault(name, value)

    def refuse(name: str, reason: str = search_state.UNKNOWN_CHOICE) -> None:
        refused.append(UnusableValue(name, values[name][:60], reason))

    if values.get("v", str(VERSION)) != str(VERSION):
        refuse("v", LATER)
    grouping = None
    if code := values.get("territoire"):
        try:
            grouping = territory.find(code)
        except UnknownTerritory:
            refuse("territoire", BAD_TERRITORY)
    view = values.get("vue", "")
    if view and view not in VIEWS:
        refuse("vue")
        view = ""
    centre = None
    if "centre" in values:
        centre = search_state.parse_position(values["centre"])
        if centre is None:
            refuse("centre", BAD_CENTRE)
    zoom = ZOOM
    if text := values.get("zoom"):
        if text.isascii() and text.isdigit() and len(text) < 3 and int(text) in ZOOMS:
            zoom = float(text)
        else:
            refuse("zoom", BAD_ZOOM)
    accent = ""
    if text := values.get("couleur"):
        colour = text.removeprefix("#").lower()
        if len(colour) != 6 or set(colour) - set("0123456789abcdef"):
            refuse("couleur", BAD_COLOUR)
        elif contrast_with_white(colour) < READABLE:
            refuse("couleur", PALE_COLOUR)
        else:
            accent = f"#{colour}"
    logo = values.get("logo", "oui")
    if logo not in ("oui", "non"):
        refuse("logo")
    embedded = Embedded(grouping, view, centre, zoom, accent, logo != "non", values.get("titre", ""))
    return asked, embedded, tuple(refused)


def contrast_with_white(colour: str) -> float:
    """Contrast of a colour, six hexadecimal digits, with white: from 1 to 21 (WCAG 2.2)."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (0, 2, 4))
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
