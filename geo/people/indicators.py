"""Indicators of need: any table with a column of codes (communes or IRIS) and one of values.

An IRIS is a part of a commune; its code starts with the commune's. A former commune is a part of a commune of
today. Values of parts are combined as `geo.people.aggregation` says. Rules for rows: docs/people.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from geo.crs import departement_code
from geo.errors import UnreadableFile
from geo.people.aggregation import Area, FigureKind, by_commune, guessed_kind, is_inhabitants
from geo.people.model import ISSUES_STORED, UNDATED, UNLICENSED, Findings, Indicator, RowTally
from geo.people.tables import SourceTable, number, open_table, quoted
from geo.sites.model import Issue, Severity
from geo.sites.readers.content import Record, column_name
from geo.sites.readers.header import record
from geo.sites.text import fold
from geo.territory.former_communes import FormerCommunes
from geo.territory.model import Provenance, Territory

IRIS: Final = "iris"
COMMUNE: Final = "commune"
UNKNOWN_COMMUNE: Final = "commune_inconnue"
CODES_STORED: Final = 1_000
"""Unknown communes listed: all those of a département."""

CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""Syntax of the short code of an indicator."""

_IRIS_COLUMNS = ("codeiris", "dcomiris", "iriscode", "iris")
_COMMUNE_COLUMNS = (
    "codeinsee",
    "codgeo",
    "inseecom",
    "codecommune",
    "codeinseecommune",
    "codeinseedelacommune",
    "codecom",
    "comcode",
    "depcom",
    "insee",
    "com",
)
_INHABITANTS = re.compile(r"population|pop|p\d\dpop|pop\d{4}|population\d{4}|habitants|pmun")
_COMMUNE_CODE = re.compile(r"(\d\d|2[AB])\d{3}", re.ASCII)
_IRIS_CODE = re.compile(r"((\d\d|2[AB])\d{3})\d{4}", re.ASCII)
_MISSING_VALUES = frozenset({"", "s", "ns", "nd", "n/d", "na", "n/a", "nc", "-", "..", "…"})


class Weights(StrEnum):
    """Where the weights of a mean over the former communes of a commune come from."""

    FILE = "file"
    REGISTER = "register"
    EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class Carried:
    """A commune of today whose value comes from codes of an older geography.

    Attributes
    ----------
    codes
        Codes of the file, sorted: former communes, or IRIS of some.
    weights
        The weights of their mean; None for a count, which is summed, and for a single code.
    """

    codes: tuple[str, ...]
    weights: Weights | None


@dataclass(frozen=True)
class LoadedIndicator:
    """An indicator read from a file, and the outcome for each row.

    Attributes
    ----------
    areas
        The value of each IRIS or commune of the territory, in the order of the file.
    column, area_column, inhabitants_column
        Columns read; the last is "" if IRIS have equal weights.
    kind
        What the figures are; `kind_asked` is false if it was guessed from words, or assumed.
    carried
        Communes of today whose value comes from former communes, by INSEE code.
    missing
        INSEE codes of the territory's communes without a value, sorted.
    """

    indicator: Indicator
    areas: tuple[Area, ...]
    file_name: str
    sha256: str
    column: str
    area_column: str
    inhabitants_column: str
    kind: FigureKind
    kind_asked: bool
    carried: Mapping[str, Carried]
    tally: RowTally
    findings: Findings
    missing: tuple[str, ...]

    def summary(self) -> dict[str, object]:
        """Return the counts stored with the indicator."""
        return {
            "area_column": self.area_column,
            "inhabitants_column": self.inhabitants_column,
            "kind": self.kind.value,
            "carried": {
                commune: {"codes": list(each.codes), "weights": each.weights}
                for commune, each in self.carried.items()
            },
            "read": self.tally.read,
            "accepted": self.tally.accepted,
            "outside": self.tally.outside,
            "unselected": self.tally.unselected,
            "rejected": self.tally.rejected,
            "reasons": dict(self.findings.count),
            "communes": len(self.indicator.values),
            "missing": list(self.missing),
        }


