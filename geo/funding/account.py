"""The account of a territory: who can help there, money in and out, passes and actions.

Each figure has its date and its source, beside the mean of the whole département and the year before.
Counts of persons, and figures derived from them, pass through `disclosure_control`. Unknown figures
stay unknown. Definitions: docs/account.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Final

from geo.coverage.measure import Coverage, TerritoryCoverage
from geo.errors import InvalidParameter
from geo.funding import disclosure_control, pass_reports, reports
from geo.funding.account_model import (
    DEMONSTRATION,
    TerritoryAccount,
)
from geo.funding.account_sections import AccountSections
from geo.funding.account_sentences import summary_sentences
from geo.funding.action_kinds import Kinds
from geo.funding.actions import Action
from geo.funding.disclosure_control import THRESHOLD, Key
from geo.funding.pass_reports import PassCounts, TerritoryPasses
from geo.reach.straight_line import METHOD as STRAIGHT_LINE
from geo.territory.model import Grouping, Territory, TerritoryKind
from geo.wording import figures

YEARS: Final = (2000, 2100)


@dataclass(frozen=True)
class AccountData:
    """Input of all accounts at one moment: build it once, ask it for any territory.

    What is withheld is decided for all territories together, and cached: two accounts of the same data
    never reveal together what each withholds.

    Attributes
    ----------
    coverage
        Of the sites that help, whatever the service.
    accepting
        Of the sites that accept the Pass (`geo.funding.pass_reports.ACCEPTING`); None: not asked.
    money
        Year → lines of the fund's report by commune (`geo.store.ledger_reports.report`); an absent year is
        not known.
    passes
        None: not known.
    actions
        All that are kept; a year before the first one is not known.
    before
        Coverage a year before; None: not known.
    """

    coverage: Coverage
    kinds: Kinds
    accepting: Coverage | None = None
    money: Mapping[int, Sequence[reports.Line]] = field(default_factory=dict)
    passes: PassCounts | None = None
    actions: Sequence[Action] = ()
    before: Coverage | None = None
    threshold: int = THRESHOLD
    _published: dict[tuple[str, int], Mapping[Key, int | None]] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )
    _access: dict[tuple[int, TerritoryKind], Mapping[str, TerritoryCoverage]] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )
    _passes: dict[tuple[TerritoryKind, int], Mapping[str, TerritoryPasses]] = field(
        init=False, default_factory=dict, repr=False, compare=False
    )
    _lock: RLock = field(init=False, default_factory=RLock, repr=False, compare=False)

    @property
    def territory(self) -> Territory:
        """The département."""
        return self.coverage.frame.snapshot.territory

    @property
    def fictif(self) -> bool:
        """Whether some of what accounts are made from is invented."""
        return (
            self.coverage.frame.snapshot.fictitious
            or any(line.fictif for lines in self.money.values() for line in lines)
            or (self.passes is not None and self.passes.fictitious)
            or any(action.fictif for action in self.actions)
        )

    def account(self, code: str, kind: TerritoryKind | None = None, *, year: int) -> TerritoryAccount:
        """Return the account of a commune, canton, EPCI, arrondissement or département.

        Raises
        ------
        UnknownTerritory
            If none has this code.
        InvalidParameter
            If the year is out of `YEARS`.
        """
        if not YEARS[0] <= year <= YEARS[1]:
            raise InvalidParameter(
                f"L'année {year} n'est pas celle d'un compte.",
                f"De {YEARS[0]} à {YEARS[1]}.",
                parameter="year",
            )
        group = self.territory.find(code, kind)
        snapshot = self.coverage.frame.snapshot
        found = TerritoryAccount(
            kind=group.kind,
            code=group.code,
            name=group.name,
            population=group.population,
            departement=self.territory.name,
            year=year,
            day=self.coverage.frame.day,
            sections=tuple(AccountSections(self, group, year).sections()),
            summary=(),
            notes=tuple(_notes(self, group, year)),
            sources=tuple(
                f"{p.subject} : " + ", ".join(part for part in (p.producer, p.vintage, p.licence) if part)
                for p in snapshot.provenance
            ),
            fictif=self.fictif,
        )
        return replace(found, summary=tuple(summary_sentences(found)))

    def published(
        self, subject: str, year: int, counts: Callable[[], Mapping[str, Mapping[str, int]]]
    ) -> Mapping[Key, int | None]:
        """Return the publishable counts by territory and measure; decided once per subject and year."""
        with self._lock:
            if (subject, year) not in self._published:
                own = {code: count for code, count in counts().items() if code in self.territory.own_codes}
                self._published[subject, year] = disclosure_control.published_together(
                    own, self.territory, self.threshold
                )
            return self._published[subject, year]

    def access(self, coverage: Coverage, kind: TerritoryKind) -> Mapping[str, TerritoryCoverage]:
        """Return coverage of the territories of a kind, by code."""
        with self._lock:
            key = (id(coverage), kind)
            if key not in self._access:
                self._access[key] = {row.code: row for row in coverage.by_territory(kind)}
            return self._access[key]

    def passes_of(self, kind: TerritoryKind, year: int) -> Mapping[str, TerritoryPasses]:
        """Return passes of the territories of a kind in a year, by code; empty if the year is unknown."""
        with self._lock:
            if (kind, year) not in self._passes:
                counts = self.passes
                known = counts is not None and any(order.day.year <= year for order in counts.orders)
                self._passes[kind, year] = (
                    {
                        r.code: r
                        for r in pass_reports.by_territory(counts, self.territory, kind, year=year).rows
                    }
                    if counts is not None and known
                    else {}
                )
            return self._passes[kind, year]

    def actions_of(self, group: Grouping, year: int) -> list[Action] | None:
        """Return actions of a territory that began in a year; None before the year of the first action."""
        if not any(action.day.year <= year for action in self.actions):
            return None
        inside = frozenset(group.communes)
        return [a for a in self.actions if a.day.year == year and a.commune in inside]


def _notes(books: AccountData, group: Grouping, year: int) -> Iterator[str]:
    frame = books.coverage.frame
    if books.fictif:
        yield f"{DEMONSTRATION} : une partie de ces chiffres est inventée."
    if frame.travel.method == STRAIGHT_LINE:
        yield f"Temps de trajet : {frame.travel.label}."
    yield f"Population des trajets : {frame.people.label}."
    if group.partial:
        yield "Une partie de ce territoire est hors du département : elle n'est pas comptée."
    apart = sum(
        line.contributed_cents + line.matched_cents
        for line in books.money.get(year, ())
        if line.key not in books.territory.own_codes
    )
    if apart and group.kind is not TerritoryKind.DEPARTEMENT:
        yield (
            f"Le fonds a reçu {figures.euros(apart)} sans les rattacher à une commune du département : "
            "ils ne sont comptés que dans le compte du département."
        )
    yield (
        f"Les nombres de personnes de 1 à {books.threshold - 1}, et ceux qui permettraient de les retrouver, "
        "ne sont pas publiés."
    )
