"""What a page is asked: all of its state, read from an address and written back to one.

Names are plain French words, for they are read in a shared link; each is checked, and what can't be
used is told on the page instead of being dropped in silence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from api.parameters import MAX_PARAMETERS
from api.residents.choices import CHOICES, WORDS_NAME
from geo.matching.criteria import ANYTHING, GROUPS, Criteria
from geo.matching.ranking import WHEN
from geo.reach.modes import Mode
from geo.wording.language import LANGUAGES, N_, SOURCE, Language

MAX_TEXT: Final = 200
PAGE: Final = 10
"""Sites listed at first."""
MOST: Final = 200

MODES: Final = {"voiture": Mode.CAR, "velo": Mode.BICYCLE, "pied": Mode.FOOT}
_MODE_CODES: Final = {mode: code for code, mode in MODES.items()}

POSITION_DECIMALS: Final = 3
"""Of a position in degrees: some hundred metres, enough to find who is near."""

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SearchState:
    """The state of a page.

    Attributes
    ----------
    text
        What was typed: an address, a commune, a postcode.
    place
        Identifier of the place chosen among those the text may mean; "" lets the best be taken.
    position
        Longitude and latitude, degrees WGS 84, of « près de moi ».
    when
        Code of the hours asked for; "" for any.
    count
        Sites listed.
    """

    text: str = ""
    place: str = ""
    position: tuple[float, float] | None = None
    wishes: Criteria = ANYTHING
    when: str = ""
    mode: Mode = Mode.CAR
    count: int = PAGE
    language: str = SOURCE

    @property
    def anywhere(self) -> bool:
        """Whether a place is given."""
        return bool(self.text or self.place or self.position)

    def pairs(self) -> Pairs:
        """The state as an address bears it: nothing empty, nothing that is the default."""
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
        """The address of a page in this state, or in one that differs by `changes`."""
        pairs = (replace(self, **changes) if changes else self).pairs()  # type: ignore[arg-type]
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def without(self, group: str, code: str = "") -> SearchState:
        """The state without a wish, or without a whole group of them."""
        if group == WHEN:
            return replace(self, when="")
        if group == WORDS_NAME:
            return replace(self, wishes=replace(self.wishes, words=""))
        chosen = tuple(each for each in self.wishes.chosen if each[0] != group or (code and each[1] != code))
        return replace(self, wishes=replace(self.wishes, chosen=chosen))

    def chosen(self) -> list[tuple[str, str]]:
        """Groups and codes in force, in the order they are offered."""
        found = [(name, code) for name in CHOICES for code in self.wishes.of(name)]
        return [*([(WHEN, self.when)] if self.when else []), *found]


@dataclass(frozen=True)
class UnusableValue:
    """A part of an address that can't be used: its name, what it held, and why."""

    name: str
    value: str
    reason: str

    def said(self, _: Language) -> str:
        """A sentence for the reader."""
        return _(self.reason, name=self.name, value=self.value)


UNKNOWN_CHOICE: Final = N_("« %(value)s » n'est pas un choix possible de « %(name)s » : il n'est pas compté.")
BAD_POSITION: Final = N_("La position « %(value)s » ne peut être lue : écrivez votre commune.")
UNREADABLE: Final = N_("Une partie de l'adresse de cette page ne peut être lue : elle n'est pas comptée.")


def read(query: bytes) -> tuple[SearchState, tuple[UnusableValue, ...]]:
    """Read a query; names that are not the page's are passed over."""
    unusable: list[UnusableValue] = []
    try:
        given = parse_qsl(query.decode("ascii"), errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return SearchState(), (UnusableValue("", "", UNREADABLE),)
    values: dict[str, list[str]] = {}
    for name, value in given:
        if value := clean(value):
            values.setdefault(name, []).append(value)

    def one(name: str) -> str:
        return values.get(name, [""])[0]

    def refuse(name: str, value: str, reason: str = UNKNOWN_CHOICE) -> None:
        unusable.append(UnusableValue(name, value[:60], reason))

    chosen = set()
    for name, group in GROUPS.items():
        for code in values.get(name, ()):
            if code in group.tests:
                chosen.add((name, code))
            else:
                refuse(name, code)
    when = one(WHEN)
    if when and when not in CHOICES[WHEN].labels:
        refuse(WHEN, when)
        when = ""
    mode = one("mode")
    if mode and mode not in MODES:
        refuse("mode", mode)
    position = None
    if one("pos"):
        position = parse_position(one("pos"))
        if position is None:
            refuse("pos", one("pos"), BAD_POSITION)
    count = one("n")
    if count and not (count.isascii() and count.isdigit()):
        refuse("n", count)
        count = ""
    code = one("lang")
    asked = SearchState(
        text="" if position else one("ou"),
        place="" if position else one("lieu"),
        position=position,
        wishes=Criteria(tuple(sorted(chosen)), one(WORDS_NAME)),
        when=when,
        mode=MODES.get(mode, Mode.CAR),
        count=min(max(int(count[:6]), 1), MOST) if count else PAGE,
        language=code if code in LANGUAGES else SOURCE,
    )
    return asked, tuple(unusable)


def clean(text: str) -> str:
    """Text on one line, without what no one types, cut when too long."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[: MAX_TEXT * 2]).split())[:MAX_TEXT]


def parse_position(text: str) -> tuple[float, float] | None:
    """Longitude and latitude of « latitude,longitude »."""
    parts = text.split(",")
    try:
        latitude, longitude = map(float, parts)
    except ValueError:
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return round(longitude, POSITION_DECIMALS), round(latitude, POSITION_DECIMALS)