def read_indicator(
    path: Path,
    territory: Territory,
    *,
    former: FormerCommunes = FormerCommunes(),
    kind: FigureKind | None = None,
    code: str,
    name: str,
    column: str,
    area_column: str | None = None,
    inhabitants_column: str | None = None,
    where: Mapping[str, str] | None = None,
    unit: str = "",
    vintage: str = "",
    producer: str = "",
    licence: str = "",
    max_bytes: int,
    progress: Callable[[int], None] | None = None,
) -> LoadedIndicator:
    """Read one column of figures per commune or IRIS.

    Parameters
    ----------
    former
        Register of former communes: their rows count for the commune of today.
    kind
        What the figures are; None: guessed from the words of unit, name and column, else a rate.
    code, name
        Short name under which it is stored (`ifn`), and the French name shown to users.
    column
        Column of values.
    area_column
        Column of codes; None: found by its name, IRIS before communes.
    inhabitants_column
        Column of inhabitants, the weights of IRIS; None: found by its name, if there is one.
    where
        Column → value of the rows to read, if an area has several; the others are unselected.
    max_bytes
        Largest size read.
    progress
        Called at the end with the number of rows read.

    Raises
    ------
    UnreadableFile
        If the file cannot be read, lacks a column, or has no row about the territory.
    """
    if not CODE.fullmatch(code):
        raise UnreadableFile(
            f"« {code} » ne peut pas être le code d'un indicateur.",
            "Employez des minuscules, des chiffres et des tirets simples, comme « ifn ».",
        )
    wanted = [column, *([area_column] if area_column else [])]
    table = open_table(path, max_bytes=max_bytes, announced=lambda names: _announced(names, wanted))
    value_column = table.column(column, "--column")
    codes_column = _codes_column(table, area_column)
    filters = {table.column(each, "--where"): value for each, value in (where or {}).items()}
    weights_column = _weights_column(table, inhabitants_column)
    chosen = kind or guessed_kind(unit, name, value_column) or FigureKind.RATE
    reader = _IndicatorReader(territory, former, codes_column, value_column, weights_column)
    findings = Findings()
    read = outside = unselected = 0
    used = {value_column, codes_column, weights_column, *filters}
    for line, cells in table.rows(used):
        read += 1
        row = record(line, cells, table.columns)
        if any(fold(row.fields.get(each, "")) != fold(value) for each, value in filters.items()):
            unselected += 1
            continue
        found = reader.area(row)
        if found is None:
            outside += 1
        elif isinstance(found, Issue):
            findings.add(found, bound=CODES_STORED if found.code == UNKNOWN_COMMUNE else ISSUES_STORED)
        else:
            reader.accept(row, found, findings)
    if progress:
        progress(read)
    if chosen is FigureKind.COUNT:
        reader.drop_partial_sums(findings)
    if not reader.areas:
        raise _nothing(table, territory, read, outside, findings)
    level = reader.level
    areas, carried = _carried(reader.areas.values(), territory, former, chosen)
    values = by_commune(areas, chosen)
    return LoadedIndicator(
        indicator=Indicator(
            code=code,
            name=name,
            unit=unit,
            level=level,
            provenance=Provenance(
                subject=name,
                producer=producer or f"fichier {path.name}",
                vintage=vintage or UNDATED,
                licence=licence or UNLICENSED,
            ),
            values=values,
        ),
        areas=areas,
        file_name=path.name,
        sha256=table.sha256,
        column=value_column,
        area_column=codes_column,
        inhabitants_column=weights_column if level == IRIS else "",
        kind=chosen,
        kind_asked=kind is not None,
        carried=carried,
        tally=RowTally(read, len(areas), outside, unselected, read - len(areas) - outside - unselected),
        findings=findings,
        missing=tuple(sorted(territory.own_codes - values.keys())),
    )


def _carried(
    areas: Iterable[Area], territory: Territory, former: FormerCommunes, kind: FigureKind
) -> tuple[tuple[Area, ...], dict[str, Carried]]:
    """Return areas with their weights completed, and the communes whose value comes from former ones."""
    members: dict[str, list[Area]] = {}
    for area in areas:
        members.setdefault(area.commune, []).append(area)
    carried = {}
    for commune, parts in sorted(members.items()):
        if all(_commune_of(part.code) == commune for part in parts):
            continue
        weights = None
        if kind is not FigureKind.COUNT and len(parts) > 1:
            whole = territory.commune_by_code[commune].population
            members[commune], weights = _weighted(parts, former, whole)
        carried[commune] = Carried(tuple(sorted(part.code for part in parts)), weights)
    weighed = {part.code: part for parts in members.values() for part in parts}
    return tuple(weighed[area.code] for area in areas), carried


