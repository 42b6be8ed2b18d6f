"""Read a table of corrections: CSV or XLSX, a row for each site, or a row for each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from geo.errors import UnreadableFile
from geo.people.tables import open_table, quoted
from geo.sites.correction_values import UNKNOWN_WORD, WantedCorrection, field_named, issue
from geo.sites.dates import read_date
from geo.sites.model import Issue
from geo.sites.text import fold
from geo.tables_out import unescape_formula

ADVICE: Final = (
    "Les colonnes sont id, raison, jusqu_au, puis les champs à corriger, ou champ et valeur ; "
    "voyez docs/sites.md."
)

_NAMES: Final = {
    "id": "id",
    "identifiant": "id",
    "raison": "raison",
    "motif": "raison",
    "jusqu_au": "jusqu_au",
    "jusqu'au": "jusqu_au",
    "a_partir_du": "a_partir_du",
    "champ": "champ",
    "valeur": "valeur",
}
_COLUMN_BY_KEY: Final = {fold(name).replace("_", " "): column for name, column in _NAMES.items()}


@dataclass(slots=True)
class CorrectionFile:
    """The corrections of a file, and what is wrong with its cells; `read` counts its rows."""

    read: int = 0
    wanted: list[WantedCorrection] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


def read_corrections(path: Path, *, max_bytes: int, reason: str = "") -> CorrectionFile:
    """Read a file of corrections. Every row is counted, and everything wrong with it is reported.

    A cell that is empty corrects nothing; « inconnu » says that the value is not known. Rows that follow each
    other and give one value each of the same site are one correction.

    Parameters
    ----------
    max_bytes
        Largest size read; a larger file is refused unread.
    reason
        Reason of the rows that give none.

    Raises
    ------
    UnreadableFile
        If the file cannot be read, lacks a column, or has one that is none of a correction.
    """
    table = open_table(path, max_bytes=max_bytes, announced=lambda names: "id" in map(_column, names))
    columns = [_column(name) for name in table.columns]
    _require(path.name, table.columns, columns)
    found = CorrectionFile()
    for line, cells in table.rows():
        found.read += 1
        texts = {
            name: unescape_formula(cell).strip()
            for name, cell in zip(columns, cells, strict=False)
            if name and cell.strip()
        }
        if extra := [cell for cell in cells[len(columns) :] if cell.strip()]:
            why = f"La ligne a plus de cellules que l'en-tête ({len(columns)})."
            advice = "Vérifiez les séparateurs et les guillemets de cette ligne."
            found.issues.append(issue(line, "", extra[0], "colonnes", why, advice))
        _add(found, _row(line, texts, found.issues, reason))
    if not found.read:
        raise UnreadableFile(f"« {path.name} » ne contient aucune correction.", ADVICE)
    return found


def _column(name: str) -> str | None:
    """Return the column that a heading names: one of a correction, or a field; None if neither."""
    key = fold(name.strip()).replace("_", " ")
    return _COLUMN_BY_KEY.get(key) or field_named(name)


def _require(name: str, headings: Sequence[str], columns: Sequence[str | None]) -> None:
    shown = f"Ses colonnes sont {quoted(headings)}."
    if "id" not in columns:
        raise UnreadableFile(f"« {name} » n'a pas de colonne « id ». {shown}", ADVICE)
    if strange := [
        heading for heading, column in zip(headings, columns, strict=True) if heading and not column
    ]:
        raise UnreadableFile(
            f"« {name} » a des colonnes qui ne sont ni un champ ni une partie d'une correction : "
            f"{quoted(strange)}.",
            ADVICE,
        )
    named = [column for column in columns if column]
    if twice := sorted({column for column in named if named.count(column) > 1}):
        raise UnreadableFile(f"« {name} » a deux fois la colonne {quoted(twice)}.", ADVICE)
    if ("champ" in named) != ("valeur" in named):
        raise UnreadableFile(f"« {name} » a une des colonnes champ et valeur sans l'autre. {shown}", ADVICE)
    if not set(named) - {"id", "raison", "jusqu_au", "a_partir_du"}:
        raise UnreadableFile(f"« {name} » n'a aucune colonne de champ à corriger. {shown}", ADVICE)


def _row(line: int, texts: Mapping[str, str], issues: list[Issue], reason: str) -> WantedCorrection:
    """Return the correction of a row; add to `issues` what is wrong with its cells."""
    values = {
        name: text
        for name, text in texts.items()
        if name not in ("id", "raison", "jusqu_au", "a_partir_du", "champ", "valeur")
    }
    named, value = texts.get("champ", ""), texts.get("valeur", "")
    if named and value:
        values[named] = value
    elif named:
        why, advice = "La valeur manque.", f"Donnez-la, ou « {UNKNOWN_WORD} » si elle n'est pas connue."
        issues.append(issue(line, named, "", "valeur_absente", why, advice))
    elif value:
        why, advice = "Le champ de cette valeur manque.", "Nommez-le dans la colonne champ."
        issues.append(issue(line, "champ", value, "champ_absent", why, advice))
    if not texts.get("id"):
        why, advice = "L'identifiant du lieu manque.", "Il est donné par portee sites list."
        issues.append(issue(line, "id", "", "identifiant_absent", why, advice))
    return WantedCorrection(
        texts.get("id", ""),
        {name: "" if fold(text) == UNKNOWN_WORD else text for name, text in values.items()},
        texts.get("raison", reason),
        _day(line, "a_partir_du", texts, issues),
        _day(line, "jusqu_au", texts, issues),
        dict.fromkeys(values, line),
        line,
    )


def _day(line: int, name: str, texts: Mapping[str, str], issues: list[Issue]) -> date | None:
    text = texts.get(name, "")
    day = read_date(text) if text else None
    if text and day is None:
        why, advice = "Ce n'est pas une date.", "Écrivez-la sous la forme 2026-03-31."
        issues.append(issue(line, name, text, "date_illisible", why, advice))
    return day


def _add(found: CorrectionFile, wanted: WantedCorrection) -> None:
    """Add the correction of a row: to the one before if both give values of one site in the same way."""
    if found.wanted:
        last = found.wanted[-1]
        same = replace(wanted, values=last.values, lines=last.lines, line=last.line) == last
        if same and wanted.site_id and wanted.values.keys().isdisjoint(last.values):
            found.wanted[-1] = replace(
                last, values={**last.values, **wanted.values}, lines={**last.lines, **wanted.lines}
            )
            return
    found.wanted.append(wanted)
