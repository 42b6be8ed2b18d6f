"""All the fund holds as files: every table and report for those who run it, and what may be published."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date
from decimal import Decimal
from typing import Final

from geo.funding import actions as action_domain
from geo.funding import disclosure_control, money, pass_reports, reports
from geo.funding.account import (
    PASS_MEASURES,
    AccountData,
    TerritoryAccount,
    persons_of_actions,
    persons_of_passes,
)
from geo.funding.action_kinds import Kinds
from geo.funding.actions import Action
from geo.funding.datapackage import Field, Foreign, PackageMetadata, Resource, TableSchemaType, package
from geo.funding.ledger import Entry, EntryKind
from geo.funding.pass_reports import by_territory
from geo.funding.passes import Event
from geo.funding.reports import By
from geo.funding.template_columns import Template, templates
from geo.funding.templates import DEMONSTRATION, template_row
from geo.store import actions, audit, known_references, ledger, ledger_reports, partners, passes
from geo.store.database import Connection
from geo.tables_out import Table, csv_bytes, text_columns, xlsx_bytes
from geo.territory.model import Grouping, Territory, TerritoryKind

TextTable = tuple[Sequence[str], list[list[str]]]
"""Headings, and rows of text."""

TOTAL: Final = "total"
"""Period that holds all years."""

NONE: Final = "none"
"""Key of the line of what names no partner, action line or commune."""

PAYMENT: Final = "pass/"
"""What the reference of the payment of an event begins with; the event's own follows."""

_ALL: Final = 10**9
_CHUNK: Final = 10_000


def everything(
    connection: Connection, books: AccountData, *, year: int, xlsx: bool = False
) -> dict[str, bytes]:
    """Every table and report as CSV, by name of file; those of records can be imported again as they are.

    They hold small counts of persons: they are for those who run the fund.

    Parameters
    ----------
    books
        What accounts are made from, accepting sites included.
    year
        Of the accounts of territories.
    """
    territory = books.coverage.frame.snapshot.territory
    tables = {
        **_records(connection, books.kinds),
        **_reports(connection, books),
        "accounts": accounts_table(
            books.account(group.code, kind, year=year) for kind, group in _groups(territory)
        ),
    }
    files = {
        f"{name}.csv": csv_bytes(text_columns(headings), rows) for name, (headings, rows) in tables.items()
    }
    if xlsx:
        invented = "oui, au moins en partie" if _fictitious(connection) else "non"
        about = [
            ("Fonds", territory.name),
            (DEMONSTRATION, invented),
            ("Publication", "Non : ces tables contiennent de petits nombres de personnes."),
        ]
        sheets = [Table(name, text_columns(headings), rows) for name, (headings, rows) in tables.items()]
        files["fonds.xlsx"] = xlsx_bytes(sheets, about)
    return files


def open_data(
    connection: Connection, territory: Territory, kinds: Kinds, *, licence: str, today: date
) -> dict[str, bytes]:
    """Tables of the public data package, small counts of persons withheld (`disclosure_control`)."""
    fictif = _fictitious(connection)
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


# --- records, as the templates have them


def _records(connection: Connection, kinds: Kinds) -> dict[str, TextTable]:
    known = templates(kinds)
    entries = ledger.entries(connection, limit=_ALL)
    by_reference = {entry.reference: entry for entry in entries}
    reference_of = {entry.id: entry.reference for entry in entries}
    rows: dict[str, Iterable[Mapping[str, object]]] = {
        "partners": [{name: getattr(p, name) for name in p.__slots__} for p in partners.list_(connection)],
        "partner-sites": [
            {"partner": link.partner_code, "site": link.site_id, "role": link.role}
            for link in partners.partner_sites(connection)
        ],
        "conventions": [
            {"partner": c.partner_code, "year": c.year, "reference": c.reference, "note": c.note}
            for c in partners.conventions(connection)
        ],
        **{
            name: [_posted(entry, reference_of) for entry in entries if entry.kind is kind]
            for name, kind in (
                ("contributions", EntryKind.CONTRIBUTION),
                ("commitments", EntryKind.COMMITMENT),
                ("payments", EntryKind.PAYMENT),
            )
        },
        "pass-orders": [
            {name: getattr(o, name) for name in o.__slots__} | {"value": o.face_value_cents}
            for o in passes.orders(connection)
        ],
        "pass-events": [_happened(event, by_reference, reference_of) for event in _events(connection)],
        **{
            name: [_done(action) for action in actions.list_(connection, kind=template.action_kind)]
            for name, template in known.items()
            if template.action_kind
        },
    }
    tables = {name: _table(known[name], values) for name, values in rows.items()}
    tables["ledger"] = _ledger(entries, reference_of)
    tables["rules"] = (
        ("à partir du", "taux", "plafond (€)", "note"),
        [
            [
                rule.day.isoformat(),
                str(Decimal(rule.rate_bp) / 10_000),
                "" if rule.ceiling_cents is None else money.plain(rule.ceiling_cents),
                rule.note,
            ]
            for rule in ledger.rules(connection)
        ],
    )
    tables["audit"] = (
        ("numéro", "le", "auteur", "fait", "objet", "avant", "après"),
        [
            [
                str(change.id),
                change.at.isoformat(timespec="seconds"),
                change.actor,
                change.action,
                change.subject,
                _json(change.before),
                _json(change.after),
            ]
            for change in reversed(audit.list_(connection, limit=_ALL))
        ],
    )
    return tables