def _weighted(parts: list[Area], former: FormerCommunes, whole: int) -> tuple[list[Area], Weights]:
    """Return parts of a commune weighted by the file, else by the register, else equally.

    One part without inhabitants in the register (an absorbing commune) has what the others leave of `whole`,
    the population of the commune of today.
    """
    if all(part.inhabitants is not None for part in parts):
        return parts, Weights.FILE
    known = {p.code: former.population[p.code] for p in parts if p.code in former.population}
    rest = whole - sum(known.values())
    if len(known) == len(parts) - 1 and rest > 0:
        known |= {part.code: rest for part in parts if part.code not in known}
    if len(known) < len(parts) or not sum(known.values()):
        return [replace(part, inhabitants=None) for part in parts], Weights.EQUAL
    return [replace(part, inhabitants=known[part.code]) for part in parts], Weights.REGISTER


def _commune_of(code: str) -> str:
    return code[:5]


def _squeezed(name: str) -> str:
    """Return a column name reduced to letters and digits, like the known names."""
    return "".join(c for c in fold(name) if c.isalnum())


def _announced(names: Sequence[str], wanted: Sequence[str]) -> bool:
    """Return whether a row is the header: it has the requested columns and a column of codes."""
    here = {fold(name) for name in names}
    return all(fold(column_name(each)) in here for each in wanted) and (
        len(wanted) > 1 or bool(_known(names))
    )


def _known(names: Sequence[str]) -> str:
    """Return the column of codes by its name, IRIS before communes; "" if there is none."""
    by_name = {_squeezed(name): name for name in reversed(names) if name}
    return next((by_name[known] for known in (*_IRIS_COLUMNS, *_COMMUNE_COLUMNS) if known in by_name), "")


def _codes_column(table: SourceTable, asked: str | None) -> str:
    if asked is not None:
        return table.column(asked, "--area-column")
    known = _known(table.columns)
    if not known:
        raise UnreadableFile(
            f"Dans « {table.name} », aucune colonne n'est reconnue comme un code INSEE de commune ou "
            f"d'IRIS. Les colonnes sont {quoted(table.columns)}.",
            "Nommez-la avec --area-column.",
        )
    return known


def _weights_column(table: SourceTable, asked: str | None) -> str:
    """Return the requested column of inhabitants, or the only one recognised by its name; else ""."""
    if asked is not None:
        return table.column(asked, "--inhabitants-column")
    found = [name for name in table.columns if _INHABITANTS.fullmatch(_squeezed(name))]
    return found[0] if len(found) == 1 else ""


