"""What maps of measures may show: access, money, passes and actions, per inhabitant or in total.

From the books of the accounts (`geo.funding.account.AccountData`) to a value for each territory; counts of
persons, and what is made of them, only as `AccountData.published` allows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from geo.coverage.measure import Coverage
from geo.funding import reports
from geo.funding.account import AccountData
from geo.funding.disclosure_control import Key
from geo.territory.model import Grouping, TerritoryKind
from geo.wording import dates, figures
from geo.wording.language import round_half_up
from static_maps.style import BLUES, GREENS, PURPLES, WARM

FORMS: Final = ("habitant", "total")


class MeasureSubject(StrEnum):
    """What a measure is about."""

    ACCESS = "accès"
    MONEY = "argent"
    PASSES = "pass"
    ACTIONS = "actions"

    @property
    def label(self) -> str:
        """The French words shown to readers."""
        return {
            "accès": "Accès à l'aide",
            "argent": "Argent du fonds",
            "pass": "Pass Numérique",
            "actions": "Actions",
        }[self]

    @property
    def ramp(self) -> tuple[str, ...]:
        """Colours from little to much."""
        return {"accès": WARM, "argent": BLUES, "pass": GREENS, "actions": PURPLES}[self]


@dataclass(frozen=True, slots=True)
class MapMeasure:
    """Something a map may show.

    Attributes
    ----------
    unit
        Of its form per inhabitant, or of its only form.
    total
        Unit of its total; "" when it has none (a time has no sum).
    zero
        Whether zero says that there is none, and is a class apart.
    """

    code: str
    subject: MeasureSubject
    label: str
    unit: str
    total: str = ""
    zero: bool = True

    @property
    def is_time(self) -> bool:
        """Whether values are travel times, in minutes."""
        return self.unit.startswith("minutes")

    @property
    def is_share(self) -> bool:
        """Whether values of the form per inhabitant are percentages."""
        return self.unit.startswith("%")

    @property
    def is_money(self) -> bool:
        """Whether values are euros."""
        return self.unit.startswith("€")


MEASURES: Final = {
    measure.code: measure
    for measure in (
        MapMeasure(
            "temps",
            MeasureSubject.ACCESS,
            "Temps jusqu'au lieu d'aide le plus proche",
            "minutes (médiane)",
            zero=False,
        ),
        MapMeasure(
            "audela", MeasureSubject.ACCESS, "Habitants hors de portée", "% des habitants", "personnes"
        ),
        MapMeasure(
            "offre", MeasureSubject.ACCESS, "Offre accessible", "heures par semaine pour 1 000 habitants", ""
        ),
        MapMeasure("lieux", MeasureSubject.ACCESS, "Lieux d'aide", "lieux pour 10 000 habitants", "lieux"),
        MapMeasure(
            "fragilite", MeasureSubject.ACCESS, "Fragilité numérique", "indicateur (moyenne des habitants)"
        ),
        MapMeasure("paye", MeasureSubject.MONEY, "Payé par le fonds", "€ par habitant", "€"),
        MapMeasure("engage", MeasureSubject.MONEY, "Engagé par le fonds", "€ par habitant", "€"),
        MapMeasure("contribue", MeasureSubject.MONEY, "Contributions des partenaires", "€ par habitant", "€"),
        MapMeasure("pass", MeasureSubject.PASSES, "Pass donnés", "pass pour 1 000 habitants", "pass"),
        MapMeasure("utilises", MeasureSubject.PASSES, "Pass utilisés", "pass pour 1 000 habitants", "pass"),
        MapMeasure("usage", MeasureSubject.PASSES, "Taux d'utilisation des pass", "% des pass donnés"),
        MapMeasure(
            "pass-temps",
            MeasureSubject.PASSES,
            "Temps jusqu'au lieu qui accepte le Pass",
            "minutes (médiane)",
            zero=False,
        ),
        MapMeasure(
            "actions", MeasureSubject.ACTIONS, "Actions menées", "actions pour 10 000 habitants", "actions"
        ),
        MapMeasure("montant", MeasureSubject.ACTIONS, "Montant des actions", "€ par habitant", "€"),
    )
}
_FUND: Final = {"paye": "paid_cents", "engage": "committed_cents", "contribue": "contributed_cents"}
_PASSES: Final = {"pass": "given", "utilises": "used"}


@dataclass(frozen=True)
class MeasureValues:
    """A measure of every territory of a kind.

    Attributes
    ----------
    form
        One of `FORMS`: "habitant" also stands for the only form of what has no total.
    values
        By code of territory; absent: not known, or withheld.
    withheld
        Codes of those known and not published.
    vintage
        What it is made from, and of when, in French.
    note
        What the map cannot show; "" when nothing.
    """

    measure: MapMeasure
    form: str
    kind: TerritoryKind
    values: Mapping[str, float]
    withheld: frozenset[str] = frozenset()
    vintage: str = ""
    note: str = ""

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return self.measure.total if self.form == "total" else self.measure.unit

    def text(self, code: str) -> str:
        """Write the value of a territory; times and shares with their unit."""
        if code in self.withheld:
            return "non publié"
        value = self.values.get(code)
        if value is None:
            return figures.UNKNOWN
        if self.measure.is_time:
            return figures.minutes(value)
        if self.measure.is_money:
            if 0 < value < 0.005:
                return f"moins de {figures.exact(0.01)}"
            return figures.euro_digits(int(round_half_up(value * 100)))
        if self.form == "total":
            return figures.count(value)
        return figures.percent(value / 100) if self.measure.is_share else figures.decimal(value)

    def text_with_unit(self, code: str) -> str:
        """Write the value of a territory with its unit: « 12,50 € par habitant », « 42 % des habitants »."""
        text = self.text(code)
        if code not in self.values or self.measure.is_time:
            return text
        return f"{text} {self.unit.removeprefix('% ')}".rstrip()


@dataclass
class _RawValues:
    """Totals and ratios as they are found; what is withheld is in neither."""

    totals: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    withheld: set[str] = field(default_factory=set)
    note: str = ""

    def add(self, group: Grouping, total: float | None, *, per: float) -> None:
        """A total, and its ratio to so many inhabitants where there are some."""
        if total is None:
            self.withheld.add(group.code)
            return
        self.totals[group.code] = total
        if group.population:
            self.ratios[group.code] = total * per / group.population


def measure_values(
    books: AccountData, measure: MapMeasure, kind: TerritoryKind, year: int, *, form: str = FORMS[0]
) -> MeasureValues:
    """A measure of the territories of a kind; money, passes and actions are those of one year."""
    groups = list(books.territory.groupings_of(kind))
    if measure.code == "fragilite":
        found = _fragility(books, groups)
    elif measure.subject is MeasureSubject.ACCESS or measure.code == "pass-temps":
        found = _access(books, measure.code, groups, kind)
    elif measure.subject is MeasureSubject.MONEY:
        found = _money(books, _FUND[measure.code], groups, kind, year)
    elif measure.subject is MeasureSubject.PASSES:
        found = _passes(books, measure.code, groups, kind, year)
    else:
        found = _actions(books, measure.code, groups, year)
    form = form if measure.total else FORMS[0]
    values = found.totals if form == "total" else found.ratios
    values = {code: rounded(value, measure) for code, value in values.items()}
    return MeasureValues(
        measure, form, kind, values, frozenset(found.withheld), vintage(books, measure, year), found.note
    )


def rounded(value: float, measure: MapMeasure) -> float:
    """Round a value to what is written, so that classes hold what readers see; only zero becomes zero."""
    if measure.is_time:
        return figures.whole_minutes(value)
    if measure.is_share:
        found = round_half_up(value)
    elif measure.is_money:
        found = round_half_up(value, 2)
    else:
        found = figures.round_decimal(value)
    return found or value


def vintage(books: AccountData, measure: MapMeasure, year: int) -> str:
    """What a measure is made from, and of when: a line below its legend."""
    frame = books.coverage.frame
    if measure.code == "fragilite":
        about = [i.provenance for i in frame.snapshot.indicators[:1]]
        return f"{about[0].producer}, {about[0].vintage}" if about else "Aucun indicateur n'est chargé"
    if measure.subject is MeasureSubject.ACCESS or measure.code == "pass-temps":
        updated = frame.snapshot.sites_updated
        records = f"fiches jusqu'au {dates.long_date(updated)}" if updated else "fiches sans date"
        people = f"{frame.people.label}" + (
            f" ({frame.people.provenance.vintage})" if frame.people.provenance else ""
        )
        graph = frame.travel.graph
        roads = f" ({graph.about.vintage})" if graph is not None else ""
        return f"{frame.travel.label}{roads} · {people} · {records}"
    source = {
        MeasureSubject.MONEY: "Grand livre du fonds",
        MeasureSubject.PASSES: "Commandes et événements du Pass Numérique",
        MeasureSubject.ACTIONS: "Actions enregistrées",
    }[measure.subject]
    until = f", au {dates.long_date(frame.day)}" if year == frame.day.year else ""
    return f"{source} · année {year}{until} · population municipale"


def _access(books: AccountData, code: str, groups: Iterable[Grouping], kind: TerritoryKind) -> _RawValues:
    coverage = books.accepting if code == "pass-temps" else books.coverage
    found = _RawValues()
    if coverage is None:
        return found
    rows = books.access(coverage, kind)
    beyond = _beyond(books, coverage) if code == "audela" else {}
    for group in groups:
        row = rows[group.code]
        if code in ("temps", "pass-temps"):
            if row.median_min is not None:
                found.ratios[group.code] = row.median_min
        elif code == "offre":
            if row.people:
                found.ratios[group.code] = row.supply
        elif code == "lieux":
            found.add(group, row.site_count, per=10_000)
        else:
            published = beyond[kind, group.code, "people_beyond"]
            found.add(group, published, per=100)
            if published is not None and row.people:
                found.ratios[group.code] = 100 * row.people_beyond / row.people
    if code in ("lieux", "offre"):
        found.note = _undecided(coverage, code)
    if code == "audela":
        found.note = f"Hors de portée : à plus de {figures.minutes(coverage.question.beyond_min)} de trajet."
    return found


def _undecided(coverage: Coverage, code: str) -> str:
    """What undecided questions change: a line below the legend, empty if nothing."""
    whole, *_ = coverage.by_territory(TerritoryKind.DEPARTEMENT)
    if whole.site_range.certain:
        return ""
    if code == "lieux":
        return f"{figures.capital(whole.site_range.sentence)}."
    low, high = figures.decimal(whole.supply_low), figures.decimal(whole.supply)
    return f"Offre moyenne : entre {low} et {high} selon les questions à trancher." if low != high else ""


def _fragility(books: AccountData, groups: Iterable[Grouping]) -> _RawValues:
    """The first indicator loaded, as the mean of inhabitants."""
    found = _RawValues()
    communes = books.territory.commune_by_code
    for indicator in books.coverage.frame.snapshot.indicators[:1]:
        found.note = f"{indicator.name}{f', {indicator.unit}' if indicator.unit else ''}."
        for group in groups:
            weighted = [
                (indicator.values[c], communes[c].population) for c in group.communes if c in indicator.values
            ]
            if people := sum(population for _, population in weighted):
                found.ratios[group.code] = sum(value * population for value, population in weighted) / people
    return found


def _beyond(books: AccountData, coverage: Coverage) -> Mapping[Key, int | None]:
    def counts() -> dict[str, dict[str, int]]:
        rows = books.access(coverage, TerritoryKind.COMMUNE).values()
        return {row.code: {"people_beyond": round(row.people_beyond)} for row in rows}

    return books.published("people_beyond", coverage.frame.day.year, counts)


def _money(
    books: AccountData, name: str, groups: Iterable[Grouping], kind: TerritoryKind, year: int
) -> _RawValues:
    found = _RawValues()
    lines = books.money.get(year)
    if lines is None:
        return found
    by_code = {line.key: line for line in reports.by_territory(lines, books.territory, kind)}
    for group in groups:
        found.add(group, getattr(by_code[group.code], name) / 100, per=1)
    apart = by_code.get(reports.UNPLACED)
    if apart is not None and (cents := getattr(apart, name)):
        found.note = (
            f"{figures.euros(cents)} ne sont rattachés à aucune commune du département : "
            "la carte ne peut les montrer."
        )
    return found


def _passes(
    books: AccountData, code: str, groups: Iterable[Grouping], kind: TerritoryKind, year: int
) -> _RawValues:
    found = _RawValues()
    communes = books.passes_of(TerritoryKind.COMMUNE, year)
    if not communes:
        return found

    names = ("given", "used", "expired")

    def counts() -> dict[str, dict[str, int]]:
        return {c: {n: getattr(row.figures, n) for n in names} for c, row in communes.items()}

    published = books.published("passes", year, counts)
    if code in _PASSES:
        for group in groups:
            found.add(group, published[kind, group.code, _PASSES[code]], per=1_000)
        return found
    for group in groups:
        given, used = (published[kind, group.code, name] for name in ("given", "used"))
        if given is None or used is None:
            found.withheld.add(group.code)
        elif given:
            found.ratios[group.code] = 100 * used / given
    found.note = (
        "Sans pass donné dans l'année, le taux n'est pas connu ; "
        "il dépasse 100 % quand servent des pass donnés l'année d'avant."
    )
    return found


def _actions(books: AccountData, code: str, groups: Iterable[Grouping], year: int) -> _RawValues:
    found = _RawValues()
    if not any(action.day.year <= year for action in books.actions):
        return found
    count: Counter[str] = Counter()
    cents: Counter[str] = Counter()
    for action in books.actions:
        if action.day.year == year:
            count[action.commune] += 1
            cents[action.commune] += action.amount_cents
    for group in groups:
        if code == "actions":
            found.add(group, sum(count[c] for c in group.communes), per=10_000)
        else:
            found.add(group, sum(cents[c] for c in group.communes) / 100, per=1)
    return found
