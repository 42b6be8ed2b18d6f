"""The state of a residents' page: parsed from its address, and written back to one.

Names of parameters are plain French words, since people read them in shared links. A value that cannot
be used is reported on the page.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from geo.matching.choices import CHOICES, WORDS_NAME
from geo.matching.criteria import GROUPS, Criteria
from geo.matching.ranking import WHEN
from geo.reach.modes import Mode
from geo.services.find_help import HelpQuery
from geo.wording.language import LANGUAGES, N_, SOURCE, Language

MAX_TEXT: Final = 200
MAX_PARAMETERS: Final = 100
PAGE: Final = 10
"""Sites listed at first."""
COUNT_MAX: Final = 200

MODES: Final = {"voiture": Mode.CAR, "velo": Mode.BICYCLE, "pied": Mode.FOOT}
_MODE_CODES: Final = {mode: code for code, mode in MODES.items()}

POSITION_DECIMALS: Final = 3
"""Of a position in degrees: some hundred metres, enough to find who is near."""

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SearchState(HelpQuery):
    """The state of a page: what is asked, and how the answer is shown.

    Attributes
    ----------
    count
        Sites listed.
    """

    count: int = PAGE
    language: str = SOURCE

    @property
    def anywhere(self) -> bool:
        """Whether a place is given."""
        return bool(self.text or self.place or self.position)

    def pairs(self) -> Pairs:
        """Return the state as query parameters, without empty and default values."""
        found: list[tuple[str, str]] = []
        if self.position:
            longitude, latitude = self.position
            found.append(("pos", f"{latitude:.{POSITION_DECIMALS}f},{longitude:.{POSITION_DECIMALS}f}"))
        else:
            found += [("ou", self.text), ("lieu", self.place)]
        for name in CHOICES:
            if name == WHEN:
                found.append((WHEN, self.when))
            else:
                found += [(name, code) for code in self.wishes.of(name)]
        found.append((WORDS_NAME, self.wishes.words))
        found.append(("mode", "" if self.mode is Mode.CAR else _MODE_CODES[self.mode]))
        found.append(("n", "" if self.count == PAGE else str(self.count)))
        found.append(("lang", "" if self.language == SOURCE else self.language))
        return tuple((name, value) for name, value in found if value)

    def address(self, path: str = "/", **changes: object) -> str:
        """Return the address of a page in this state, or in one that differs by `changes`."""
        pairs = (replace(self, **changes) if changes else self).pairs()  # type: ignore[arg-type]
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def without(self, group: str, code: str = "") -> SearchState:
        """Return the state without one criterion, or without a whole group of them."""
        if group == WHEN:
            return replace(self, when="")
        if group == WORDS_NAME:
            return replace(self, wishes=replace(self.wishes, words=""))
        chosen = tuple(each for each in self.wishes.chosen if each[0] != group or (code and each[1] != code))
        return replace(self, wishes=replace(self.wishes, chosen=chosen))

    def chosen(self) -> list[tuple[str, str]]:
        """Return the active groups and codes, in the order they are offered."""
        found = [(name, code) for name in CHOICES for code in self.wishes.of(name)]
        return [*([(WHEN, self.when)] if self.when else []), *found]


@dataclass(frozen=True)
class UnusableValue:
    """A query parameter that cannot be used: its name, its value, and why."""

    name: str
    value: str
    reason: str

    def message(self, _: Language) -> str:
        """Return a sentence for the reader."""
        return _(self.reason, name=self.name, value=self.value)


UNKNOWN_CHOICE: Final = N_("« %(value)s » n'est pas un choix possible de « %(name)s » : il n'est pas compté.")
BAD_POSITION: Final = N_("La position « %(value)s » ne peut être lue : écrivez votre commune.")
UNREADABLE: Final = N_("Une partie de l'adresse de cette page ne peut être lue : elle n'est pas comptée.")


def read(query: bytes) -> tuple[SearchState, tuple[UnusableValue, ...]]:
    """Parse a query string; unknown names are ignored, unusable values are reported."""
    try:
        given = parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return SearchState(), (UnusableValue("", "", UNREADABLE),)
    reader = _QueryReader(given)
    # In this order the page lists what it cannot use.
    criteria = reader.criteria()
    when = reader.one_of(WHEN, CHOICES[WHEN].labels)
    mode = MODES.get(reader.one_of("mode", MODES), Mode.CAR)
    position = reader.position()
    state = SearchState(
        text="" if position else reader.first("ou"),
        place="" if position else reader.first("lieu"),
        position=position,
        wishes=criteria,
        when=when,
        mode=mode,
        count=reader.count(),
        language=code if (code := reader.first("lang")) in LANGUAGES else SOURCE,
    )
    return state, tuple(reader.unusable)


class _QueryReader:
    """Reads the parameters of a page, and collects the values that cannot be used."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.unusable: list[UnusableValue] = []
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            if value := clean(value):
                self._values.setdefault(name, []).append(value)

    def first(self, name: str) -> str:
        return self._values.get(name, [""])[0]

    def refuse(self, name: str, value: str, reason: str = UNKNOWN_CHOICE) -> None:
        self.unusable.append(UnusableValue(name, value[:60], reason))

    def one_of(self, name: str, codes: Container[str]) -> str:
        value = self.first(name)
        if value and value not in codes:
            self.refuse(name, value)
            return ""
        return value

    def criteria(self) -> Criteria:
        chosen = set()
        for name, group in GROUPS.items():
            for code in self._values.get(name, ()):
                if code in group.tests:
                    chosen.add((name, code))
                else:
                    self.refuse(name, code)
        return Criteria(tuple(sorted(chosen)), self.first(WORDS_NAME))

    def position(self) -> tuple[float, float] | None:
        text = self.first("pos")
        position = parse_position(text) if text else None
        if text and position is None:
            self.refuse("pos", text, BAD_POSITION)
        return position

    def count(self) -> int:
        text = self.first("n")
        if not text:
            return PAGE
        if not (text.isascii() and text.isdigit()):
            self.refuse("n", text)
            return PAGE
        return min(max(int(text[:6]), 1), COUNT_MAX)


def clean(text: str) -> str:
    """Return text on one line, without control characters, cut at `MAX_TEXT` characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[: MAX_TEXT * 2]).split())[:MAX_TEXT]


def parse_position(text: str) -> tuple[float, float] | None:
    """Return the longitude and latitude of « latitude,longitude », or None."""
    parts = text.split(",")
    try:
        latitude, longitude = map(float, parts)
    except ValueError:
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return round(longitude, POSITION_DECIMALS), round(latitude, POSITION_DECIMALS)