def _table(template: Template, values: Iterable[Mapping[str, object]]) -> TextTable:
    return [column.heading for column in template.columns], [template_row(template, each) for each in values]


def _events(connection: Connection) -> Iterator[Event]:
    every = known_references.event_references(connection)
    for start in range(0, len(every), _CHUNK):
        yield from passes.events(connection, every[start : start + _CHUNK])


def _posted(entry: Entry, reference_of: Mapping[int, str]) -> dict[str, object]:
    return {
        "reference": entry.reference,
        "day": entry.day,
        "amount": entry.amount_cents,
        "partner": entry.partner_code,
        "level": entry.level,
        "action_line": entry.action_line,
        "commune": entry.commune,
        "site": entry.site_id,
        "commitment": reference_of.get(entry.commitment_id or 0),
        "memo": entry.memo,
        "fictif": entry.fictif,
    }


def _happened(
    event: Event, entries: Mapping[str, Entry], reference_of: Mapping[int, str]
) -> dict[str, object]:
    paid = entries.get(f"{PAYMENT}{event.reference}")
    return {name: getattr(event, name) for name in event.__slots__} | {
        "commitment": reference_of.get(paid.commitment_id or 0) if paid else None
    }


def _done(action: Action) -> dict[str, object]:
    return {
        **action.measures,
        "reference": action.reference,
        "day": action.day,
        "until": action.until,
        "title": action.title,
        "commune": action.commune,
        "partner": action.partner_code,
        "site": action.site_id,
        "amount": action.amount_cents,
        "fictif": action.fictif,
    }


def _ledger(entries: Iterable[Entry], reference_of: Mapping[int, str]) -> TextTable:
    headings = (
        *("numéro", "nature", "date", "référence", "montant (€)", "de", "vers", "partenaire", "source"),
        *("ligne d'action", "commune", "lieu", "abondement dû (€)", "engagement", "contribution", "annule"),
        *("annulée par", "mémo", "auteur", "fictif", "enregistrée le"),
    )

    def named(id_: int | None) -> str:
        return reference_of.get(id_ or 0, "")

    return headings, [
        [
            str(e.id),
            e.kind.label,
            e.day.isoformat(),
            e.reference,
            money.plain(e.amount_cents),
            e.source.value,
            e.destination.value,
            e.partner_code or "",
            e.level.label if e.level else "",
            e.action_line or "",
            e.commune or "",
            e.site_id or "",
            "" if e.due_cents is None else money.plain(e.due_cents),
            named(e.commitment_id),
            named(e.contribution_id),
            named(e.reverses),
            named(e.reversed_by),
            e.memo,
            e.actor,
            _yes(e.fictif),
            e.posted_at.isoformat(timespec="seconds"),
        ]
        for e in entries
    ]


# --- reports


