"""Sections of the account of a territory: every figure with its mean, the year before, and its secrecy."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Final

from geo.coverage.measure import Coverage
from geo.coverage.undecided import site_range
from geo.funding import reports
from geo.funding.account_model import CENTS, CENTS_EACH, SHARE, Figure, Section
from geo.funding.action_kinds import ActionKind
from geo.funding.actions import Action, Total, totals
from geo.funding.pass_reports import TerritoryPasses
from geo.people.model import Indicator
from geo.territory.model import Grouping, TerritoryKind
from geo.wording import figures

if TYPE_CHECKING:
    from geo.funding.account import AccountData

PASS_MEASURES: Final = ("given", "used", "expired")
"""Counts of passes that are withheld together."""
_FUND: Final = "Grand livre du fonds départemental d'inclusion numérique"
_PASSES: Final = "Commandes et événements du Pass Numérique"
_ACTIONS: Final = "Actions enregistrées"


class _Secret(Enum):
    WITHHELD = "withheld"


_WITHHELD: Final = _Secret.WITHHELD
_Amount = int | float | None | _Secret
"""A value as a section finds it; None: not known."""

_MONEY: Final = {
    name: reports.MEASURES[name]
    for name in ("contributed_cents", "matched_cents", "committed_cents", "paid_cents")
}


def persons_of_passes(communes: Iterable[TerritoryPasses]) -> dict[str, dict[str, int]]:
    """Counts of a year's passes by commune, as `disclosure_control.published_together` takes them.

    Whatever is public must settle what it withholds from these, and no other: two masks of the same
    counts protect neither.
    """
    return {row.code: {name: getattr(row.figures, name) for name in PASS_MEASURES} for row in communes}


def persons_of_actions(actions: Iterable[Action], kind: ActionKind, year: int) -> dict[str, dict[str, int]]:
    """Persons counted by a kind's actions of a year, by commune; to be used as `persons_of_passes`."""
    secret = [measure.name for measure in kind.measures if measure.secret]
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(secret, 0))
    for action in actions:
        if action.day.year == year and action.kind == kind.code:
            for name in secret:
                found[action.commune][name] += int(action.measures.get(name, 0))
    return found


@dataclass(frozen=True, slots=True)
class _RawFigure:
    """A figure before it is compared. `mean`: of it the département has a mean to compare with."""

    code: str
    label: str
    unit: str
    value: _Amount
    mean: bool = False


