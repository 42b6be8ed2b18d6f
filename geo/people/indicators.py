"""Indicators of need: any CSV or XLSX with a column of codes (communes or IRIS) and one of values.

An IRIS is a part of a commune; its code starts with the commune's. Values per IRIS are averaged per
commune, weighted by inhabitants if the file has them, else equally. Rules for rows: docs/people.md.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from geo.crs import departement_code
from geo.errors import UnreadableFile
from geo.people.model import UNDATED, UNLICENSED, Findings, Indicator, RowTally
from geo.people.tables import SourceTable, number, open_table, quoted
from geo.sites.model import Issue, Severity
from geo.sites.readers.content import Record, column_name
from geo.sites.readers.delimited import record
from geo.sites.text import fold
from geo.territory.model import Provenance, Territory

IRIS: Final = "iris"
COMMUNE: Final = "commune"
CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""Syntax of the short code of an indicator."""

INHABITANTS_MIN: Final = 1e-3
INHABITANTS_MAX: Final = 1e9
"""Domain of the inhabitants of an area: 0, or between these. Insee estimates fractions of persons;
smaller weights are not counts, and a mean weighted by them would lose its precision."""

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
_COMMUNE_CODE = re.compile(r"([013-9]\d|2[AB1-9])\d{3}", re.ASCII)
_IRIS_CODE = re.compile(r"(([013-9]\d|2[AB1-9])\d{3})\d{4}", re.ASCII)
_MISSING_VALUES = frozenset({"", "s", "ns", "nd", "n/d", "na", "n/a", "nc", "-", "..", "…"})


@dataclass(frozen=True, slots=True)
class Area:
    """The value of one IRIS or commune.

    `inhabitants` is None if the file does not give them; else 0, or at least `INHABITANTS_MIN` and at
    most `INHABITANTS_MAX`.
    """

    code: str
    commune: str
    value: float
    inhabitants: float | None = None


@dataclass(frozen=True)
class LoadedIndicator:
    """An indicator read from a file, and the outcome for each row.

    Attributes
    ----------
    areas
        The value of each IRIS or commune of the territory, in the order of the file.
    column, area_column, inhabitants_column
        Columns read; the last is "" if IRIS have equal weights.
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
    tally: RowTally
    findings: Findings
    missing: tuple[str, ...]

    def summary(self) -> dict[str, object]:
        """Return the counts stored with the indicator."""
        return {
            "area_column": self.area_column,
            "inhabitants_column": self.inhabitants_column,
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
    reader = _IndicatorReader(territory, codes_column, value_column, weights_column)
    findings = Findings()
    areas: dict[str, Area] = {}
    read = outside = unselected = rejected = 0
    for line, cells in table.rows():
        read += 1
        row = record(line, cells, table.columns)
        if any(fold(row.fields.get(each, "")) != fold(value) for each, value in filters.items()):
            unselected += 1
            continue
        area = reader.area(row, areas)
        if area is None:
            outside += 1
        elif isinstance(area, Issue):
            rejected += 1
            findings.add(area)
        else:
            areas[area.code] = area
    if progress:
        progress(read)
    if not areas:
        raise _nothing(table, territory, read, outside, findings)
    level = reader.level
    values = by_commune(areas.values())
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
        areas=tuple(areas.values()),
        file_name=path.name,
        sha256=table.sha256,
        column=value_column,
        area_column=codes_column,
        inhabitants_column=weights_column if level == IRIS else "",
        tally=RowTally(read, len(areas), outside, unselected, rejected),
        findings=findings,
        missing=tuple(sorted(territory.own_codes - values.keys())),
    )


def by_commune(areas: Iterable[Area]) -> dict[str, float]:
    """Return the mean value of each commune, sorted by INSEE code, weighted by inhabitants.

    If an area of a commune has no number of inhabitants, or nobody lives in any of them, its areas
    have equal weights.

    Raises
    ------
    ValueError
        If a number of inhabitants is outside its domain: see `Area`.
    """
    members: dict[str, list[Area]] = defaultdict(list)
    for area in areas:
        members[area.commune].append(area)
    return {commune: _mean(members[commune]) for commune in sorted(members)}


def is_inhabitants(value: float) -> bool:
    """Return whether a number is in the domain of inhabitants: see `Area`."""
    return value == 0 or INHABITANTS_MIN <= value <= INHABITANTS_MAX


def _mean(areas: Sequence[Area]) -> float:
    weights = [area.inhabitants for area in areas if area.inhabitants is not None]
    if wrong := [weight for weight in weights if not is_inhabitants(weight)]:
        raise ValueError(f"{wrong[0]!r} is not a number of inhabitants")
    if len(weights) < len(areas) or sum(weights) <= 0:
        weights = [1.0] * len(areas)
    return sum(area.value * w for area, w in zip(areas, weights, strict=True)) / sum(weights)


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
    codes: str
    values: str
    weights: str
    level: str = ""

    def area(self, row: Record, before: Mapping[str, Area]) -> Area | Issue | None:
        """Return the area of a row; None if it is outside the territory; an issue if it is rejected."""
        if row.broken:
            return row.issues[0]
        code = _code(row.fields[self.codes])
        iris = _IRIS_CODE.fullmatch(code)
        commune = iris[1] if iris else code
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
            if departement_code(commune) != self.territory.code:
                return None
            return self._rejected(
                row,
                self.codes,
                "commune_inconnue",
                "Aucune commune actuelle du territoire ne porte ce code.",
                "C'est sans doute une commune ancienne, déléguée ou associée : "
                "demandez le fichier dans le découpage d'aujourd'hui.",
            )
        if code in before:
            return self._rejected(
                row,
                self.codes,
                "territoire_en_double",
                "Ce code est déjà donné plus haut dans le fichier ; seule la première ligne compte.",
                "S'il y a plusieurs lignes par territoire, choisissez-les avec --where COLONNE=VALEUR.",
            )
        value = number(row.fields[self.values])
        if value is None:
            is_missing = fold(row.fields[self.values]) in _MISSING_VALUES
            return self._rejected(
                row,
                self.values,
                "valeur_absente" if is_missing else "valeur_illisible",
                "La valeur manque ou n'est pas publiée." if is_missing else "Ce n'est pas un nombre.",
                "Le territoire compte comme non renseigné." if is_missing else "Corrigez cette case.",
            )
        inhabitants = number(row.fields[self.weights]) if self.weights and iris else None
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
