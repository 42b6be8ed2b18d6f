"""The planner's form: what each control shows, and the addresses that say the same question.

The whole state of the page is in its address; a form is read back from the pairs of its query.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import urlencode

import numpy as np

from geo.coverage.analysis_context import AnalysisContext
from geo.coverage.measure import Question
from geo.hours.weekly import Slot
from geo.reach.modes import Mode
from geo.sites import standard
from geo.sites.filters import BOOLEAN_FIELDS
from geo.sites.text import fold
from geo.territory.model import TerritoryKind

Pairs = tuple[tuple[str, str], ...]
Choice = tuple[str, str]
"""A value, and the French words for it."""

PATH: Final = "/planifier"
DAYS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
SLOTS: Final[tuple[Choice, ...]] = (
    ("maintenant", "maintenant"),
    ("soir", "le soir en semaine (à 18 h ou après)"),
    *((day, f"le {day}") for day in DAYS),
)
LISTS: Final[dict[str, tuple[str, ...]]] = {
    "services": standard.SERVICES,
    "frais_a_charge": standard.FRAIS,
    "publics_specifiquement_adresses": standard.PUBLICS,
    "dispositif_programmes_nationaux": standard.DISPOSITIFS,
    "formations_labels": standard.FORMATIONS,
}
TICKS: Final = ("pass_numerique", "acces_fauteuil")
"""Filters the form has a control for: one value each, from the standard's lists; or "true"."""

KINDS: Final[dict[TerritoryKind, str]] = {
    TerritoryKind.COMMUNE: "commune",
    TerritoryKind.CANTON: "canton",
    TerritoryKind.EPCI: "intercommunalité",
    TerritoryKind.ARRONDISSEMENT: "arrondissement",
}
SORTED_FROM_HIGHEST: Final[dict[str, bool]] = {
    "rang": False,
    "nom": False,
    "ecart": True,
    "audela": True,
    "part": False,
    "temps": True,
    "offre": False,
    "heures": False,
    "lieux": False,
    "habitants": True,
}
"""Column → whether its worst value, listed first, is the highest. A leading "-" reverses the order."""

ORDERS: Final = (*SORTED_FROM_HIGHEST, *(f"-{key}" for key in SORTED_FROM_HIGHEST))
LAYERS: Final = ("temps", "carreaux", "audela", "offre", "ecarts", "avant-apres")
"""What the map may show, by the name it has in the address."""

_CODES: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY: Final = 24 * 60
_CONTROLS: Final = frozenset(
    {"mode", "slot", "minutes", "beyond_min", "population", "weights", "supply", "decay", "kind"}
)


