"""Records of the account of a territory: figures by section, and how a figure reads in French."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from geo.territory.model import TerritoryKind
from geo.wording import figures
from geo.wording.language import FRENCH

DEMONSTRATION: Final = "Données de démonstration"
UNKNOWN: Final = figures.UNKNOWN
SECRET: Final = "non publié (secret statistique)"  # noqa: S105 - words for readers
CENTS: Final = "centimes"
CENTS_EACH: Final = "centimes par habitant"
SHARE: Final = "part"
"""Unit of shares in [0, 1], shown as percentages."""

_SINGULAR: Final = {
    "habitants": "habitant",
    "lieux": "lieu",
    "lieux pour 10 000 habitants": "lieu pour 10 000 habitants",
    "minutes": "minute",
    "personnes": "personne",
    "heures": "heure",
    "jours": "jour",
    "actions": "action",
    "appareils": "appareil",
    "foyers": "foyer",
    "séances": "séance",
}
"""Units below 2, where the French word changes."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the account.

    Attributes
    ----------
    code
        Stable name: "sites_per_10k", "training.participants".
    unit
        In French; `CENTS` are shown in euros, a `SHARE` as a percentage.
    value
        None when it is not known, or withheld.
    departement
        The same figure of the whole département; None also for what only sums: a mean has no total.
    before
        A year before.
    withheld
        Which of "value", "departement" and "before" are known and not published.
    day
        The day it describes, or the last of its period.
    source
        Where it comes from, in French.
    """

    code: str
    label: str
    unit: str
    value: int | float | None
    departement: int | float | None
    before: int | float | None
    day: date
    source: str
    withheld: tuple[str, ...] = ()

    def text(self, which: str = "value") -> str:
        """Value, mean or year before as read in French, with its unit; « inconnu » without any."""
        if which in self.withheld:
            return SECRET
        return format_value(getattr(self, which), self.unit)


@dataclass(frozen=True, slots=True)
class Section:
    """Figures of one subject."""

    code: str
    title: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class TerritoryAccount:
    """What a territory is given and has, in a year.

    Attributes
    ----------
    population
        Municipal population.
    summary
        Sentences in French made of the figures.
    notes
        How figures are estimated, and what they suppose.
    sources
        Every source of the data, with its vintage and licence.
    fictif
        Whether some of it is invented: it must say « Données de démonstration ».
    """

    kind: TerritoryKind
    code: str
    name: str
    population: int
    departement: str
    year: int
    day: date
    sections: tuple[Section, ...]
    summary: tuple[str, ...]
    notes: tuple[str, ...]
    sources: tuple[str, ...]
    fictif: bool

    def figure(self, code: str) -> Figure | None:
        """The figure of a code; None when the account has none."""
        return next((f for s in self.sections for f in s.figures if f.code == code), None)


def account_to_dict(account: TerritoryAccount) -> dict[str, Any]:
    """An account as JSON has it: each figure with its words."""
    return {
        "kind": account.kind.value,
        "code": account.code,
        "name": account.name,
        "population": account.population,
        "departement": account.departement,
        "year": account.year,
        "day": account.day,
        "fictif": account.fictif,
        "summary": account.summary,
        "sections": [
            {
                "code": section.code,
                "title": section.title,
                "figures": [
                    {
                        "code": figure.code,
                        "label": figure.label,
                        "unit": figure.unit,
                        "value": figure.value,
                        "departement": figure.departement,
                        "before": figure.before,
                        "withheld": figure.withheld,
                        "said": figure.text(),
                        "day": figure.day,
                        "source": figure.source,
                    }
                    for figure in section.figures
                ],
            }
            for section in account.sections
        ],
        "notes": account.notes,
        "sources": account.sources,
    }


def format_value(value: int | float | None, unit: str) -> str:
    """Return a value as read in French with its unit; « inconnu » for None."""
    if value is None:
        return UNKNOWN
    if unit == CENTS:
        return figures.euros(value)
    if unit == CENTS_EACH:
        return f"{figures.euros(value)} par habitant"
    if unit == SHARE:
        return figures.percent(value)
    if unit == "minutes":
        return figures.minutes(value)
    number = figures.count(value) if isinstance(value, int) else figures.decimal(value)
    word = FRENCH.plural(_SINGULAR.get(unit, unit), unit, value)
    return f"{number} {word}".rstrip()