class AccountSections:
    """Computes the sections of one account."""

    def __init__(self, books: AccountData, group: Grouping, year: int) -> None:
        self.books = books
        self.group = group
        self.year = year
        self.whole = next(books.territory.groupings_of(TerritoryKind.DEPARTEMENT))
        self.today = books.coverage.frame.day
        self.period = min(date(year, 12, 31), self.today)

    def sections(self) -> Iterator[Section]:
        """Yield the sections, in the order they are shown."""
        frame = self.books.coverage.frame
        producers = sorted({p.producer for p in frame.snapshot.site_provenance})
        sites = f"Lieux recensés ({', '.join(producers)})" if producers else "Lieux recensés"
        reach = f"{sites} ; trajets : {frame.travel.label} ; {frame.people.label}"
        yield self._section("help", "Qui peut aider ici", self._help, sites, self.today)
        yield self._section("access", "Le trajet jusqu'à l'aide", self._reach, reach, self.today)
        yield self._fragility()
        yield self._section("money", "L'argent reçu et versé", self._money, _FUND, self.period)
        yield self._section("passes", "Le Pass Numérique", self._pass, _PASSES, self.period)
        yield self._section("actions", "Les actions menées", self._actions, _ACTIONS, self.period)

    def _section(
        self,
        code: str,
        title: str,
        compute: Callable[[Grouping, int], list[_RawFigure]],
        source: str,
        day: date,
    ) -> Section:
        past = {each.code: each.value for each in compute(self.group, self.year - 1)}
        mean = {}
        if self.group.kind is not TerritoryKind.DEPARTEMENT:
            mean = {each.code: each.value for each in compute(self.whole, self.year) if each.mean}
        found = [
            _figure(each, mean.get(each.code), past.get(each.code), day, self._source(each.code, source))
            for each in compute(self.group, self.year)
        ]
        return Section(code, title, tuple(found))

    def _source(self, code: str, source: str) -> str:
        kind, _, name = code.partition(".")
        if declared := self.books.kinds.get(kind):
            for derived in declared.derived:
                if derived.name == name:
                    suffix = f" ; {derived.hypothesis}" if derived.hypothesis else ""
                    return f"{source} ; facteur {figures.exact(derived.factor)} : {derived.source}{suffix}"
        return source

    def _coverage(self, year: int) -> Coverage | None:
        return self.books.coverage if year == self.year else self.books.before

    def _help(self, group: Grouping, year: int) -> list[_RawFigure]:
        coverage = self._coverage(year)
        if coverage is None:
            return []
        inside = frozenset(group.communes)
        sites = [coverage.frame.snapshot.sites[row] for row in coverage.counted]
        here = [site for site in sites if site.code_insee in inside]
        offered = Counter(service for site in here for service in site.services)
        counted = site_range([site.id for site in here], coverage.frame.snapshot.questions)
        return [
            _RawFigure("sites", "lieux d'aide", "lieux", len(here)),
            *(
                [_RawFigure("sites_low", f"lieux d'aide au moins ({counted.between})", "lieux", counted.low)]
                if not counted.certain
                else []
            ),
            _RawFigure(
                "sites_per_10k",
                "lieux d'aide pour 10 000 habitants",
                "lieux pour 10 000 habitants",
                _per(len(here), group.population, 10_000),
                mean=True,
            ),
            _RawFigure(
                "pass_sites",
                "lieux qui acceptent le Pass",
                "lieux",
                sum(s.pass_numerique is True for s in here),
            ),
            *(
                _RawFigure(f"service:{name}", name, "lieux", number)
                for name, number in sorted(offered.items())
            ),
        ]

    def _reach(self, group: Grouping, year: int) -> list[_RawFigure]:
        coverage = self._coverage(year)
        if coverage is None:
            return []
        row = self.books.access(coverage, group.kind)[group.code]
        beyond = self.books.published("people_beyond", year, lambda: self._beyond(coverage))[
            group.kind, group.code, "people_beyond"
        ]
        threshold = figures.minutes(coverage.question.beyond_min)
        share: _Amount = _WITHHELD if beyond is None else _per(row.people_beyond, row.people, 1)
        passes = self.books.accepting if year == self.year else None
        nearest = self.books.access(passes, group.kind)[group.code].median_min if passes else None
        return [
            _RawFigure(
                "median_min",
                "trajet que la moitié des habitants ne dépassent pas",
                "minutes",
                row.median_min,
                True,
            ),
            _RawFigure("people_beyond", f"habitants à plus de {threshold}", "personnes", _secret(beyond)),
            _RawFigure("share_beyond", f"part des habitants à plus de {threshold}", SHARE, share, True),
            _RawFigure(
                "open_hours", "heures d'ouverture à portée par semaine", "heures", row.open_hours, True
            ),
            _RawFigure(
                "pass_median_min", "trajet jusqu'à un lieu qui accepte le Pass", "minutes", nearest, True
            ),
        ]

    def _beyond(self, coverage: Coverage) -> dict[str, dict[str, int]]:
        rows = self.books.access(coverage, TerritoryKind.COMMUNE).values()
        return {row.code: {"people_beyond": round(row.people_beyond)} for row in rows}

    def _fragility(self) -> Section:
        figures = []
        for indicator in self.books.coverage.frame.snapshot.indicators:
            raw = _RawFigure(
                f"indicator:{indicator.code}",
                indicator.name,
                indicator.unit,
                self._mean(indicator, self.group),
            )
            whole = (
                None if self.group.kind is TerritoryKind.DEPARTEMENT else self._mean(indicator, self.whole)
            )
            vintage = f"{indicator.provenance.producer}, {indicator.provenance.vintage}"
            figures.append(_figure(raw, whole, None, self.today, vintage))
        return Section("fragility", "La fragilité numérique", tuple(figures))

    def _mean(self, indicator: Indicator, group: Grouping) -> float | None:
        communes = self.books.territory.commune_by_code
        weighted = [
            (indicator.values[c], communes[c].population) for c in group.communes if c in indicator.values
        ]
        people = sum(population for _, population in weighted)
        return sum(value * population for value, population in weighted) / people if people else None

    def _money(self, group: Grouping, year: int) -> list[_RawFigure]:
        lines = self.books.money.get(year)
        if lines is None:
            return []
        placed = reports.by_territory(lines, self.books.territory, group.kind)
        if self.group.kind is not TerritoryKind.DEPARTEMENT:
            # The mean is of what is tied to communes, as the figure it is compared with.
            placed = [line for line in placed if line.key != reports.UNPLACED]
        line = next(each for each in placed if each.key == group.code)
        if group.kind is TerritoryKind.DEPARTEMENT:
            line = replace(line, **{n: sum(getattr(each, n) for each in placed) for n in _MONEY})
        sums = [_RawFigure(n, words, CENTS, getattr(line, n)) for n, words in _MONEY.items()]
        means = [
            _RawFigure(
                f"{n.removesuffix('_cents')}_per_inhabitant",
                f"{words} par habitant",
                CENTS_EACH,
                _per(getattr(line, n), group.population, 1),
                mean=True,
            )
            for n, words in _MONEY.items()
        ]
        return [*sums, *means]

    def _pass(self, group: Grouping, year: int) -> list[_RawFigure]:
        row = self.books.passes_of(group.kind, year).get(group.code)
        if row is None:
            return []
        counts = self.books.published("passes", year, lambda: persons_of_passes(self._communes(year)))
        given, used, expired = (counts[group.kind, group.code, name] for name in PASS_MEASURES)
        rate = _WITHHELD if given is None or used is None else row.figures.rate_of_use
        delay = _WITHHELD if used is None else row.figures.median_delay_days
        value = _WITHHELD if used is None else row.figures.used_cents
        each = _WITHHELD if given is None else _per(given, group.population, 1_000)
        return [
            _RawFigure("given", "pass donnés", "pass", _secret(given)),
            _RawFigure(
                "given_per_1000", "pass donnés pour 1 000 habitants", "pass pour 1 000 habitants", each, True
            ),
            _RawFigure("used", "pass utilisés", "pass", _secret(used)),
            _RawFigure("expired", "pass expirés", "pass", _secret(expired)),
            _RawFigure("rate_of_use", "taux d'utilisation", SHARE, rate, True),
            _RawFigure("median_delay_days", "délai médian du don à l'utilisation", "jours", delay, True),
            _RawFigure("used_cents", "valeur des pass utilisés", CENTS, value),
        ]

    def _communes(self, year: int) -> Iterable[TerritoryPasses]:
        return self.books.passes_of(TerritoryKind.COMMUNE, year).values()

    def _actions(self, group: Grouping, year: int) -> list[_RawFigure]:
        done = self.books.actions_of(group, year)
        if done is None:
            return []
        amount = sum(action.amount_cents for action in done)
        found = [
            _RawFigure("actions", "actions", "actions", len(done)),
            _RawFigure("actions_cents", "montant des actions", CENTS, amount),
            _RawFigure(
                "actions_cents_per_inhabitant",
                "montant des actions par habitant",
                CENTS_EACH,
                _per(amount, group.population, 1),
                mean=True,
            ),
        ]
        for kind, number in Counter(action.kind for action in done).items():
            if declared := self.books.kinds.get(kind):
                found.append(_RawFigure(f"{kind}.actions", f"actions : {declared.label}", "actions", number))
        for total in totals(done, self.books.kinds):
            label = f"{total.label} ({self.books.kinds[total.kind].label})"
            value = self._published(total, group, year) if total.secret else total.value
            found.append(_RawFigure(f"{total.kind}.{total.name}", label, total.unit, value))
        return found

    def _published(self, total: Total, group: Grouping, year: int) -> _Amount:
        """A total of persons, or what a factor makes of one, when it may be published."""
        derived = {d.name: d for d in self.books.kinds[total.kind].derived}.get(total.name)
        measure = derived.of if derived else total.name
        kind = self.books.kinds[total.kind]
        count = self.books.published(
            f"actions:{kind.code}", year, lambda: persons_of_actions(self.books.actions, kind, year)
        )[group.kind, group.code, measure]
        if count is None:
            return _WITHHELD
        return count * derived.factor if derived else count


def _figure(raw: _RawFigure, mean: _Amount, before: _Amount, day: date, source: str) -> Figure:
    values = {"value": raw.value, "departement": mean, "before": before}
    return Figure(
        code=raw.code,
        label=raw.label,
        unit=raw.unit,
        **{name: None if isinstance(v, _Secret) else v for name, v in values.items()},
        day=day,
        source=source,
        withheld=tuple(name for name, v in values.items() if isinstance(v, _Secret)),
    )


def _secret(count: int | None) -> _Amount:
    return _WITHHELD if count is None else count


def _per(count: float, people: float, so_many: int) -> float | None:
    return count * so_many / people if people else None
