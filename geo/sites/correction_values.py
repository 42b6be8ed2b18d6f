"""Read the values of corrections by the parsers of imports. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from geo.sites import standard
from geo.sites.corrections import COMMUNE, FIELDS, POINT
from geo.sites.export import format_cell
from geo.sites.findings import shorten
from geo.sites.location_evidence import AddressLocator
from geo.sites.model import (
    LOCAL_FIELDS,
    LOCAL_PREFIX,
    Issue,
    Position,
    RawRow,
    Severity,
    Site,
    SourceRecord,
    is_known,
)
from geo.sites.text import fold
from geo.sites.validate import validate
from geo.territory.former_communes import FormerCommunes
from geo.territory.model import Territory

NEVER_UNKNOWN: Final = frozenset({"nom", *COMMUNE})
"""Fields of which a correction cannot say that they are not known."""

NOT_SET_DIRECTLY: Final = {
    "position": "Donnez « latitude » et « longitude » : la précision de la position en découle.",
}

UNKNOWN_WORD: Final = "inconnu"
"""Cell of a file of corrections that says that a value is not known."""

_ACCEPTED: Final = frozenset(
    {
        "commune_ancienne",
        "commune_deduite",
        "code_postal_corrige",
        "coordonnees_projetees",
        "position_adresse",
        "position_approximative",
        "position_rue",
    }
)
"""Findings of what was understood otherwise than written, which the answer shows."""

_REFUSED_REPAIRS: Final = frozenset({"resume_raccourci"})

_FIELD_BY_KEY: Final = {fold(name).replace("_", " "): name for name in sorted(FIELDS)}


@dataclass(frozen=True, slots=True)
class WantedCorrection:
    """Values that somebody wants to set over those of a site.

    Attributes
    ----------
    values
        Text by name of field, as in the cell of a table; "" says that the value is not known.
    day
        First day on which they apply; None: today.
    until
        Last day on which they apply; None: until the correction is ended.
    lines
        Line of the file of each value, for the issues; that of the first, for the others, is `line`.
    """

    site_id: str
    values: Mapping[str, str]
    reason: str
    day: date | None = None
    until: date | None = None
    lines: Mapping[str, int] = field(default_factory=dict)
    line: int = 0

    def line_of(self, name: str) -> int:
        """Return the line of the file that gives a value; 0 if no file does."""
        return self.lines.get(name, self.line)


@dataclass(frozen=True, slots=True)
class WantedValues:
    """Values to set over those of a site.

    Attributes
    ----------
    site
        As it is shown now.
    values
        Text by field, as in the cell of a table; "" says that the value is not known.
    lines
        Line of the file of each field, for the issues.
    """

    site: Site
    values: Mapping[str, str]
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, name: str) -> int:
        """Return the line of the file that gives a value, or that gives any; 0 if no file does."""
        return self.lines.get(name, next(iter(self.lines.values()), 0))


@dataclass(frozen=True, slots=True)
class ParsedValues:
    """Values by field, with those that follow from them; or what is wrong, by field."""

    values: Mapping[str, Any]
    issues: tuple[Issue, ...] = ()


def field_named(name: str) -> str | None:
    """Return the field of a name: in any case, with or without accents and the prefix of our columns."""
    key = fold(name.strip()).replace("_", " ").removeprefix(fold(LOCAL_PREFIX).replace("_", " "))
    return _FIELD_BY_KEY.get(key.strip())


def issue(line: int, field: str, value: str, code: str, reason: str, advice: str) -> Issue:
    """Return the issue for something that makes a correction impossible."""
    return Issue(line, field, shorten(value), Severity.REJECTED, code, reason, advice)


def parse_values(
    wanted: Sequence[WantedValues],
    *,
    territory: Territory,
    today: date,
    addresses: AddressLocator | None = None,
    former: FormerCommunes = FormerCommunes(),
) -> list[ParsedValues]:
    """Read the values of corrections as an import of the corrected sites would.

    A new commune sets its name and both its codes; a new commune or address places the site again, unless
    its coordinates are given or still suit; a new number takes the remark about the old one away.

    Parameters
    ----------
    territory, today, addresses, former
        As for `geo.sites.validate.validate`.

    Returns
    -------
    One for each element of `wanted`, in the same order.
    """

    def read(rows: Mapping[int, Mapping[str, str]]) -> tuple[dict[int, SourceRecord], dict[int, list[Issue]]]:
        found = validate(
            [RawRow(index, {**cells, "id": str(index)}) for index, cells in rows.items()],
            territory=territory,
            dataset="correction",
            today=today,
            addresses=addresses,
            former=former,
        )
        issues: dict[int, list[Issue]] = {}
        for each in found.issues:
            issues.setdefault(each.line, []).append(each)
        return {int(record.local_id): record for record in found.records}, issues

    named = {index: _commune_cells(each) for index, each in enumerate(wanted) if _names_commune(each)}
    communes, commune_issues = read(named)
    first = {
        index: _cells(each, placed_again=_may_move(each)) | _commune_of(communes.get(index))
        for index, each in enumerate(wanted)
    }
    records, issues = read(first)
    again = {
        index: _cells(each, placed_again=False) | _commune_of(communes.get(index))
        for index, each in enumerate(wanted)
        if _may_move(each)
        and each.site.position is Position.EXACTE
        and not (index in records and records[index].position is Position.ADRESSE)
    }
    if again:
        more, more_issues = read(again)
        records |= more
        issues |= {index: more_issues.get(index, []) for index in again}
    for index in named:
        others = [each for each in issues.get(index, ()) if each.field not in COMMUNE]
        issues[index] = [*(e for e in commune_issues.get(index, ()) if e.field in COMMUNE), *others]
    return [_parsed(each, records.get(index), issues.get(index, ())) for index, each in enumerate(wanted)]


def _names_commune(wanted: WantedValues) -> bool:
    return "commune" in wanted.values or "code_insee" in wanted.values


def _commune_cells(wanted: WantedValues) -> dict[str, str]:
    """Return the row of a place of which only the wanted commune is known: what else is said is older."""
    return {"nom": "Lieu", **{name: wanted.values.get(name, "") for name in COMMUNE}}


def _commune_of(record: SourceRecord | None) -> dict[str, str]:
    """Return the cells of the commune of a record, if it has one."""
    if record is None or not record.code_insee:
        return {}
    return {name: getattr(record, name) for name in COMMUNE}


def _may_move(wanted: WantedValues) -> bool:
    """Return whether the place must be located again: new address, or new commune and unsure point."""
    given = wanted.values.keys()
    if not given.isdisjoint(POINT):
        return False
    unsure = wanted.site.position is not Position.EXACTE
    return bool(wanted.values.get("adresse")) or (unsure and not given.isdisjoint(COMMUNE))


def _cells(wanted: WantedValues, *, placed_again: bool) -> dict[str, str]:
    """Return the row of a site with the wanted values, and without those that they make doubtful."""
    site, values = wanted.site, wanted.values
    cells = {name: format_cell(getattr(site, name)) for name in standard.FIELDS if name != "id"}
    cells |= {f"{LOCAL_PREFIX}{name}": format_cell(getattr(site, name)) for name in LOCAL_FIELDS}
    cells[f"{LOCAL_PREFIX}signalements"] = ""
    if "commune" in values or "code_insee" in values:
        cells |= dict.fromkeys((*COMMUNE, "pivot"), "")
    if "telephone" in values:
        cells[f"{LOCAL_PREFIX}telephone_remarque"] = ""
    if placed_again or not values.keys().isdisjoint(POINT):
        cells[f"{LOCAL_PREFIX}position"] = ""
    if placed_again:
        cells["latitude"] = cells["longitude"] = ""
    return cells | {
        f"{LOCAL_PREFIX}{name}" if name in LOCAL_FIELDS else name: text for name, text in values.items()
    }


def _parsed(wanted: WantedValues, record: SourceRecord | None, issues: Sequence[Issue]) -> ParsedValues:
    refused = [*_impossible(wanted)]
    named = {each.field for each in refused}
    if not named.isdisjoint(COMMUNE):
        named |= set(COMMUNE)
    for each in issues:
        name = each.field.removeprefix(LOCAL_PREFIX)
        if name not in named and _concerns(each, name, wanted.values):
            value = each.value or wanted.values.get(name, "")
            refused.append(issue(wanted.line_of(name), name, value, each.code, each.reason, each.advice))
    if record is not None and not refused:
        refused = [
            issue(
                wanted.line_of(name),
                name,
                text,
                "valeur_illisible",
                "Cette valeur n'a pas pu être lue.",
                "Écrivez-la comme dans un fichier de lieux ; voyez la description des champs.",
            )
            for name, text in wanted.values.items()
            if text and not is_known(getattr(record, name))
        ]
    if refused or record is None:
        return ParsedValues({}, tuple(refused))
    return ParsedValues(_values(wanted, record))


def _impossible(wanted: WantedValues) -> list[Issue]:
    """Return what is wrong with the fields themselves, or with saying that they are not known."""
    found = []
    for name, text in wanted.values.items():
        if name in NOT_SET_DIRECTLY:
            reason, advice = "Ce champ ne se corrige pas directement.", NOT_SET_DIRECTLY[name]
        elif not text and name in NEVER_UNKNOWN:
            reason, advice = "Ce champ ne peut pas rester inconnu.", "Donnez sa valeur."
        else:
            continue
        found.append(issue(wanted.line_of(name), name, text, "champ_refuse", reason, advice))
    return found


def _concerns(found: Issue, name: str, values: Mapping[str, str]) -> bool:
    """Return whether a finding of validation is about a wanted value, and makes it unusable."""
    if found.severity is Severity.REPAIRED:
        return found.code in _REFUSED_REPAIRS and name in values
    if found.code in _ACCEPTED:
        return False
    if name in COMMUNE:
        return not values.keys().isdisjoint(COMMUNE) and (
            name in values or found.code in ("commune_ambigue", "commune_inconnue", "commune_discordante")
        )
    if name in POINT:
        return not values.keys().isdisjoint(POINT) and any(values.get(each) for each in POINT)
    return bool(values.get(name)) or (name in values and found.severity is Severity.REJECTED)


def _values(wanted: WantedValues, record: SourceRecord) -> dict[str, Any]:
    """Return the wanted values as read, and those that follow from them."""
    site, given = wanted.site, wanted.values.keys()
    names = list(given)
    if not given.isdisjoint(COMMUNE):
        names += COMMUNE
    if not given.isdisjoint(POINT) or any(getattr(site, name) != getattr(record, name) for name in POINT):
        names += POINT if not given.isdisjoint({"adresse", *COMMUNE, *POINT}) else ()
    if "telephone" in given:
        names.append("telephone_remarque")
        if set(record.autres_telephones) != set(site.autres_telephones):
            names.append("autres_telephones")
    if record.complement_adresse != site.complement_adresse and not given.isdisjoint(COMMUNE):
        names.append("complement_adresse")
    return {name: getattr(record, name) for name in dict.fromkeys(names)}