@dataclass
class _IndicatorReader:
    """Reads areas of the territory from rows. The first code read sets the level of the file."""

    territory: Territory
    former: FormerCommunes
    codes: str
    values: str
    weights: str
    level: str = ""
    areas: dict[str, Area] = field(default_factory=dict)
    _lines: dict[str, int] = field(default_factory=dict)
    _partial: set[str] = field(default_factory=set)

    def accept(self, row: Record, area: Area, findings: Findings) -> None:
        """Store an area, and report it if it is one of a former commune."""
        self.areas[area.code] = area
        self._lines[area.code] = row.line
        if _commune_of(area.code) != area.commune:
            name = self.territory.commune_by_code[area.commune].name
            findings.add(
                Issue(
                    row.line,
                    self.codes,
                    area.code,
                    Severity.FLAGGED,
                    "commune_reunie",
                    "Cette ancienne commune fait partie d'une commune d'aujourd'hui "
                    f"(ici {name}, {area.commune}) ; sa valeur est comptée avec celle-ci.",
                )
            )

    def drop_partial_sums(self, findings: Findings) -> None:
        """Reject the areas of a commune of which another area has no value: their sum would be too small."""
        for code, area in list(self.areas.items()):
            if area.commune in self._partial:
                del self.areas[code]
                findings.add(
                    Issue(
                        self._lines[code],
                        self.codes,
                        code,
                        Severity.REJECTED,
                        "partie_manquante",
                        "Une autre partie de la commune n'a pas de valeur : la somme serait trop petite.",
                        "La commune compte comme non renseignée ; complétez le fichier si vous le pouvez.",
                    )
                )

    def area(self, row: Record) -> Area | Issue | None:
        """Return the area of a row; None if it is outside the territory; an issue if it is rejected."""
        if row.broken:
            return row.issues[0]
        code = _code(row.fields[self.codes])
        iris = _IRIS_CODE.fullmatch(code)
        commune = self.former.today(iris[1] if iris else code)
        if not iris and not _COMMUNE_CODE.fullmatch(code):
            return self._rejected(
                row,
                self.codes,
                "code_illisible",
                "Ce n'est pas un code INSEE de commune (5 caractères) ni d'IRIS (9 chiffres).",
                "Vérifiez la colonne des codes ; un tableur y efface parfois le zéro du début.",
            )
        level = IRIS if iris else COMMUNE
        self.level = self.level or level
        if level != self.level:
            return self._rejected(
                row,
                self.codes,
                "autre_niveau",
                "Ce fichier mêle des communes et des IRIS ; le premier code lu en décide.",
                "Gardez un seul niveau par fichier.",
            )
        if commune not in self.territory.own_codes:
            if commune in self.territory.commune_by_code or departement_code(commune) != self.territory.code:
                return None
            return self._rejected(
                row,
                self.codes,
                UNKNOWN_COMMUNE,
                "Ni commune du territoire, ni ancienne commune connue ne porte ce code.",
                "Vérifiez-le ; s'il est très ancien, demandez le fichier dans le découpage d'aujourd'hui.",
            )
        if code in self.areas:
            return self._rejected(
                row,
                self.codes,
                "territoire_en_double",
                "Ce code est déjà donné plus haut dans le fichier ; seule la première ligne compte.",
                "S'il y a plusieurs lignes par territoire, choisissez-les avec --where COLONNE=VALEUR.",
            )
        value = number(row.fields[self.values])
        if value is None:
            self._partial.add(commune)
            is_missing = fold(row.fields[self.values]) in _MISSING_VALUES
            return self._rejected(
                row,
                self.values,
                "valeur_absente" if is_missing else "valeur_illisible",
                "La valeur manque ou n'est pas publiée." if is_missing else "Ce n'est pas un nombre.",
                "Le territoire compte comme non renseigné." if is_missing else "Corrigez cette case.",
            )
        inhabitants = number(row.fields[self.weights]) if self.weights else None
        if not iris and not (inhabitants is not None and is_inhabitants(inhabitants)):
            inhabitants = None  # weighs nothing but the parts of a merged commune
        if self.weights and iris and (inhabitants is None or not is_inhabitants(inhabitants)):
            return self._rejected(
                row,
                self.weights,
                "habitants_illisibles",
                "Ce n'est pas un nombre d'habitants.",
                "Corrigez cette case, ou nommez une autre colonne avec --inhabitants-column.",
            )
        return Area(code, commune, value, inhabitants)

    def _rejected(self, row: Record, column: str, code: str, reason: str, advice: str) -> Issue:
        value = row.fields.get(column, "")[:200]
        return Issue(row.line, column, value, Severity.REJECTED, code, reason, advice)


def _code(text: str) -> str:
    """Return a code with the leading zero that a spreadsheet may have removed."""
    code = text.strip().upper()
    return f"0{code}" if code.isdecimal() and len(code) in (4, 8) else code


def _nothing(
    table: SourceTable, territory: Territory, read: int, outside: int, findings: Findings
) -> UnreadableFile:
    first = findings.first[0] if findings.first else None
    if first:
        return UnreadableFile(
            f"Aucune des {read} lignes de « {table.name} » n'est utilisable. "
            f"Ligne {first.line}, {first.field} « {first.value} » : {first.reason}",
            first.advice,
        )
    return UnreadableFile(
        f"Aucune des {read} lignes de « {table.name} » ne parle du territoire ({territory.name})"
        + (f" : {outside} sont d'ailleurs." if outside else "."),
        "Vérifiez que c'est le bon fichier, et le choix des lignes (--where) s'il y en a un.",
    )