@dataclass(frozen=True)
class PlannerForm:
    """The form as an address fills it in.

    Attributes
    ----------
    pairs
        Names and values of the address, in its order; nothing empty, nothing that is the default.
    """

    pairs: Pairs
    question: Question
    kind: TerritoryKind
    frame: AnalysisContext

    # ---- What the controls offer

    services: tuple[Choice, ...] = tuple((v, v) for v in standard.SERVICES)
    costs: tuple[Choice, ...] = tuple((v, v) for v in standard.FRAIS)
    publics: tuple[Choice, ...] = tuple((v, v) for v in standard.PUBLICS)
    programmes: tuple[Choice, ...] = tuple((v, v) for v in standard.DISPOSITIFS)
    labels: tuple[Choice, ...] = tuple((v, v) for v in standard.FORMATIONS)
    slots: tuple[Choice, ...] = SLOTS
    kinds: tuple[tuple[str, str], ...] = tuple((k.value, label) for k, label in KINDS.items())

    @property
    def modes(self) -> list[tuple[str, str, bool]]:
        """Value, words, and whether the roads do not know this mode."""
        return [(m.value, m.label, m not in self.frame.travel.modes) for m in Mode]

    @property
    def ages_known(self) -> bool:
        """Whether those aged 65 or over can be counted."""
        return not np.isnan(self.frame.people.aged_65).all()

    @property
    def populations(self) -> list[tuple[str, str, bool]]:
        """Return value, label, and whether the loaded population lacks it."""
        return [("all", "tout le monde", False), ("65", "65 ans et plus", not self.ages_known)]

    # ---- What is chosen

    def chosen(self, name: str) -> str:
        """The value a control shows; "" when nothing is chosen."""
        if name in ("mode", "population"):
            return str(getattr(self.question, name))
        if name == "slot":
            return self._slot[0]
        return dict(self.question.filter.conditions).get(name, ("",))[0]

    @property
    def hour(self) -> str:
        """Time of the day of the slot, HH:MM; "" without one."""
        return self._slot[1]

    def weight(self, code: str) -> str:
        """Weight of an indicator, in percent; "" for none."""
        found = dict(self.question.weights).get(code, 0)
        return f"{found * 100:g}" if found else ""

    @property
    def advanced(self) -> bool:
        """Whether a setting of the closed part differs from its default."""
        return any(name in ("minutes", "supply", "decay") for name, _ in self.pairs)

    @cached_property
    def _slot(self) -> tuple[str, str]:
        text = self.question.slot.text if self.question.slot else ""
        day, _, hour = text.partition(" ")
        return day, hour

    # ---- What no control shows, and goes along

    @cached_property
    def hidden_pairs(self) -> tuple[Choice, ...]:
        """Pairs of the address that no control carries: sent along, hidden."""
        shown = {(name, fold(self.chosen(name))) for name in LISTS}
        shown |= {(name, "true") for name in TICKS}
        return tuple((n, v) for n, v in self.pairs if n not in _CONTROLS and (n, fold(v)) not in shown)

    @property
    def others(self) -> list[tuple[str, str]]:
        """Filters no control shows: their words, and the address without each."""
        return [
            (f"{name} : {value}", address(tuple(p for p in self.pairs if p != (name, value))))
            for name, value in self.hidden_pairs
            if name not in ("tri", "couche", "edits")
        ]

    # ---- The table's order

    @property
    def order(self) -> str:
        """The order asked for: a column, with "-" before it when turned round."""
        return dict(self.pairs).get("tri", "rang")

    @property
    def sorted_by(self) -> str:
        """Column the table is sorted by."""
        return self.order.removeprefix("-")

    @property
    def descending(self) -> bool:
        """Whether the highest comes first."""
        return SORTED_FROM_HIGHEST[self.sorted_by] != self.order.startswith("-")

    def order_after(self, key: str) -> str:
        """The order a click on a column's title asks for."""
        return f"-{key}" if self.order == key else key

    # ---- Addresses

    def address(self, **changes: str) -> str:
        """The page's address with some values changed."""
        return address((*(p for p in self.pairs if p[0] not in changes), *changes.items()))

    def asked(self, path: str, *extra: Choice, leave: Sequence[str] = (), keep_edits: bool = False) -> str:
        """Another address that asks the same question, with some pairs more and some left out."""
        dropped = {"tri", "couche", *leave, *(() if keep_edits else ("edits",))}
        query = urlencode([*(p for p in self.pairs if p[0] not in dropped), *extra])
        return f"{path}?{query}" if query else path


def address(pairs: Pairs) -> str:
    """The page's address for some pairs."""
    return f"{PATH}?{urlencode(pairs)}" if pairs else PATH


def question_facts(question: Question) -> dict[str, object]:
    """Facts a site needs to meet a question's filters, as a what-if's `open` takes them.

    Filters on anything else (a name, a commune) are left out: no opened site can promise them.
    """
    facts: dict[str, object] = {}
    for name, values in question.filter.conditions:
        if name in standard.ENUMERATIONS:
            facts[name] = [values[0]]
        elif name in BOOLEAN_FIELDS:
            facts[name] = values[0] == "true"
    return facts


def slot_hours(slot: Slot | None) -> str:
    """Opening hours, in OpenStreetMap's syntax, that fall in a slot: some two or three; "" without one."""
    if slot is None:
        return ""
    days: dict[tuple[int, int], list[str]] = {}
    for start, end in slot.windows:
        day, at = divmod(start, _DAY)
        whole = end - start >= _DAY
        opens = 9 * 60 if whole else at // 60 * 60
        closes = 12 * 60 if whole else min(opens + 120, _DAY)
        days.setdefault((opens, closes), []).append(_CODES[day])
    return "; ".join(f"{','.join(names)} {_clock(a)}-{_clock(b)}" for (a, b), names in days.items())


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
