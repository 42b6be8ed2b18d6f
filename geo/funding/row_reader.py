"""Read a CSV or XLSX file of money, passes or actions into records; report every fault found.

Nothing here reads the store: what rows may refer to is given (`RowReferences`). What the ledger refuses
(a payment beyond what remains…) is reported by `geo.services.import_funding`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from geo import gc_pause
from geo.errors import PorteeError, UnreadableFile
from geo.funding import actions
from geo.funding.passes import Event
from geo.funding.row_cells import CellFault, CellParser
from geo.funding.row_records import Record, RowContext, RowFault, RowReferences, build_record, record_key
from geo.funding.template_columns import CellType, Template, TemplateColumn
from geo.people.tables import open_table, quoted
from geo.sites.model import Issue, Severity

_PROGRESS_EVERY: Final = 4_096
_CACHE_MAX: Final = 4_096
_NEW: Final = object()


@dataclass(frozen=True, slots=True)
class FundingRow:
    """An accepted row: its line, its record, and the commitment that pays it (passes reimbursed)."""

    line: int
    record: Record
    commitment: str = ""


@dataclass(slots=True)
class Reading:
    """Result of reading a file; `read == len(rows) + repeated + rejected`.

    `repeated` counts rows that are identical to an earlier row of the file.
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
    """Read a file of one kind; each row is accepted, or rejected with all its faults.

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
        If the file cannot be read, lacks a required column, or has one that is not the template's.
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
        elif (first := seen.setdefault(record_key(template, row.record), row)) is row:
            result.rows.append(row)
        elif (first.record, first.commitment) == (row.record, row.commitment):
            result.repeated += 1
        else:
            result.rejected += 1
            result.issues.append(
                _issue(
                    line,
                    template.heading(template.key[-1]),
                    str(record_key(template, row.record)[-1]),
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
    """Return the issue for a refused row; `name` is the column at fault if the error names none."""
    parameter = getattr(problem, "parameter", "") or name
    return _issue(line, template.heading(parameter), value, "refus", problem.message, problem.advice)


def _require_columns(
    name: str, headings: tuple[str, ...], columns: list[TemplateColumn | None], template: Template
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
    present = [c for c in columns if c is not None]
    if twice := {c.heading for c in present if present.count(c) > 1}:
        raise UnreadableFile(f"« {name} » a deux fois la colonne {quoted(sorted(twice))}.", advice)


class _RowReader:
    """Reads rows of one file; values of cells met before are cached."""

    def __init__(
        self, template: Template, columns: list[TemplateColumn | None], references: RowReferences, today: date
    ) -> None:
        self.template, self.columns, self.references = template, columns, references
        self.context = RowContext(template, references, today)
        self.absent = [c.name for c in template.columns if c not in columns]
        # Values met in each column, by their text; those of a reference are all different.
        self.met: list[dict[str, Any]] = [{} for _ in columns]
        self.cells = CellParser(references)
        self.of_action = template.action_kind is not None

    def row(self, line: int, cells: list[str], issues: list[Issue]) -> FundingRow | None:
        """Return the row; or None, with its faults added to `issues`."""
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
                if column.cell is not CellType.REFERENCE and len(met) < _CACHE_MAX:
                    met[cell] = value
            except CellFault as fault:
                issues.append(_issue(line, column.heading, text, fault.code, fault.reason, fault.advice))
            except PorteeError as problem:
                issues.append(_issue(line, column.heading, text, "montant", problem.message, problem.advice))
        if len(issues) > before:
            return None
        try:
            record = (
                self._action(line, values, issues) if self.of_action else build_record(values, self.context)
            )
        except RowFault as wrong:
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
        """Return the text of a column's cell; empty if the file has no such column."""
        found = (
            c.strip()
            for column, c in zip(self.columns, cells, strict=False)
            if column and column.name == name
        )
        return next(found, "")

    def _value(self, column: TemplateColumn, text: str) -> Any:
        return self.cells.parse(text, column, as_text=self.of_action and column.cell in _PARSED_BY_ACTIONS)

    def _action(self, line: int, v: dict[str, Any], issues: list[Issue]) -> Record | None:
        cells = {name: "" if value is None else str(value) for name, value in v.items()}
        cells["kind"] = self.template.action_kind or ""
        known = actions.ActionReferences(
            self.references.territory.own_codes, self.references.partners, self.references.sites
        )
        action, found = actions.read(cells, self.references.kinds, known, line=line)
        issues += [
            _issue(i.line, self.template.heading(i.field), i.value, i.code, i.reason, i.advice) for i in found
        ]
        return action


_PARSED_BY_ACTIONS: Final = frozenset(
    {CellType.DATE, CellType.EUROS, CellType.COUNT, CellType.NUMBER, CellType.FLAG, CellType.TEXT}
)
"""Types of cells that `geo.funding.actions.read` parses itself."""


def _issue(line: int, name: str, value: str, code: str, reason: str, advice: str = "") -> Issue:
    return Issue(line, name, value[:200], Severity.REJECTED, code, reason, advice)
