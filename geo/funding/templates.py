"""Files of funding as CSV and XLSX: empty templates with an example, and workbooks of exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import Enum
from typing import Final

from geo.funding import money
from geo.funding.template_columns import CellType, Template, TemplateColumn
from geo.tables_out import Dialect, Table, csv_bytes, text_columns, xlsx_bytes

DEMONSTRATION: Final = "Données de démonstration"
_READY_ROWS: Final = 200


def template_csv(template: Template) -> bytes:
    """Return a template as French Excel opens CSV: headings and an example."""
    return csv_bytes(text_columns(_headings(template)), [_example(template)], Dialect.EXCEL_FR)


def template_xlsx(template: Template) -> bytes:
    """Return a template as a workbook: a sheet that explains each column, and one to fill with text."""
    about = [
        ("Modèle", template.label),
        ("Exemple", "La première ligne est inventée : supprimez-la, elle n'est jamais enregistrée."),
        ("Personnes", "Ni nom, ni adresse, ni téléphone : aucune donnée sur une personne n'a sa place ici."),
        ("Enregistrer", f"portee fund import FICHIER --kind {template.kind}"),
    ]
    notes = [
        ("Colonne", "Obligatoire", "Contenu", "Valeurs", "Exemple"),
        *(
            (c.heading, "oui" if c.required else "non", c.explains, c.allowed, c.example)
            for c in template.columns
        ),
    ]
    table = Table(template.label, text_columns(_headings(template)), [_example(template)])
    return xlsx_bytes([table], about, notes=notes, text_rows=_READY_ROWS)


def template_row(template: Template, values: Mapping[str, object]) -> list[str]:
    """Return the cells of a record, given its values by column; absent ones are empty."""
    return [_written(column, values.get(column.name)) for column in template.columns]


def _headings(template: Template) -> list[str]:
    return [column.heading for column in template.columns]


def _example(template: Template) -> list[str]:
    return [column.example for column in template.columns]


def _written(column: TemplateColumn, value: object) -> str:
    if value is None or value == "":
        return ""
    if column.cell is CellType.EUROS and isinstance(value, int):
        return money.plain(value)
    if column.cell is CellType.FLAG:
        return "oui" if value else "non"
    if column.cell is CellType.CHOICE:
        code = str(value.value if isinstance(value, Enum) else value)
        return column.choices.get(code, code)
    if column.cell is CellType.FUNDERS and isinstance(value, tuple):
        return " | ".join(f"{code}={passes}" for code, passes in value)
    return value.isoformat() if isinstance(value, date) else str(value)
