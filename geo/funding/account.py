"""The account of a territory: who can help there, money in and out, passes, actions; told in sentences.

Each figure has its date and its source, beside the mean of the whole département and the year before.
Counts of persons, and what is made of them, pass through `disclosure_control`. What is not known is
told as such: nothing is supposed. Definitions: docs/account.md.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from threading import RLock
from typing import Any, Final

from geo.coverage.measure import Coverage, TerritoryCoverage
from geo.errors import InvalidParameter
from geo.funding import disclosure_control, pass_reports, reports
from geo.funding.action_kinds import ActionKind, Kinds
from geo.funding.actions import Action, Total, totals
from geo.funding.disclosure_control import THRESHOLD, Key
from geo.funding.pass_reports import PassCounts, TerritoryPasses
from geo.people.model import Indicator
from geo.reach.straight_line import METHOD as STRAIGHT_LINE
from geo.territory.model import Grouping, Territory, TerritoryKind
from geo.wording import figures
from geo.wording.language import FRENCH

DEMONSTRATION: Final = "Données de démonstration"
UNKNOWN: Final = figures.UNKNOWN
SECRET: Final = "non publié (secret statistique)"  # noqa: S105 - words for readers

CENTS: Final = "centimes"
CENTS_EACH: Final = "centimes par habitant"
SHARE: Final = "part"
"""Unit of shares in [0, 1], told as percentages."""

YEARS: Final = (2000, 2100)

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
        In French; `CENTS` are told in euros, a `SHARE` as a percentage.
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
        return _text(getattr(self, which), self.unit)


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


@dataclass(frozen=True)
class AccountData:
    """All that accounts are made from, at one moment: make it once, ask it for any territory.

    What is withheld is settled for all territories together, and kept: two accounts of the same books
    never tell between them what each keeps back.

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
        """The account of a commune, canton, EPCI, arrondissement or département.

        Raises
        ------
        UnknownTerritory
            If none bears this code.
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
            sections=tuple(_AccountWriter(self, group, year).sections()),
            summary=(),
            notes=tuple(_notes(self, group, year)),
            sources=tuple(
                f"{p.subject} : " + ", ".join(part for part in (p.producer, p.vintage, p.licence) if part)
                for p in snapshot.provenance
            ),
            fictif=self.fictif,
        )
        return replace(found, summary=tuple(_sentences(found)))

    def published(
        self, subject: str, year: int, counts: Callable[[], Mapping[str, Mapping[str, int]]]
    ) -> Mapping[Key, int | None]:
        """What may be told of counts by commune and measure; settled once for each subject and year."""
        with self._lock:
            if (subject, year) not in self._published:
                own = {code: told for code, told in counts().items() if code in self.territory.own_codes}
                self._published[subject, year] = disclosure_control.published_together(
                    own, self.territory, self.threshold
                )
            return self._published[subject, year]

    def access(self, coverage: Coverage, kind: TerritoryKind) -> Mapping[str, TerritoryCoverage]:
        """Coverage of the territories of a kind, by code."""
        with self._lock:
            key = (id(coverage), kind)
            if key not in self._access:
                self._access[key] = {row.code: row for row in coverage.by_territory(kind)}
            return self._access[key]

    def passes_of(self, kind: TerritoryKind, year: int) -> Mapping[str, TerritoryPasses]:
        """Passes of the territories of a kind in a year, by code; empty when the year is not known."""
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
        """Actions of a territory that began in a year; None before the year of the first one kept."""
        if not any(action.day.year <= year for action in self.actions):
            return None
        inside = frozenset(group.communes)
        return [a for a in self.actions if a.day.year == year and a.commune in inside]


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


class _AccountWriter:
    """Writes the sections of one account."""

    def __init__(self, books: AccountData, group: Grouping, year: int) -> None:
        self.books = books
        self.group = group
        self.year = year
        self.whole = next(books.territory.groupings_of(TerritoryKind.DEPARTEMENT))
        self.today = books.coverage.frame.day
        self.period = min(date(year, 12, 31), self.today)

    def sections(self) -> Iterator[Section]:
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
        self, code: str, title: str, told: Callable[[Grouping, int], list[_RawFigure]], source: str, day: date
    ) -> Section:
        past = {each.code: each.value for each in told(self.group, self.year - 1)}
        mean = {}
        if self.group.kind is not TerritoryKind.DEPARTEMENT:
            mean = {each.code: each.value for each in told(self.whole, self.year) if each.mean}
        found = [
            _figure(each, mean.get(each.code), past.get(each.code), day, self._source(each.code, source))
            for each in told(self.group, self.year)
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
        return [
            _RawFigure("sites", "lieux d'aide", "lieux", len(here)),
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
            told = _RawFigure(
                f"indicator:{indicator.code}",
                indicator.name,
                indicator.unit,
                self._mean(indicator, self.group),
            )
            whole = (
                None if self.group.kind is TerritoryKind.DEPARTEMENT else self._mean(indicator, self.whole)
            )
            vintage = f"{indicator.provenance.producer}, {indicator.provenance.vintage}"
            figures.append(_figure(told, whole, None, self.today, vintage))
        return Section("fragility", "La fragilité numérique", tuple(figures))

    def _mean(self, indicator: Indicator, group: Grouping) -> float | None:
        communes = self.books.territory.commune_by_code
        told = [
            (indicator.values[c], communes[c].population) for c in group.communes if c in indicator.values
        ]
        people = sum(population for _, population in told)
        return sum(value * population for value, population in told) / people if people else None

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
        told = self.books.published("passes", year, lambda: persons_of_passes(self._communes(year)))
        given, used, expired = (told[group.kind, group.code, name] for name in PASS_MEASURES)
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
        """A total of persons, or what a factor makes of one, when it may be told."""
        derived = {d.name: d for d in self.books.kinds[total.kind].derived}.get(total.name)
        measure = derived.of if derived else total.name
        kind = self.books.kinds[total.kind]
        told = self.books.published(
            f"actions:{kind.code}", year, lambda: persons_of_actions(self.books.actions, kind, year)
        )[group.kind, group.code, measure]
        if told is None:
            return _WITHHELD
        return told * derived.factor if derived else told


def _figure(told: _RawFigure, mean: _Amount, before: _Amount, day: date, source: str) -> Figure:
    values = {"value": told.value, "departement": mean, "before": before}
    return Figure(
        code=told.code,
        label=told.label,
        unit=told.unit,
        **{name: None if isinstance(v, _Secret) else v for name, v in values.items()},
        day=day,
        source=source,
        withheld=tuple(name for name, v in values.items() if isinstance(v, _Secret)),
    )


def _secret(count: int | None) -> _Amount:
    return _WITHHELD if count is None else count


def _per(count: float, people: float, so_many: int) -> float | None:
    return count * so_many / people if people else None


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


def _sentences(account: TerritoryAccount) -> Iterator[str]:
    """The account in a few sentences, made of its figures and of nothing else."""
    if account.fictif:
        yield f"{DEMONSTRATION}."
    year = account.year
    yield f"{account.name} ({account.kind.label}) compte {_text(account.population, 'habitants')}."
    yield from _site_sentence(account)
    yield from _reach_sentence(account)
    for section in account.sections:
        if section.code == "fragility":
            yield from (f"{figures.capital(f.label)} : {_compared(f, year)}." for f in section.figures)
            if not section.figures:
                yield f"Fragilité numérique : {UNKNOWN}."
    paid, each = account.figure("paid_cents"), account.figure("paid_per_inhabitant")
    contributed, matched = account.figure("contributed_cents"), account.figure("matched_cents")
    if paid and each and contributed and matched:
        yield (
            f"En {year}, le fonds d'inclusion numérique y a payé {paid.text()}, soit {_compared(each, year)}."
        )
        yield (
            f"Les partenaires y ont apporté {contributed.text()} et le Département {matched.text()} ; "
            f"l'année d'avant, {contributed.text('before')} et {matched.text('before')}."
        )
    else:
        yield f"Argent reçu et versé en {year} : {UNKNOWN}."
    given, rate = account.figure("given"), account.figure("rate_of_use")
    if given and rate:
        yield f"Pass Numérique donnés aux habitants en {year} : {_compared(given, year)}."
        if given.value or "value" in given.withheld:
            yield f"Taux d'utilisation des pass : {_compared(rate, year)}."
    else:
        yield f"Pass Numérique donnés en {year} : {UNKNOWN}."
    yield from _action_sentence(account)


def _site_sentence(account: TerritoryAccount) -> Iterator[str]:
    sites, each = account.figure("sites"), account.figure("sites_per_10k")
    if not sites or not each:
        return
    if sites.value:
        verb = FRENCH.plural("y est recensé", "y sont recensés", sites.value)
        counted = figures.capital(sites.text())
        yield f"{counted} d'aide au numérique {verb}, soit {_compared(each, account.year)}."
    else:
        yield f"Aucun lieu d'aide au numérique n'y est recensé (l'année d'avant : {sites.text('before')})."


def _reach_sentence(account: TerritoryAccount) -> Iterator[str]:
    median, beyond, share = (account.figure(c) for c in ("median_min", "people_beyond", "share_beyond"))
    if not median or not beyond or not share:
        return
    if median.value is None:
        yield f"Temps de trajet de la moitié des habitants jusqu'à un lieu d'aide : {UNKNOWN}."
    else:
        beside = _beside(median, account.year)
        time = f"{median.text()} ou moins" if median.value >= 1 else median.text()
        yield f"La moitié des habitants atteignent un lieu d'aide en {time} {beside}."
    yield f"{figures.capital(beyond.label)} : {beyond.text()}, soit {_compared(share, account.year)}."


def _action_sentence(account: TerritoryAccount) -> Iterator[str]:
    section = next(s for s in account.sections if s.code == "actions")
    number, amount = account.figure("actions"), account.figure("actions_cents")
    if not number or not amount:
        yield f"Actions menées en {account.year} : {UNKNOWN}."
        return
    if not number.value:
        yield f"Aucune action n'y a été menée en {account.year} (l'année d'avant : {number.text('before')})."
        return
    verb = FRENCH.plural("y a été menée", "y ont été menées", number.value)
    yield (
        f"{figures.capital(number.text())} {verb} en {account.year}, pour {amount.text()} "
        f"(l'année d'avant : {number.text('before')}, pour {amount.text('before')})."
    )
    by_kind = [f for f in section.figures if "." in f.code and not f.code.endswith(".actions")]
    if by_kind:
        yield "Elles comptent : " + " ; ".join(f"{f.label}, {f.text()}" for f in by_kind) + "."


def _compared(figure: Figure, year: int) -> str:
    """A figure, then what it is compared with."""
    return f"{figure.text()} {_beside(figure, year)}"


def _beside(figure: Figure, year: int) -> str:
    """The département's mean, where there is one, and the year before."""
    told = [f"{year - 1} : {figure.text('before')}"]
    if figure.departement is not None or "departement" in figure.withheld:
        told.insert(0, f"département : {figure.text('departement')}")
    return f"({' ; '.join(told)})"


def _text(value: int | float | None, unit: str) -> str:
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
