"""Rows of a CSV or XLSX of money, passes or actions, read into records; all that is wrong is told.

Nothing here reads the store: what rows may speak of is given (`Known`), and what the books refuse
besides (a payment beyond what is left…) is told by `geo.services.import_funding`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from geo import gc_pause
from geo.errors import PorteeError, UnreadableFile
from geo.funding import actions, money, partners, passes
from geo.funding.actions import Kinds
from geo.funding.ledger import Commitment, Contribution, Level, Payment
from geo.funding.partners import Convention, Partner, PartnerKind, SiteLink, SiteRole
from geo.funding.passes import Event, EventKind, Order
from geo.funding.templates import EXAMPLE, CellType, Column, Template
from geo.people.tables import open_table, quoted
from geo.sites.commune_resolver import normalized_commune_name
from geo.sites.export import unescape_formula
from geo.sites.model import Issue, Severity
from geo.sites.text import fold
from geo.territory.model import Territory

TEXT_MAX: Final = 1_000
REFERENCE_MAX: Final = 100
YEARS: Final = (2000, 2100)

_PROGRESS_EVERY: Final = 4_096
_REMEMBERED_MAX: Final = 4_096
_NEW: Final = object()
_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_FRENCH: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_WHOLE: Final = re.compile(r"[+-]?\d{1,10}", re.ASCII)
_CODE: Final = re.compile(r"\d[0-9AB]\d{2,3}", re.ASCII)
_FUNDER: Final = re.compile(r"([^=|]+)=\s*(\d{1,10})\s*", re.ASCII)
_FLAGS: Final = {
    **dict.fromkeys(("oui", "true", "vrai", "1"), True),
    **dict.fromkeys(("non", "false", "faux", "0"), False),
}

Record = (
    Partner | SiteLink | Convention | Contribution | Commitment | Payment | Order | Event | actions.Action
)
"""What a row may tell."""


@dataclass(frozen=True)
class RowReferences:
    """What rows may speak of."""

    territory: Territory
    partners: Collection[str]
    sites: Collection[str]
    orders: Mapping[str, Order]
    kinds: Kinds

    @cached_property
    def communes(self) -> dict[str, list[str]]:
        """Codes of the communes a folded name may mean: the territory's own, else its neighbours'."""
        found: dict[str, list[str]] = {}
        for commune in self.territory.communes:
            found.setdefault(normalized_commune_name(commune.name), []).append(commune.code)
        own = set(found)
        for commune in self.territory.context:
            if (name := normalized_commune_name(commune.name)) not in own:
                found.setdefault(name, []).append(commune.code)
        return found


@dataclass(frozen=True, slots=True)
class FundingRow:
    """A row accepted: its line, what it tells, and the commitment that pays it (passes reimbursed)."""

    line: int
    record: Record
    commitment: str = ""


@dataclass(slots=True)
class Reading:
    """A file read: `read == len(rows) + repeated + rejected`, always.

    `repeated` are rows told before in the same file, word for word.
    """

    file_name: str
    sha256: str
    template: Template
    read: int = 0
    repeated: int = 0
    rejected: int = 0
    rows: list[FundingRow] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


@gc_pause.gc_disabled()
def read(
    path: Path,
    template: Template,
    known: RowReferences,
    *,
    today: date,
    max_bytes: int,
    progress: Callable[[int], None] | None = None,
) -> Reading:
    """Read a file of one kind; each row ends accepted or rejected, with all that is wrong with it.

    Headings are the template's, in any order, whatever their case and accents, or English names.

    Parameters
    ----------
    today
        The day after which an event of passes is in the future.
    max_bytes
        Largest size read; a larger file is refused unread.

    Raises
    ------
    UnreadableFile
        If the file cannot be read, lacks a column that must be there, or has one that says nothing.
    """
    needed = {column for column in template.columns if column.required}
    table = open_table(
        path, max_bytes=max_bytes, announced=lambda names: needed <= {*template.columns_of(names)}
    )
    columns = template.columns_of(table.columns)
    _require_columns(path.name, table.columns, columns, template)
    rows = _RowReader(template, columns, known, today)
    result = Reading(path.name, table.sha256, template)
    seen: dict[tuple[object, ...], FundingRow] = {}
    for line, cells in table.rows():
        result.read += 1
        row = rows.row(line, cells, result.issues)
        if row is None:
            result.rejected += 1
        elif (first := seen.setdefault(_key(template, row.record), row)) is row:
            result.rows.append(row)
        elif (first.record, first.commitment) == (row.record, row.commitment):
            result.repeated += 1
        else:
            result.rejected += 1
            result.issues.append(
                _issue(
                    line,
                    template.heading(template.key[-1]),
                    str(_key(template, row.record)[-1]),
                    "reference_repetee",
                    f"La ligne {first.line} dit autre chose sous la même référence.",
                    "Gardez la bonne ligne, ou donnez une autre référence.",
                )
            )
        if progress and result.read % _PROGRESS_EVERY == 0:
            progress(result.read)
    if progress:
        progress(result.read)
    return result


def refused(line: int, template: Template, problem: PorteeError, name: str, value: str = "") -> Issue:
    """The issue a refusal of a row comes to; `name` is the column at fault where it does not tell."""
    parameter = getattr(problem, "parameter", "") or name
    return _issue(line, template.heading(parameter), value, "refus", problem.message, problem.advice)


def record_key(template: Template, record: Record) -> tuple[object, ...]:
    """What tells a record from others of its kind."""
    return _key(template, record)


def _require_columns(
    name: str, headings: tuple[str, ...], columns: list[Column | None], template: Template
) -> None:
    shown = f"Ses colonnes sont {quoted(headings)}."
    advice = f"Partez du modèle : portee fund template {template.kind}."
    if missing := [c.heading for c in template.columns if c.required and c not in columns]:
        raise UnreadableFile(
            f"« {name} » n'a pas de colonne {', '.join(f'« {each} »' for each in missing)}. {shown}", advice
        )
    if strange := [h for h, c in zip(headings, columns, strict=True) if h and c is None]:
        raise UnreadableFile(
            f"« {name} » a des colonnes qui ne disent rien de « {template.label} » : {quoted(strange)}.",
            advice,
        )
    told = [c for c in columns if c is not None]
    if twice := {c.heading for c in told if told.count(c) > 1}:
        raise UnreadableFile(f"« {name} » a deux fois la colonne {quoted(sorted(twice))}.", advice)


class _CellFault(Exception):
    """What is wrong with a cell: code, reason, advice."""

    def __init__(self, code: str, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.code, self.reason, self.advice = code, reason, advice


class _RowReader:
    """Rows of one file on their way to records; cells met before are remembered."""

    def __init__(
        self, template: Template, columns: list[Column | None], known: RowReferences, today: date
    ) -> None:
        self.template, self.columns, self.known, self.today = template, columns, known, today
        self.absent = [c.name for c in template.columns if c not in columns]
        self.days: dict[str, date] = {}
        self.codes: dict[str, str] = {}
        # What cells of each column told, by their text; those of a reference are all different.
        self.met: list[dict[str, Any]] = [{} for _ in columns]
        self.parsers: dict[CellType, Callable[[str, Column], Any]] = {
            CellType.TEXT: _text,
            CellType.REFERENCE: _reference,
            CellType.DATE: self._day,
            CellType.EUROS: _euros,
            CellType.COUNT: _count,
            CellType.NUMBER: _text,
            CellType.YEAR: _year,
            CellType.CHOICE: _choice,
            CellType.FLAG: _flag,
            CellType.COMMUNE: self._commune,
            CellType.PARTNER: self._partner,
            CellType.SITE: self._site,
            CellType.ORDER: self._order,
            CellType.FUNDERS: _funders,
        }
        self.of_action = template.action_kind is not None

    def row(self, line: int, cells: list[str], issues: list[Issue]) -> FundingRow | None:
        """The row; or None, and what is wrong added to the issues."""
        width = len(self.columns)
        if (len(cells) != width and any(cell.strip() for cell in cells[width:])) or len(cells) < width:
            issues.append(
                _issue(
                    line,
                    "",
                    str(len(cells)),
                    "colonnes",
                    f"La ligne a {len(cells)} cellules ; l'en-tête annonce {width} colonnes.",
                    "Vérifiez les séparateurs et les guillemets de cette ligne.",
                )
            )
            return None
        before = len(issues)
        values: dict[str, Any] = dict.fromkeys(self.absent)
        for column, met, cell in zip(self.columns, self.met, cells, strict=False):
            if (value := met.get(cell, _NEW)) is not _NEW and column is not None:
                values[column.name] = value
                continue
            text = cell.strip()
            if column is None:
                if text:
                    issues.append(
                        _issue(line, "", text, "colonne_sans_nom", "Cette cellule n'a pas de colonne.")
                    )
                continue
            try:
                values[column.name] = value = self._value(column, text)
                if column.cell is not CellType.REFERENCE and len(met) < _REMEMBERED_MAX:
                    met[cell] = value
            except _CellFault as fault:
                issues.append(_issue(line, column.heading, text, fault.code, fault.reason, fault.advice))
            except PorteeError as problem:
                issues.append(_issue(line, column.heading, text, "montant", problem.message, problem.advice))
        if len(issues) > before:
            return None
        try:
            record = (
                self._action(line, values, issues)
                if self.of_action
                else _BUILDERS[self.template.kind](self, values)
            )
        except _RowFault as wrong:
            issues.append(
                _issue(line, self.template.heading(wrong.name), self._cell(wrong.name, cells), *wrong.args)
            )
            return None
        except PorteeError as problem:
            name = getattr(problem, "parameter", "") or self.template.key[-1]
            issues.append(refused(line, self.template, problem, name, self._cell(name, cells)))
            return None
        commitment = values.get("commitment") if isinstance(record, Event) else None
        return None if record is None else FundingRow(line, record, commitment or "")

    def _cell(self, name: str, cells: list[str]) -> str:
        """The cell of a column as the row has it; empty when the file has no such column."""
        found = (
            c.strip()
            for column, c in zip(self.columns, cells, strict=False)
            if column and column.name == name
        )
        return next(found, "")

    def _value(self, column: Column, text: str) -> Any:
        if not text.isprintable():
            text = " ".join(text.split())
            if not text.isprintable():
                raise _CellFault(
                    "signes_invisibles",
                    "La cellule contient des signes qui ne s'impriment pas.",
                    "Tapez-la de nouveau.",
                )
        if not text:
            if column.required:
                raise _CellFault(
                    "valeur_absente", f"« {column.heading} » doit être dit.", f"Attendu : {column.allowed}."
                )
            return None
        if text[0] == "=":
            raise _CellFault(
                "formule", "La cellule contient une formule, pas une valeur.", "Collez la valeur seule."
            )
        if text[0] == "'":
            text = unescape_formula(text)
        if self.of_action and column.cell in _LEFT_TO_ACTIONS:
            return text
        return self.parsers[column.cell](text, column)

    def _day(self, text: str, _: Column) -> date:
        if (known := self.days.get(text)) is not None:
            return known
        try:
            if iso := _ISO.fullmatch(text):
                day = date(int(iso[1]), int(iso[2]), int(iso[3]))
            elif french := _FRENCH.fullmatch(text):
                day = date(int(french[3]), int(french[2]), int(french[1]))
            else:
                raise ValueError
        except ValueError:
            raise _CellFault(
                "date_illisible", "Ce n'est pas une date.", "Écrivez 2026-03-12 ou 12/03/2026."
            ) from None
        if not YEARS[0] <= day.year <= YEARS[1]:
            raise _CellFault(
                "date_invraisemblable", f"L'année n'est pas de {YEARS[0]} à {YEARS[1]}.", "Vérifiez-la."
            )
        self.days[text] = day
        return day

    def _commune(self, text: str, _: Column) -> str:
        if (known := self.codes.get(text)) is not None:
            return known
        self.codes[text] = code = self._found_commune(text)
        return code

    def _found_commune(self, text: str) -> str:
        if _CODE.fullmatch(text.upper()):
            code = text.upper().zfill(5)  # a spreadsheet loses the first 0
            if code in self.known.territory.commune_by_code:
                return code
            raise _CellFault(
                "commune_inconnue",
                "Aucune commune du territoire ou de ses voisins ne porte ce code.",
                "Donnez son code INSEE (et non postal), comme 47001.",
            )
        found = (
            self.known.communes.get(normalized_commune_name(text), []) if len(text) <= REFERENCE_MAX else []
        )
        if len(found) == 1:
            return found[0]
        if found:
            raise _CellFault(
                "commune_ambigue",
                f"{len(found)} communes portent ce nom : {', '.join(found[:8])}.",
                "Donnez le code INSEE de la bonne.",
            )
        raise _CellFault(
            "commune_inconnue",
            "Aucune commune du territoire ou de ses voisins ne porte ce nom.",
            "Donnez son code INSEE, comme 47001.",
        )

    def _partner(self, text: str, _: Column) -> str:
        if text not in self.known.partners:
            raise _CellFault(
                "partenaire_inconnu",
                "Aucun partenaire ne porte ce code.",
                "Enregistrez d'abord le partenaire : portee fund import … --kind partners.",
            )
        return text

    def _site(self, text: str, _: Column) -> str:
        if text not in self.known.sites:
            raise _CellFault(
                "lieu_inconnu",
                "Aucun lieu, en service ou retiré, ne porte cet identifiant.",
                "Donnez l'identifiant public du lieu : portee sites list.",
            )
        return text

    def _order(self, text: str, _: Column) -> str:
        if text not in self.known.orders:
            raise _CellFault(
                "commande_inconnue",
                "Aucune commande ne porte cette référence.",
                "Enregistrez d'abord la commande : portee fund import … --kind pass-orders.",
            )
        return text

    def _made_partner(self, v: dict[str, Any]) -> Record:
        return partners.checked(
            Partner(
                code=v["code"],
                name=v["name"],
                kind=PartnerKind(v["kind"]),
                siret=(v["siret"] or "").replace(" ", ""),
                contact_role=v["contact_role"] or "",
                website=v["website"] or "",
                note=v["note"] or "",
                network_from=v["network_from"],
                network_to=v["network_to"],
                fictif=bool(v["fictif"]),
            )
        )

    def _link(self, v: dict[str, Any]) -> Record:
        return SiteLink(v["partner"], v["site"], SiteRole(v["role"]))

    def _convention(self, v: dict[str, Any]) -> Record:
        return partners.checked_convention(
            Convention(v["partner"], v["year"], v["reference"], v["note"] or "")
        )

    def _contribution(self, v: dict[str, Any]) -> Record:
        return Contribution(
            reference=v["reference"],
            day=v["day"],
            amount_cents=v["amount"],
            partner_code=v["partner"],
            level=Level(v["level"]),
            commune=v["commune"],
            memo=v["memo"] or "",
            fictif=bool(v["fictif"]),
        )

    def _commitment(self, v: dict[str, Any]) -> Record:
        return Commitment(
            reference=v["reference"],
            day=v["day"],
            amount_cents=v["amount"],
            action_line=v["action_line"],
            partner_code=v["partner"],
            commune=v["commune"],
            site_id=v["site"],
            memo=v["memo"] or "",
            fictif=bool(v["fictif"]),
        )

    def _payment(self, v: dict[str, Any]) -> Record:
        return Payment(
            reference=v["reference"],
            day=v["day"],
            amount_cents=v["amount"],
            commitment=v["commitment"],
            partner_code=v["partner"],
            commune=v["commune"],
            site_id=v["site"],
            memo=v["memo"] or "",
            fictif=bool(v["fictif"]),
        )

    def _pass_order(self, v: dict[str, Any]) -> Record:
        if unknown := [code for code, _ in v["funders"] if code not in self.known.partners]:
            raise _RowFault(
                "funders",
                "partenaire_inconnu",
                f"Aucun partenaire ne porte le code {quoted(unknown)}.",
                "Enregistrez d'abord le partenaire.",
            )
        order = Order(
            reference=v["reference"],
            day=v["day"],
            count=v["count"],
            expires_on=v["expires_on"],
            funders=v["funders"],
            face_value_cents=v["value"] or passes.FACE_VALUE_CENTS,
            note=v["note"] or "",
            fictif=bool(v["fictif"]),
        )
        passes.require_order(order)
        return order

    def _event(self, v: dict[str, Any]) -> Record:
        event = Event(
            v["reference"],
            v["order"],
            EventKind(v["kind"]),
            v["day"],
            v["count"],
            v["commune"] or "",
            v["partner"] or "",
            v["site"] or "",
            v["corrects"] or "",
        )
        kind, day, order = event.kind, event.day, self.known.orders[event.order]
        if day > self.today or day < order.day:
            reason = (
                "Ce jour n'est pas encore venu."
                if day > self.today
                else f"La commande n'a été passée que le {order.day:%d/%m/%Y}."
            )
            raise _RowFault("day", "date_impossible", reason, "Corrigez la date ou la commande.")
        if (day > order.expires_on) != (kind is EventKind.EXPIRED) and kind is not EventKind.REIMBURSED:
            reason = f"Le dernier jour de ces pass est le {order.expires_on:%d/%m/%Y}."
            raise _RowFault("day", "date_impossible", reason, "Corrigez la date ou la commande.")
        if event.count == 0 or (event.count < 0) != bool(event.corrects):
            raise _RowFault(
                "count",
                "correction_incomplete",
                "Un nombre de pass est au-dessus de zéro, ou négatif s'il corrige un événement.",
                "Nommez l'événement corrigé dans la colonne Corrige, et donnez un nombre négatif.",
            )
        for name, needed in (
            ("commune", kind is EventKind.GIVEN),
            ("site", kind in (EventKind.USED, EventKind.REIMBURSED)),
            ("commitment", kind is EventKind.REIMBURSED),
        ):
            if needed and not v[name]:
                reason = f"Des pass {kind.label} demandent : {self.template.heading(name)}."
                raise _RowFault(name, "valeur_absente", reason, "Complétez la ligne.")
        return event

    def _action(self, line: int, v: dict[str, Any], issues: list[Issue]) -> Record | None:
        cells = {name: "" if value is None else str(value) for name, value in v.items()}
        cells["kind"] = self.template.action_kind or ""
        known = actions.ActionReferences(
            self.known.territory.own_codes, self.known.partners, self.known.sites
        )
        action, found = actions.read(cells, self.known.kinds, known, line=line)
        issues += [
            _issue(i.line, self.template.heading(i.field), i.value, i.code, i.reason, i.advice) for i in found
        ]
        return action


class _RowFault(Exception):
    """What is wrong with a row as a whole: the column that shows it; code, reason and advice as arguments."""

    def __init__(self, name: str, *told: str) -> None:
        super().__init__(*told)
        self.name = name


_LEFT_TO_ACTIONS: Final = frozenset(
    {CellType.DATE, CellType.EUROS, CellType.COUNT, CellType.NUMBER, CellType.FLAG, CellType.TEXT}
)
"""Cells that `geo.funding.actions.read` reads itself."""

_BUILDERS: Final[Mapping[str, Callable[[_RowReader, dict[str, Any]], Record]]] = {
    "partners": _RowReader._made_partner,
    "partner-sites": _RowReader._link,
    "conventions": _RowReader._convention,
    "contributions": _RowReader._contribution,
    "commitments": _RowReader._commitment,
    "payments": _RowReader._payment,
    "pass-orders": _RowReader._pass_order,
    "pass-events": _RowReader._event,
}

_KEY_FIELDS: Final = {"partner": "partner_code", "site": "site_id"}


def _key(template: Template, record: Record) -> tuple[object, ...]:
    return tuple(getattr(record, _KEY_FIELDS.get(name, name)) for name in template.key)


def _text(text: str, _: Column) -> str:
    if len(text) > TEXT_MAX:
        raise _CellFault("texte_trop_long", f"Le texte dépasse {TEXT_MAX} signes.", "Abrégez-le.")
    return text


def _reference(text: str, _: Column) -> str:
    if len(text) > REFERENCE_MAX:
        raise _CellFault(
            "reference_trop_longue", f"La référence dépasse {REFERENCE_MAX} signes.", "Abrégez-la."
        )
    if fold(text).startswith(EXAMPLE):
        raise _CellFault("exemple", "C'est la ligne d'exemple du modèle.", "Supprimez-la.")
    return text


def _euros(text: str, _: Column) -> int:
    return money.parse(text)


def _count(text: str, _: Column) -> int:
    bare = text.replace(" ", "")
    if not _WHOLE.fullmatch(bare) or abs(int(bare)) > passes.COUNT_MAX:
        raise _CellFault("nombre_illisible", "Ce n'est pas un nombre entier.", "Écrivez par exemple 12.")
    return int(bare)


def _year(text: str, column: Column) -> int:
    year = _count(text, column)
    if not YEARS[0] <= year <= YEARS[1]:
        raise _CellFault(
            "annee_invraisemblable", f"L'année n'est pas de {YEARS[0]} à {YEARS[1]}.", "Vérifiez-la."
        )
    return year


def _choice(text: str, column: Column) -> str:
    told = fold(text)
    for code, word in column.choices.items():
        # « donné » stands for « donnés ».
        if told in (code, fold(word), fold(word).removesuffix("s")):
            return code
    raise _CellFault(
        "valeur_inconnue", "Ce n'est pas une des valeurs possibles.", f"Écrivez {column.allowed}."
    )


def _flag(text: str, _: Column) -> bool:
    flag = _FLAGS.get(text.lower())
    if flag is None:
        raise _CellFault("oui_non", "Ce n'est ni oui ni non.", "Écrivez oui, non, ou rien.")
    return flag


def _funders(text: str, _: Column) -> tuple[tuple[str, int], ...]:
    found = [_FUNDER.fullmatch(part) for part in text.split("|")]
    told = tuple((match[1].strip(), int(match[2])) for match in found if match)
    if len(told) < len(found):
        raise _CellFault(
            "financeurs_illisibles",
            "Un financeur s'écrit code=pass.",
            "Séparez-les par | : caf-47=300 | msa-47=200.",
        )
    return told


def _issue(line: int, name: str, value: str, code: str, reason: str, advice: str = "") -> Issue:
    return Issue(line, name, value[:200], Severity.REJECTED, code, reason, advice)