def _reports(connection: Connection, books: AccountData) -> dict[str, TextTable]:
    """Reports of each year and of all, those of territories with what lies there."""
    territory = books.coverage.frame.snapshot.territory
    tables: dict[str, TextTable] = {}
    years = [int(line.key) for line in ledger_reports.report(connection, By.YEAR).lines]
    for by in (*By, *TerritoryKind):
        headings: Sequence[str] = ()
        lines: list[list[str]] = []
        for year in (None, *(years if by is not By.YEAR else ())):
            heading, *found = reports.rows(
                ledger_reports.report(connection, by, year=year, territory=territory)
            )
            headings = ["période", *heading]
            lines += [[_period(year), *row] for row in found]
        tables[f"fund-by-{by}"] = headings, lines
    counts = passes.counts(connection)
    given_in = sorted({int(each) for each in counts.year})
    snapshot = books.coverage.frame.snapshot
    commune_of_site = {site.id: site.code_insee for site in snapshot.sites}
    need = next(iter(snapshot.indicators), None)
    fragile = pass_reports.most_fragile(territory, need) if need else None
    for kind in TerritoryKind:
        records = [
            {"period": _period(year), **record}
            for year in (None, *given_in)
            for record in pass_reports.flat(
                pass_reports.by_territory(
                    counts,
                    territory,
                    kind,
                    year=year,
                    fragile=fragile,
                    coverage=books.accepting,
                    commune_of_site=commune_of_site,
                ).rows
            )
        ]
        tables[f"passes-by-{kind}"] = _flat(list(records[0]), records)
    far = pass_reports.deserts(counts, books.accepting) if books.accepting else ()
    tables["pass-deserts"] = _flat(
        [each.name for each in fields(pass_reports.Desert)], [asdict(each) for each in far]
    )
    every = actions.list_(connection)
    tables["actions-totals"] = (
        ("période", "nature", "mesure", "unité", "valeur", "actions", "source", "hypothèse"),
        [
            [_period(year), t.kind, t.label, t.unit, f"{t.value:g}", str(t.actions), t.source, t.hypothesis]
            for year in (None, *sorted({action.day.year for action in every}))
            for t in action_domain.totals((a for a in every if year in (None, a.day.year)), books.kinds)
        ],
    )
    return tables


def accounts_table(accounts: Iterable[TerritoryAccount]) -> TextTable:
    """Every figure of accounts, a row each; what accounts withhold is withheld here too."""
    headings = (
        *("niveau", "code", "nom", "année", "sujet", "mesure", "intitulé", "unité", "valeur"),
        *("département (moyenne)", "un an avant", "non publié", "date", "source"),
    )
    return headings, [
        [
            account.kind.value,
            account.code,
            account.name,
            str(account.year),
            section.title,
            figure.code,
            figure.label,
            figure.unit,
            *("" if v is None else str(v) for v in (figure.value, figure.departement, figure.before)),
            " ".join(figure.withheld),
            figure.day.isoformat(),
            figure.source,
        ]
        for account in accounts
        for section in account.sections
        for figure in section.figures
    ]


def _flat(headings: Sequence[str], records: Iterable[Mapping[str, object]]) -> TextTable:
    return headings, [["" if v is None else str(v) for v in record.values()] for record in records]


def _period(year: int | None) -> str:
    return TOTAL if year is None else str(year)


# --- what may be published

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
        [(kind.value, g.code, g.name, g.population) for kind, g in _groups(territory)],
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
        told = disclosure_control.published_together(persons_of_passes(communes), territory)
        rows += [
            (kind.value, code, str(year), measure, count, count is None)
            for (kind, code, measure), count in told.items()
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
    for kind, group in _groups(territory):
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
            value: object = _exact(total.value)
            withheld = False
            if total.secret:
                declared = {d.name: (d.of, d.factor) for d in kinds[total.kind].derived}
                base, factor = declared.get(total.name, (total.name, 1))
                shown, withheld = secret[total.kind, base].get(place, (0, False))
                value = None if shown is None else _exact(shown * factor)
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
            told = disclosure_control.published_together(persons_of_actions(done, kind, year), territory)
            for (level, code, name), count in told.items():
                found[kind.code, name][level.value, code, str(year)] = (count, count is None)
                before = sums.get((name, level, code), 0)
                sums[name, level, code] = None if count is None or before is None else before + count
        for (name, level, code), count in sums.items():
            found[kind.code, name][level.value, code, TOTAL] = (count, count is None)
    return found


def _groups(territory: Territory) -> Iterator[tuple[TerritoryKind, Grouping]]:
    for kind in TerritoryKind:
        for group in sorted(territory.groupings_of(kind), key=lambda g: g.code):
            yield kind, group


def _fictitious(connection: Connection) -> bool:
    return (
        ledger_reports.report(connection, By.LEVEL).fictif
        or any(partner.fictif for partner in partners.list_(connection))
        or any(order.fictif for order in passes.orders(connection))
        or any(action.fictif for action in actions.list_(connection))
    )


def _exact(value: float) -> Decimal:
    """A figure without the dust of binary fractions."""
    return Decimal(f"{value:.10g}")


def _json(value: object) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _yes(flag: bool) -> str:
    return "oui" if flag else "non"
