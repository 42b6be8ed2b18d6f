"""Export all tables and reports of the fund as files, for those who run it; `open_data` is for the public."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from decimal import Decimal
from typing import Final

from geo.funding import actions as action_domain
from geo.funding import money, pass_reports, reports
from geo.funding.account import AccountData
from geo.funding.account_model import TerritoryAccount
from geo.funding.action_kinds import Kinds
from geo.funding.actions import Action
from geo.funding.ledger import Entry, EntryKind
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
            books.account(group.code, kind, year=year) for kind, group in all_groups(territory)
        ),
    }
    files = {
        f"{name}.csv": csv_bytes(text_columns(headings), rows) for name, (headings, rows) in tables.items()
    }
    if xlsx:
        invented = "oui, au moins en partie" if is_fictitious(connection) else "non"
        about = [
            ("Fonds", territory.name),
            (DEMONSTRATION, invented),
            ("Publication", "Non : ces tables contiennent de petits nombres de personnes."),
        ]
        sheets = [Table(name, text_columns(headings), rows) for name, (headings, rows) in tables.items()]
        files["fonds.xlsx"] = xlsx_bytes(sheets, about)
    return files


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
            lines += [[period_label(year), *row] for row in found]
        tables[f"fund-by-{by}"] = headings, lines
    counts = passes.counts(connection)
    given_in = sorted({int(each) for each in counts.year})
    snapshot = books.coverage.frame.snapshot
    need = next(iter(snapshot.indicators), None)
    fragile = pass_reports.most_fragile(territory, need) if need else None
    for kind in TerritoryKind:
        records = [
            {"period": period_label(year), **record}
            for year in (None, *given_in)
            for record in pass_reports.flat(
                pass_reports.by_territory(
                    counts,
                    territory,
                    kind,
                    year=year,
                    fragile=fragile,
                    coverage=books.accepting,
                    commune_of_site=snapshot.commune_of_site,
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
            [
                period_label(year),
                t.kind,
                t.label,
                t.unit,
                f"{t.value:g}",
                str(t.actions),
                t.source,
                t.hypothesis,
            ]
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


def period_label(year: int | None) -> str:
    """Return the year as text, or `TOTAL` for all years."""
    return TOTAL if year is None else str(year)


def all_groups(territory: Territory) -> Iterator[tuple[TerritoryKind, Grouping]]:
    """Yield every territory with its kind, by kind and code."""
    for kind in TerritoryKind:
        for group in sorted(territory.groupings_of(kind), key=lambda g: g.code):
            yield kind, group


def is_fictitious(connection: Connection) -> bool:
    """Return whether any partner, entry, order or action is invented."""
    return (
        ledger_reports.report(connection, By.LEVEL).fictif
        or any(partner.fictif for partner in partners.list_(connection))
        or any(order.fictif for order in passes.orders(connection))
        or any(action.fictif for action in actions.list_(connection))
    )


def exact_decimal(value: float) -> Decimal:
    """A figure without the dust of binary fractions."""
    return Decimal(f"{value:.10g}")


def _json(value: object) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _yes(flag: bool) -> str:
    return "oui" if flag else "non"
