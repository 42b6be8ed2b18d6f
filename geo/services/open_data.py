"""Publish the fund, passes and actions as open data: a data package without small counts of persons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final

from geo.funding import actions as action_domain
from geo.funding import disclosure_control, reports
from geo.funding.account_sections import PASS_MEASURES, persons_of_actions, persons_of_passes
from geo.funding.action_kinds import Kinds
from geo.funding.actions import Action
from geo.funding.datapackage import Field, Foreign, PackageMetadata, Resource, TableSchemaType, package
from geo.funding.pass_reports import by_territory
from geo.funding.reports import By
from geo.funding.templates import DEMONSTRATION
from geo.services.export_funding import NONE, TOTAL, all_groups, exact_decimal, is_fictitious
from geo.store import actions, ledger_reports, partners, passes
from geo.store.database import Connection
from geo.territory.model import Territory, TerritoryKind

_EUROS: Final = {
    f"{name.removesuffix('_cents')}_eur": (name, words) for name, words in reports.MEASURES.items()
}
_TERRITORY: Final = (
    Field(
        "territory_kind",
        TableSchemaType.STRING,
        "Niveau du territoire",
        among=tuple(TerritoryKind),
        required=True,
    ),
    Field(
        "territory", TableSchemaType.STRING, "Code du territoire", "INSEE, ou du regroupement.", required=True
    ),
)
_PERIOD: Final = Field(
    "period", TableSchemaType.STRING, "Période", f"Année, ou « {TOTAL} » : toutes.", required=True
)
_WITHHELD: Final = Field(
    "withheld",
    TableSchemaType.BOOLEAN,
    "Retenu",
    "Vrai : la valeur n'est pas publiée (petits nombres).",
    required=True,
)
_FOREIGN: Final = Foreign(("territory_kind", "territory"), "territories", ("kind", "code"))


def open_data_package(
    connection: Connection, territory: Territory, kinds: Kinds, *, licence: str, today: date
) -> dict[str, bytes]:
    """Tables of the public data package, small counts of persons withheld (`disclosure_control`)."""
    fictif = is_fictitious(connection)
    said = (
        f"Fonds d'inclusion numérique, Pass Numérique et actions : {territory.name}. Les petits nombres de "
        f"personnes (1 à {disclosure_control.THRESHOLD - 1}) sont retenus, et d'autres avec eux pour "
        "qu'ils ne puissent être retrouvés ; une ligne absente vaut zéro."
    )
    about = PackageMetadata(
        name=f"fonds-inclusion-numerique-{territory.code.lower()}",
        title=f"Fonds d'inclusion numérique – {territory.name}" + (f" – {DEMONSTRATION}" if fictif else ""),
        description=f"{DEMONSTRATION} : tout ou partie est inventé. {said}" if fictif else said,
        licence=licence,
        sources=(
            f"Registres du fonds, {territory.name}",
            *(f"{p.subject} : {p.producer}, {p.vintage}, {p.licence}" for p in territory.provenance),
        ),
        created=today,
    )
    resources = (
        _territories(territory),
        _public_partners(connection),
        _public_fund(connection, territory),
        _public_passes(connection, territory),
        _public_actions(connection, territory, kinds),
    )
    return package(resources, about)


def _territories(territory: Territory) -> Resource:
    return Resource(
        "territories",
        "Territoires",
        "Communes et regroupements que les autres tables nomment.",
        (
            Field("kind", TableSchemaType.STRING, "Niveau", among=tuple(TerritoryKind), required=True),
            Field("code", TableSchemaType.STRING, "Code", required=True),
            Field("name", TableSchemaType.STRING, "Nom", required=True),
            Field("population", TableSchemaType.INTEGER, "Population municipale (habitants)"),
        ),
        [(kind.value, g.code, g.name, g.population) for kind, g in all_groups(territory)],
        ("kind", "code"),
    )


def _public_partners(connection: Connection) -> Resource:
    return Resource(
        "partners",
        "Partenaires",
        "Partenaires du fonds et membres du réseau ; aucune donnée sur une personne.",
        (
            Field("code", TableSchemaType.STRING, "Code", required=True),
            Field("name", TableSchemaType.STRING, "Nom", required=True),
            Field(
                "kind",
                TableSchemaType.STRING,
                "Nature",
                "public, association, operator (opérateur) ou company.",
            ),
            Field("siret", TableSchemaType.STRING, "SIRET"),
            Field("website", TableSchemaType.STRING, "Site web"),
            Field("network_from", TableSchemaType.DATE, "Entrée dans le réseau"),
            Field("network_to", TableSchemaType.DATE, "Sortie du réseau"),
            Field("fictif", TableSchemaType.BOOLEAN, "Inventé", required=True),
        ),
        [
            (p.code, p.name, p.kind.value, p.siret, p.website, p.network_from, p.network_to, p.fictif)
            for p in partners.list_(connection)
        ],
        ("code",),
    )


def _public_fund(connection: Connection, territory: Territory) -> Resource:
    years = [int(line.key) for line in ledger_reports.report(connection, By.YEAR).lines]
    rows = []
    for by in (*By, *TerritoryKind):
        for year in (None, *years):
            if by is By.YEAR and year is not None:
                continue
            for line in ledger_reports.report(connection, by, year=year, territory=territory).lines:
                cents = [getattr(line, name) for name, _ in _EUROS.values()]
                if any(cents):
                    period = TOTAL if year is None else str(year)
                    euros = [Decimal(c).scaleb(-2) for c in cents]
                    rows.append((by.value, line.key or NONE, line.name, period, *euros, line.fictif))
    return Resource(
        "fund",
        "Fonds",
        "Ce que le fonds a reçu, engagé, payé : par partenaire, année, source, ligne d'action, territoire.",
        (
            Field(
                "by",
                TableSchemaType.STRING,
                "Ce que dit la ligne",
                among=(*By, *TerritoryKind),
                required=True,
            ),
            Field(
                "key", TableSchemaType.STRING, "Code", f"« {NONE} » : ce qui n'en nomme aucun.", required=True
            ),
            Field("name", TableSchemaType.STRING, "Nom"),
            _PERIOD,
            *(Field(name, TableSchemaType.NUMBER, f"{words} (€)") for name, (_, words) in _EUROS.items()),
            Field("fictif", TableSchemaType.BOOLEAN, "Inventé", "Tout ou partie l'est.", required=True),
        ),
        rows,
        ("by", "key", "period"),
    )


def _public_passes(connection: Connection, territory: Territory) -> Resource:
    """Passes given, and what became of them, year by year.

    Withheld as accounts and the API withhold them: two masks of the same counts protect neither.
    """
    counts = passes.counts(connection)
    rows = []
    for year in sorted({int(each) for each in counts.year}):
        communes = by_territory(counts, territory, TerritoryKind.COMMUNE, year=year).rows
        published = disclosure_control.published_together(persons_of_passes(communes), territory)
        rows += [
            (kind.value, code, str(year), measure, count, count is None)
            for (kind, code, measure), count in published.items()
            if count != 0
        ]
    return Resource(
        "passes",
        "Pass Numérique",
        "Pass donnés (given), utilisés (used), expirés (expired), par année et par territoire.",
        (
            *_TERRITORY,
            Field("period", TableSchemaType.STRING, "Année", required=True),
            Field("measure", TableSchemaType.STRING, "Mesure", among=PASS_MEASURES, required=True),
            Field("passes", TableSchemaType.INTEGER, "Pass"),
            _WITHHELD,
        ),
        rows,
        ("territory_kind", "territory", "period", "measure"),
        (_FOREIGN,),
    )


def _public_actions(connection: Connection, territory: Territory, kinds: Kinds) -> Resource:
    every = [action for action in actions.list_(connection) if action.commune in territory.own_codes]
    by_place: dict[tuple[str, str, str], list[Action]] = defaultdict(list)
    holds: dict[str, list[tuple[TerritoryKind, str]]] = defaultdict(list)
    for kind, group in all_groups(territory):
        for code in group.communes:
            holds[code].append((kind, group.code))
    for action in every:
        for kind, code in holds[action.commune]:
            for period in (str(action.day.year), TOTAL):
                by_place[kind.value, code, period].append(action)
    secret = _secret_measures(every, territory, kinds)
    rows: list[tuple[object, ...]] = []
    for place, done in sorted(by_place.items()):
        for total in action_domain.totals(done, kinds):
            value: object = exact_decimal(total.value)
            withheld = False
            if total.secret:
                declared = {d.name: (d.of, d.factor) for d in kinds[total.kind].derived}
                base, factor = declared.get(total.name, (total.name, 1))
                shown, withheld = secret[total.kind, base].get(place, (0, False))
                value = None if shown is None else exact_decimal(shown * factor)
            rows.append((*place, total.kind, total.name, total.label, total.unit, value, withheld))
        for kind_ in kinds.values():
            if own := [action for action in done if action.kind == kind_.code]:
                spent = Decimal(sum(action.amount_cents for action in own)).scaleb(-2)
                rows.append((*place, kind_.code, "count", "actions", "actions", len(own), False))
                rows.append((*place, kind_.code, "amount", "montant", "€", spent, False))
    return Resource(
        "actions",
        "Actions",
        "Ce que mesurent les actions, par nature et par territoire de la commune où elles se tiennent.",
        (
            *_TERRITORY,
            _PERIOD,
            Field(
                "action_kind", TableSchemaType.STRING, "Nature d'action", among=tuple(kinds), required=True
            ),
            Field("measure", TableSchemaType.STRING, "Mesure", required=True),
            Field("label", TableSchemaType.STRING, "Ce qu'elle compte"),
            Field("unit", TableSchemaType.STRING, "Unité"),
            Field("value", TableSchemaType.NUMBER, "Valeur"),
            _WITHHELD,
        ),
        rows,
        ("territory_kind", "territory", "period", "action_kind", "measure"),
        (_FOREIGN,),
    )


def _secret_measures(
    every: Iterable[Action], territory: Territory, kinds: Kinds
) -> dict[tuple[str, str], dict[tuple[str, str, str], tuple[int | None, bool]]]:
    """Return what may be published of each measure that counts persons, by kind of action and measure.

    Withheld as in accounts and the API, year by year; a sum over years is published if each
    year is.
    """
    found: dict[tuple[str, str], dict[tuple[str, str, str], tuple[int | None, bool]]] = defaultdict(dict)
    done = list(every)
    for kind in kinds.values():
        sums: dict[tuple[str, TerritoryKind, str], int | None] = {}
        for year in sorted({action.day.year for action in done if action.kind == kind.code}):
            counts = disclosure_control.published_together(persons_of_actions(done, kind, year), territory)
            for (level, code, name), count in counts.items():
                found[kind.code, name][level.value, code, str(year)] = (count, count is None)
                before = sums.get((name, level, code), 0)
                sums[name, level, code] = None if count is None or before is None else before + count
        for (name, level, code), count in sums.items():
            found[kind.code, name][level.value, code, TOTAL] = (count, count is None)
    return found
