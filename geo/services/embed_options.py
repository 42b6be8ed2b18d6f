"""Extra query parameters of embedded pages: a stable public contract (docs/embed.md).

The names of version 1 keep their meaning for good; a new meaning takes a new version. An address of
a later version than this service knows is read by the rules of the latest it knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode

from geo.errors import UnknownTerritory
from geo.services import search_state
from geo.services.search_state import MAX_PARAMETERS, SearchState, UnusableValue, clean
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
        Commune or grouping whose sites are listed as long as no origin is given.
    view
        One of `VIEWS`; "" where the address does not say: both.
    centre
        Longitude and latitude, degrees WGS 84, of the map's first view.
    accent
        Colour of buttons and links, as « #123f83 »; "" for the usual one.
    """

    territory: Grouping | None = None
    view: str = ""
    centre: tuple[float, float] | None = None
    zoom: float = ZOOM
    accent: str = ""
    logo: bool = True
    title: str = ""

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return the options as query parameters: the version, then values that are not the default."""
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
        """Return the address of a page with these options and in this state."""
        return f"{path}?{urlencode([*self.pairs(), *asked.pairs()])}"


def read(query: bytes, territory: Territory) -> tuple[SearchState, Embedded, tuple[UnusableValue, ...]]:
    """Parse the query string of an embedded page; unusable values are reported and ignored."""
    state, unusable = search_state.read(query)
    try:
        given = parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return state, Embedded(), unusable
    reader = _OptionReader(given)
    if reader.value("v", str(VERSION)) != str(VERSION):
        reader.refuse("v", LATER)
    embedded = Embedded(
        territory=reader.territory(territory),
        view=reader.one_of("vue", VIEWS),
        centre=reader.centre(),
        zoom=reader.zoom(),
        accent=reader.accent(),
        logo=reader.one_of("logo", ("oui", "non")) != "non",
        title=reader.value("titre"),
    )
    return state, embedded, (*unusable, *reader.unusable)


class _OptionReader:
    """Reads the options of an embedded page, and collects the values that cannot be used."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.unusable: list[UnusableValue] = []
        self._values: dict[str, str] = {}
        for name, value in pairs:
            if name in NAMES and (value := clean(value)):
                self._values.setdefault(name, value)

    def value(self, name: str, default: str = "") -> str:
        return self._values.get(name, default)

    def refuse(self, name: str, reason: str = search_state.UNKNOWN_CHOICE) -> None:
        self.unusable.append(UnusableValue(name, self._values[name][:60], reason))

    def one_of(self, name: str, choices: Sequence[str]) -> str:
        value = self.value(name)
        if value and value not in choices:
            self.refuse(name)
            return ""
        return value

    def territory(self, territory: Territory) -> Grouping | None:
        code = self.value("territoire")
        if not code:
            return None
        try:
            return territory.find(code)
        except UnknownTerritory:
            self.refuse("territoire", BAD_TERRITORY)
            return None

    def centre(self) -> tuple[float, float] | None:
        text = self.value("centre")
        centre = search_state.parse_position(text) if text else None
        if text and centre is None:
            self.refuse("centre", BAD_CENTRE)
        return centre

    def zoom(self) -> float:
        text = self.value("zoom")
        if not text:
            return ZOOM
        if text.isascii() and text.isdigit() and len(text) < 3 and int(text) in ZOOMS:
            return float(text)
        self.refuse("zoom", BAD_ZOOM)
        return ZOOM

    def accent(self) -> str:
        text = self.value("couleur")
        colour = text.removeprefix("#").lower()
        if not text:
            return ""
        if len(colour) != 6 or set(colour) - set("0123456789abcdef"):
            self.refuse("couleur", BAD_COLOUR)
        elif contrast_with_white(colour) < READABLE:
            self.refuse("couleur", PALE_COLOUR)
        else:
            return f"#{colour}"
        return ""


def contrast_with_white(colour: str) -> float:
    """Return the contrast of a colour, six hexadecimal digits, with white: from 1 to 21 (WCAG 2.2)."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (0, 2, 4))
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
