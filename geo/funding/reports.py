"""Reports of the fund by partner, year, source, action line or territory; without the store.

A line is a sum of postings, reversals included, and the lines of a report sum to its total, to the cent. A
report of a year counts the entries dated in it: a correction after a close counts in the year of the
correction, so that the figures of a closed year never change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any, Final

from geo.funding import money
from geo.territory.model import Territory, TerritoryKind

_CENT: Final = Decimal("0.01")

UNPLACED: Final = ""
"""Key of the line of entries without a partner, an action line, or a commune of the territory."""


class By(StrEnum):
    """What lines of a report are grouped by, besides territories (`geo.territory.model.TerritoryKind`)."""

    PARTNER = "partner"
    YEAR = "year"
    LEVEL = "level"
    LINE = "line"

    @property
    def label(self) -> str:
        """The French words shown to readers."""
        return {"partner": "partenaire", "year": "année", "level": "source", "line": "ligne d'action"}[self]


MEASURES: Final = {
    "contributed_cents": "contributions",
    "matched_cents": "abondement du Département",
    "unmatched_cents": "reste non abondé",
    "committed_cents": "engagé",
    "paid_cents": "payé",
    "available_cents": "disponible",
}
"""Measures of a line, and the French words for them."""


@dataclass(frozen=True, slots=True)
class Line:
    """Sums of the entries of one partner, year, source, action line or territory, in cents.

    `unmatched_cents`: what the rate would have added and the ceiling withheld. `committed_cents`: set
    aside, including what was paid since, without what was released. `available_cents`: contributed and
    matched, less committed; by year, what was left at the end of the year. In other
    lines than the total and years, it is what came in less what went out, and may be negative: money of
    the fund is not reserved for whom it came from. `population`: of a territory; None elsewhere.
    """

    key: str
    name: str
    contributed_cents: int = 0
    matched_cents: int = 0
    unmatched_cents: int = 0
    committed_cents: int = 0
    paid_cents: int = 0
    available_cents: int = 0
    population: int | None = None
    fictif: bool = False

    @property
    def leverage(self) -> Decimal | None:
        """Euros in the fund for each euro of a partner, to the hundredth; None without contributions."""
        if self.contributed_cents <= 0:
            return None
        return _ratio(self.contributed_cents + self.matched_cents, self.contributed_cents)

    def per_inhabitant(self, measure: str) -> Decimal | None:
        """Return euros per inhabitant of one of `MEASURES`, to the cent; None without inhabitants."""
        if not self.population:
            return None
        return _ratio(getattr(self, measure), 100 * self.population)

    def plus(self, other: Line) -> Line:
        """Return this line with the sums of another added."""
        added = {name: getattr(self, name) + getattr(other, name) for name in MEASURES}
        return replace(self, **added, fictif=self.fictif or other.fictif)


@dataclass(frozen=True, slots=True)
class FundReport:
    """Lines and their total; `year` None: since the beginning."""

    by: By | TerritoryKind
    year: int | None
    lines: tuple[Line, ...]
    total: Line

    @property
    def fictif(self) -> bool:
        """Whether some of it is fictitious: it must then say « Données de démonstration »."""
        return self.total.fictif


def by_territory(communes: Iterable[Line], territory: Territory, kind: TerritoryKind) -> list[Line]:
    """Return lines for all territories of a kind, from lines by commune.

    Entries without a commune of the territory are in a last line of key `UNPLACED`, if there are any.
    """
    lines = {
        g.code: Line(g.code, g.name, population=g.population)
        for g in sorted(territory.groupings_of(kind), key=lambda g: g.code)
    }
    group = {code: g.code for g in territory.groupings_of(kind) for code in g.communes}
    unplaced = Line(UNPLACED, "Non rattaché à une commune")
    for line in communes:
        code = group.get(line.key)
        if code is None:
            unplaced = unplaced.plus(line)
        else:
            lines[code] = lines[code].plus(line)
    empty = replace(unplaced, fictif=False) == Line(UNPLACED, unplaced.name)
    return [*lines.values(), *([] if empty else [unplaced])]


def report_to_records(report: FundReport) -> Iterator[dict[str, Any]]:
    """Return lines, then the total, as flat records: sums in cents, leverage, euros per inhabitant."""
    for line in (*report.lines, report.total):
        values = {field.name: getattr(line, field.name) for field in fields(line)}
        yield {
            **values,
            "leverage": line.leverage,
            **{
                f"{name.removesuffix('_cents')}_per_inhabitant": line.per_inhabitant(name)
                for name in MEASURES
            },
        }


def rows(report: FundReport) -> Iterator[list[str]]:
    """Return a heading, lines, then the total for a spreadsheet, with sums in euros (1234.56)."""
    yield [
        "code",
        report.by.label,
        *(f"{words} (€)" for words in MEASURES.values()),
        "effet de levier",
        "habitants",
        *(f"{words} par habitant (€)" for words in MEASURES.values()),
        "fictif",
    ]
    for line in (*report.lines, report.total):
        yield [
            line.key,
            line.name,
            *(money.plain(getattr(line, name)) for name in MEASURES),
            _text(line.leverage),
            _text(line.population),
            *(_text(line.per_inhabitant(name)) for name in MEASURES),
            "oui" if line.fictif else "non",
        ]


def _ratio(over: int, under: int) -> Decimal:
    return (Decimal(over) / Decimal(under)).quantize(_CENT, ROUND_HALF_UP)


def _text(value: object) -> str:
    return "" if value is None else str(value)
